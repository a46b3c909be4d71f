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

START_TEST(a_tree_is_written_as_it_was_read)
{
    static const char text[] = "{\"a\":[1,2.50,true,null,\"null\",\"7\",\"q\\\"\"],\"b\":{},\"c\":\"\"}";
    struct node *root = NULL;
    struct json_writer json;
    struct buf out = BUF_INIT(4096);
    ck_assert_int_eq(json_parse(arena, STR(text), &root, NULL), 0);
    json_init(&json, &out);
    cloud_json_write(&json, root);
    struct node *again = NULL;
    ck_assert_int_eq(json_parse(arena, buf_str(&out), &again, NULL), 0);
    ck_assert_str_eq(buf_text(&out),
                     "{\"a\":[1,2.5,true,null,\"null\",\"7\",\"q\\\"\"],\"b\":{},\"c\":\"\"}");
    buf_reset(&out);
    json_init(&json, &out);
    cloud_json_write(&json, NULL);
    ck_assert_str_eq(buf_text(&out), "null");
    buf_deinit(&out);
}
END_TEST

START_TEST(a_deep_tree_ends)
{
    struct node *root = NULL;
    struct json_writer json;
    struct buf out = BUF_INIT(4096);
    char text[81];
    for (size_t i = 0; i < 40; i++) {
        text[i] = '[';
        text[40 + i] = ']';
    }
    text[80] = '\0';
    ck_assert_int_eq(json_parse(arena, str_from(text), &root, NULL), 0);
    json_init(&json, &out);
    cloud_json_write(&json, root);
    ck_assert_ptr_nonnull(strstr(buf_text(&out), "null"));
    buf_deinit(&out);
}
END_TEST

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
    tcase_add_test(tcase, a_tree_is_written_as_it_was_read);
    tcase_add_test(tcase, a_deep_tree_ends);
    tcase_add_test(tcase, parts_of_addresses);
    tcase_add_test(tcase, only_a_private_address_may_be_sent_a_token);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(cloud_json_suite)
