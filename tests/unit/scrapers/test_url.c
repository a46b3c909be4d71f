#include "scrapers/url.h"

#include "tests/support/support.h"

static void expect_target(const char *url, const char *expected)
{
    char text[64];
    url_target(url, text, sizeof text);
    ck_assert_str_eq(text, expected);
}

START_TEST(target_is_host_and_port)
{
    expect_target("http://127.0.0.1:8801/readiness", "127.0.0.1:8801");
    expect_target("http://example.com", "example.com:80");
    expect_target("https://example.com/a:b", "example.com:443");
    expect_target("https://[::1]/x", "[::1]:443");
    expect_target("https://[::1]:8443?x", "[::1]:8443");
    expect_target("http://example.com:/x", "example.com:80");
    expect_target("HTTPS://example.com#f", "example.com:443");
}
END_TEST

START_TEST(credentials_never_become_part_of_the_target)
{
    expect_target("http://user:pass@example.com:81/x", "example.com:81");
    expect_target("http://us@er:pass@example.com/x", "example.com:80");
    ck_assert(url_has_credentials("http://user:pass@example.com/"));
    ck_assert(!url_has_credentials("http://example.com/a@b"));
    ck_assert(!url_has_credentials("http://example.com?a@b"));
}
END_TEST

START_TEST(long_names_are_cut)
{
    char text[8];
    url_target("http://example.com:8080/", text, sizeof text);
    ck_assert_str_eq(text, "example");
}
END_TEST

static Suite *url_suite(void)
{
    Suite *suite = suite_create("url");
    TCase *tcase = tcase_create("url");
    tcase_add_test(tcase, target_is_host_and_port);
    tcase_add_test(tcase, credentials_never_become_part_of_the_target);
    tcase_add_test(tcase, long_names_are_cut);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(url_suite)
