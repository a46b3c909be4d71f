#include "lib/core/json.h"
#include "tests/support/support.h"

#include <math.h>
#include <stdlib.h>

START_TEST(a_document)
{
    struct buf out = BUF_INIT(4096);
    struct json_writer json;
    json_init(&json, &out);
    json_object_begin(&json);
    json_kv_text(&json, "text", "a\"b");
    json_kv_text(&json, "none", NULL);
    json_kv_str(&json, "str", (struct str){"abc", 2});
    json_kv_i64(&json, "i", INT64_MIN);
    json_kv_u64(&json, "u", UINT64_MAX);
    json_kv_f64(&json, "f", 0.1);
    json_kv_bool(&json, "b", true);
    json_key(&json, "list");
    json_array_begin(&json);
    json_i64(&json, 1);
    json_null(&json);
    json_object_begin(&json);
    json_object_end(&json);
    json_array_begin(&json);
    json_array_end(&json);
    json_raw(&json, STR("{\"x\":1}"));
    json_array_end(&json);
    json_key(&json, "time");
    json_time(&json, INT64_C(1764000000123) * NS_PER_MS);
    json_key(&json, "never");
    json_time(&json, 0);
    json_object_end(&json);
    ck_assert_str_eq(buf_text(&out),
                     "{\"text\":\"a\\\"b\",\"none\":null,\"str\":\"ab\",\"i\":-9223372036854775808,"
                     "\"u\":18446744073709551615,\"f\":0.1,\"b\":true,\"list\":[1,null,{},[],{\"x\":1}],"
                     "\"time\":\"2025-11-24T16:00:00.123Z\",\"never\":null}");
    buf_deinit(&out);
}
END_TEST

static void assert_string(struct str value, const char *expected)
{
    struct buf out = BUF_INIT(4096);
    struct json_writer json;
    json_init(&json, &out);
    json_str(&json, value);
    ck_assert_str_eq(buf_text(&out), expected);
    buf_deinit(&out);
}

START_TEST(strings)
{
    assert_string((struct str){NULL, 0}, "\"\"");
    assert_string(STR("\\\"\n\r\t\b\x1F\x7F/"), "\"\\\\\\\"\\n\\r\\t\\u0008\\u001f\x7F/\"");
    assert_string(STR("a\0b"), "\"a\\u0000b\"");
    assert_string(STR("\xC3\xA9\xF0\x9F\x98\x80"), "\"\xC3\xA9\xF0\x9F\x98\x80\"");
    assert_string(STR("a\xFF\xC3z\xE2\x82"), "\"a\xEF\xBF\xBD\xEF\xBF\xBDz\xEF\xBF\xBD\xEF\xBF\xBD\"");
}
END_TEST

static void assert_number(double value, const char *expected)
{
    struct buf out = BUF_INIT(64);
    struct json_writer json;
    json_init(&json, &out);
    json_f64(&json, value);
    ck_assert_str_eq(buf_text(&out), expected);
    buf_deinit(&out);
}

START_TEST(numbers_are_short_and_exact)
{
    assert_number(0, "0");
    assert_number(0.1, "0.1");
    assert_number(38.95, "38.95");
    assert_number(-77.45, "-77.45");
    assert_number(1.0 / 3, "0.3333333333333333");
    assert_number(1e300, "1e+300");
    assert_number(123456789.5, "123456789.5");
    assert_number((double)NAN, "null");
    assert_number(-(double)INFINITY, "null");
    uint64_t state = 1;
    for (int i = 0; i < 20000; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        double value, back;
        memcpy(&value, &state, sizeof value);
        if (!isfinite(value))
            continue;
        struct buf out = BUF_INIT(64);
        struct json_writer json;
        json_init(&json, &out);
        json_f64(&json, value);
        ck_assert(str_to_double(buf_str(&out), &back));
        ck_assert(memcmp(&value, &back, sizeof value) == 0);
        buf_deinit(&out);
    }
}
END_TEST

START_TEST(a_tree_is_written_as_it_was_read)
{
    struct arena *arena = arena_new(0);
    static const char text[] = "{\"a\":[1,2.50,true,null,\"null\",\"7\",\"q\\\"\"],\"b\":{},\"c\":\"\"}";
    struct node *root = NULL;
    struct json_writer json;
    struct buf out = BUF_INIT(4096);
    ck_assert_int_eq(json_parse(arena, STR(text), &root, NULL), 0);
    json_init(&json, &out);
    json_node(&json, root);
    struct node *again = NULL;
    ck_assert_int_eq(json_parse(arena, buf_str(&out), &again, NULL), 0);
    ck_assert_str_eq(buf_text(&out),
                     "{\"a\":[1,2.5,true,null,\"null\",\"7\",\"q\\\"\"],\"b\":{},\"c\":\"\"}");
    buf_reset(&out);
    json_init(&json, &out);
    json_node(&json, NULL);
    ck_assert_str_eq(buf_text(&out), "null");
    buf_deinit(&out);
    arena_free(arena);
}
END_TEST

START_TEST(a_deep_tree_ends)
{
    struct arena *arena = arena_new(0);
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
    json_node(&json, root);
    ck_assert_ptr_nonnull(strstr(buf_text(&out), "null"));
    buf_deinit(&out);
    arena_free(arena);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("json");
    TCase *tests = tcase_create("json");
    tcase_add_test(tests, a_document);
    tcase_add_test(tests, strings);
    tcase_add_test(tests, numbers_are_short_and_exact);
    tcase_add_test(tests, a_tree_is_written_as_it_was_read);
    tcase_add_test(tests, a_deep_tree_ends);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
