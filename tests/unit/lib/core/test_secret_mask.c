#include "lib/core/secret.h"
#include "tests/support/support.h"

#include <stdlib.h>

static const struct {
    const char *text, *expected;
} whole_cases[] = {
    /* conninfo */
    {"host=h user=u password=s3cret dbname=d", "host=h user=u password=*** dbname=d"},
    {"password=s3cret", "password=***"},
    {"password='s3cret'", "password=***"},
    {"host=h password='s3 cret with blanks' port=1", "host=h password=*** port=1"},
    {"host=h password='s3\\'c ret\\\\' port=1", "host=h password=*** port=1"},
    {"host=h password='s3cret", "host=h password=***"},
    {"host=h password = s3cret port=1", "host=h password = *** port=1"},
    {"host=h password= 's3 cret' port=1", "host=h password= *** port=1"},
    {"host=h password=s3\\ cret port=1", "host=h password=*** port=1"},
    {"host=h password=s3 cret too port=1", "host=h password=*** port=1"},
    {"host=h password=s3@cret:/?&# port=1", "host=h password=*** port=1"},
    {"host=h sslpassword=s3cret sslkey=/k", "host=h sslpassword=*** sslkey=/k"},
    {"host=h PASSWORD=s3cret", "host=h PASSWORD=***"},
    {"PGPASSWORD=s3cret", "PGPASSWORD=***"},
    {"password= port=1", "password= ***"}, /* as libpq reads it */
    {"password=", "password="},
    {"password_file=/etc/p host=h", "password_file=/etc/p host=h"},
    {"host=h user=password", "host=h user=password"},
    {"host=h\tpassword=s3cret\nport=1", "host=h\tpassword=***\nport=1"},
    {"host=h password='s3''cret' x=1", "host=h password=***'cret' x=1"},
    /* URL */
    {"postgres://u:s3cret@h/d", "postgres://u:***@h/d"},
    {"postgresql://u:s3%40cr%20et@h:5432/d?sslmode=require", "postgresql://u:***@h:5432/d?sslmode=require"},
    {"postgres://us%3Aer:s3cret@h", "postgres://us%3Aer:***@h"},
    {"postgres://u:s3@cret@h/d", "postgres://u:***@h/d"},
    {"postgres://u:s3 cret@h/d", "postgres://u:***@h/d"},
    {"postgres://u:s3/cret@h/d", "postgres://u:***@h/d"},
    {"postgres://u:s3#cret@h/d", "postgres://u:***@h/d"},
    {"postgres://u:s3:cret@h/d", "postgres://u:***@h/d"},
    {"postgres://u:123@h/d", "postgres://u:***@h/d"},
    {"postgres://:s3cret@h/d", "postgres://:***@h/d"},
    {"postgres://u@h/d", "postgres://u@h/d"},
    {"postgres://h:5432/d?user=a@b", "postgres://h:5432/d?user=a@b"},
    {"postgres://[::1]:5432/d", "postgres://[::1]:5432/d"},
    {"postgres://h1:1,h2:2/d?password=s3cret&user=u", "postgres://h1:1,h2:2/d?password=***&user=u"},
    {"postgres://h/d?user=u&password=s3%26cret", "postgres://h/d?user=u&password=***"},
    {"postgres://h/d?pass%77ord=s3cret&x=1", "postgres://h/d?pass%77ord=***&x=1"},
    {"postgres://h/d?sslpassword=s3cret#f", "postgres://h/d?sslpassword=***#f"},
    {"https://u:s3cret@h/hook?x=1", "https://u:***@h/hook?x=1"},
    {"https://h/hook?token=s3cret&x=1", "https://h/hook?token=***&x=1"},
    {"https://h/?x=1&api_key=s3cret#f", "https://h/?x=1&api_key=***#f"},
    {"https://h/?api-key=s3cret&sig=s3cret", "https://h/?api-key=***&sig=***"},
    {"https://h/?X-Amz-Signature=s3cret&X-Amz-Date=1", "https://h/?X-Amz-Signature=***&X-Amz-Date=1"},
    {"https://h/?access%5Ftoken=s3cret", "https://h/?access%5Ftoken=***"},
    {"postgres://h/d?sslkey=/k&keepalives=1", "postgres://h/d?sslkey=/k&keepalives=1"},
    {"https://h/token=a?match=up&tokens=3", "https://h/token=a?match=up&tokens=3"},
    {"http://h:80/path@2x.png", "http://h:80/path@2x.png"},
    {"", ""},
    {"plain text", "plain text"},
};

START_TEST(whole_strings)
{
    char masked[256];
    secret_mask_conninfo(whole_cases[_i].text, masked, sizeof masked);
    ck_assert_str_eq(masked, whole_cases[_i].expected);
}
END_TEST

static const struct {
    const char *text, *expected;
} text_cases[] = {
    {"cannot connect to postgres://u:s3cret@h/d: refused", "cannot connect to postgres://u:***@h/d: refused"},
    {"bad conninfo password=s3cret in the file", "bad conninfo password=*** in the file"},
    {"bad conninfo password='s3 cret' in the file", "bad conninfo password=*** in the file"},
    {"see http://h:80 and mail a@b", "see http://h:80 and mail a@b"},
    {"two http://a:s3@h http://b:s3@h", "two http://a:***@h http://b:***@h"},
    {"FATAL: password authentication failed for user \"u\"",
     "FATAL: password authentication failed for user \"u\""},
    {"GET /x?password=s3cret HTTP/1.1", "GET /x?password=*** HTTP/1.1"},
};

START_TEST(running_text)
{
    char masked[256];
    secret_mask_text(text_cases[_i].text, masked, sizeof masked);
    ck_assert_str_eq(masked, text_cases[_i].expected);
}
END_TEST

START_TEST(a_small_buffer_is_terminated)
{
    char masked[8];
    memset(masked, 'x', sizeof masked);
    secret_mask_conninfo("password=s3cret", masked, sizeof masked);
    ck_assert_str_eq(masked, "passwor");
    secret_mask_conninfo("password=s3cret", masked, 1);
    ck_assert_str_eq(masked, "");
    secret_mask_conninfo("password=s3cret", masked, 0);
}
END_TEST

/* No shape of text may let the word through behind a keyword, whatever surrounds it. */
START_TEST(random_surroundings_never_leak)
{
    static const char *const parts[] = {" ", "'", "\\", "=",      "@",   ":", "/",
                                        "?", "&", "#",  "host=h", "://", "u", "%20"};
    unsigned seed = 7;
    for (int round = 0; round < 20000; round++) {
        char text[256] = "";
        size_t used = 0;
        for (int i = 0; i < 4; i++)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s",
                                     parts[(size_t)rand_r(&seed) % ARRAY_LEN(parts)]);
        used += (size_t)snprintf(text + used, sizeof text - used, " password=s3cret");
        for (int i = 0; i < 4; i++)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s",
                                     parts[(size_t)rand_r(&seed) % ARRAY_LEN(parts)]);
        char masked[1024];
        secret_mask_conninfo(text, masked, sizeof masked);
        ck_assert_msg(!strstr(masked, "s3cret"), "%s -> %s", text, masked);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("secret_mask");
    TCase *tests = tcase_create("secret_mask");
    tcase_add_loop_test(tests, whole_strings, 0, (int)ARRAY_LEN(whole_cases));
    tcase_add_loop_test(tests, running_text, 0, (int)ARRAY_LEN(text_cases));
    tcase_add_test(tests, a_small_buffer_is_terminated);
    tcase_add_test(tests, random_surroundings_never_leak);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
