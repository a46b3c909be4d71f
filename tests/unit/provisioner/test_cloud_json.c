#include "provisioner/cloud_json.h"

#include "tests/support/support.h"

#include <stdlib.h>

static struct arena *arena;

static void begin(void)
{
    arena = arena_new(0);
}

static void end(void)
{
    (void)unsetenv("FRAISEQL_TEST_BASE");
    arena_free(arena);
}

START_TEST(parts_of_addresses)
{
    ck_assert_str_eq(cloud_json_escape("a-b.c_d~9", arena), "a-b.c_d~9");
    ck_assert_str_eq(cloud_json_escape("a/b?c&d=\xc3\xa4 ", arena), "a%2Fb%3Fc%26d%3D%C3%A4%20");
}
END_TEST

START_TEST(only_a_private_address_may_be_sent_a_token)
{
    const char *url = NULL;
    struct error err = {0};
    ck_assert_int_eq(cloud_json_base("FRAISEQL_TEST_BASE", "https://x/y//", arena, &url, &err), 0);
    ck_assert_str_eq(url, "https://x/y");
    (void)setenv("FRAISEQL_TEST_BASE", "http://127.0.0.1:1/", 1);
    ck_assert_int_eq(cloud_json_base("FRAISEQL_TEST_BASE", "https://x", arena, &url, &err), 0);
    ck_assert_str_eq(url, "http://127.0.0.1:1");
    (void)setenv("FRAISEQL_TEST_BASE", "http://example.com/", 1);
    ck_assert_int_eq(cloud_json_base("FRAISEQL_TEST_BASE", "https://x", arena, &url, &err), ERR_CONFIG);
}
END_TEST

static Suite *cloud_json_suite(void)
{
    Suite *suite = suite_create("cloud_json");
    TCase *tcase = tcase_create("cloud_json");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, parts_of_addresses);
    tcase_add_test(tcase, only_a_private_address_may_be_sent_a_token);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(cloud_json_suite)
