#include "provisioner/prices/origin.h"

#include "tests/support/support.h"

START_TEST(parts_of_a_url)
{
    struct origin origin;
    ck_assert(origin_parse(STR("https://prices.azure.com:443/api/x?$skip=100"), &origin));
    ck_assert(origin.https && origin.port == 443);
    ck_assert(str_equal(origin.host, STR("prices.azure.com")));
    ck_assert(str_equal(origin.rest, STR("/api/x?$skip=100")));
    ck_assert(origin_parse(STR("http://[::1]:8080"), &origin));
    ck_assert(!origin.https && origin.port == 8080 && str_equal(origin.host, STR("::1")));
    static const char *const wrong[] = {"",
                                        "https://",
                                        "ftp://x",
                                        "//x/y",
                                        "/x",
                                        "https://user@x/",
                                        "https://x:0/",
                                        "https://x:/",
                                        "https://x:65536",
                                        "https://x:1:2/",
                                        "https://[::1",
                                        "https://[::1]x",
                                        "https://x /y",
                                        "https://x/y\r\nHost: z",
                                        "https://:1/"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        ck_assert_msg(!origin_parse(str_from(wrong[i]), &origin), "%s", wrong[i]);
}
END_TEST

static bool same(const char *a, const char *b)
{
    struct origin left, right;
    ck_assert(origin_parse(str_from(a), &left) && origin_parse(str_from(b), &right));
    return origin_same(&left, &right);
}

START_TEST(the_same_place)
{
    ck_assert(same("https://prices.azure.com", "https://Prices.Azure.com:443/api"));
    ck_assert(!same("https://prices.azure.com", "http://prices.azure.com:443"));
    ck_assert(!same("https://prices.azure.com", "https://prices.azure.com.example"));
    ck_assert(!same("https://prices.azure.com", "https://prices.azure.com:444"));
    ck_assert(!same("https://prices.azure.com", "https://rices.azure.com"));
}
END_TEST

START_TEST(bases)
{
    static const char *const good[] = {"https://prices.azure.com", "https://mirror.example:8443/",
                                       "http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:1"};
    static const char *const bad[] = {
        "http://prices.azure.com", "http://127.0.0.1.example", "https://x/path",     "https://x?query", "x",
        "http://10.0.0.1",         "http://localhost.example", "https://x/#fragment"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        ck_assert_msg(origin_check_base(good[i], NULL) == 0, "%s", good[i]);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        ck_assert_msg(origin_check_base(bad[i], NULL) == ERR_CONFIG, "%s", bad[i]);
}
END_TEST

static Suite *origin_suite(void)
{
    Suite *suite = suite_create("prices_origin");
    TCase *tcase = tcase_create("origin");
    tcase_add_test(tcase, parts_of_a_url);
    tcase_add_test(tcase, the_same_place);
    tcase_add_test(tcase, bases);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(origin_suite)
