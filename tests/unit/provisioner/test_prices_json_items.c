#include "provisioner/prices/json_items.h"

#include "tests/support/support.h"

struct seen {
    struct buf texts;
    int answer;
};

static int on_item(void *ctx, const struct node *item, struct error *err)
{
    struct seen *seen = ctx;
    for (size_t i = 0; i < item->count; i++) {
        const struct node *value = item->pairs[i].value;
        buf_printf(&seen->texts, "%s=%.*s;", item->pairs[i].key.ptr, STR_ARGS(value->scalar));
    }
    buf_append_byte(&seen->texts, '|');
    return seen->answer ? error_set(err, seen->answer, "not this one") : 0;
}

/* Feeds in pieces of `step` bytes; the rest's "next" goes to ret_next. */
static int run(const char *text, size_t step, struct seen *seen, char ret_next[64], struct error *err)
{
    struct json_items items;
    struct str bytes = str_from(text);
    const struct node *around = NULL;
    int code = 0;
    buf_reset(&seen->texts);
    json_items_init(&items, "rows", on_item, seen);
    while (bytes.len && !code) {
        size_t length = step < bytes.len ? step : bytes.len;
        code = json_items_feed(&items, (struct str){bytes.ptr, length}, err);
        bytes.ptr += length;
        bytes.len -= length;
    }
    if (!code)
        code = json_items_end(&items, &around, err);
    if (!code)
        (void)snprintf(ret_next, 64, "%s", node_text(around, "next").ptr);
    json_items_deinit(&items);
    return code;
}

static void check_reads(const char *text, const char *expected, const char *next)
{
    struct seen seen = {.texts = BUF_INIT(65536)};
    for (size_t step = 1; step < 12; step++) {
        struct error err = {0};
        char found[64];
        ck_assert_msg(run(text, step, &seen, found, &err) == 0, "%s: %s", text, err.message);
        ck_assert_str_eq(buf_text(&seen.texts), expected);
        ck_assert_str_eq(found, next);
    }
    buf_deinit(&seen.texts);
}

START_TEST(objects_one_by_one)
{
    check_reads("{\"rows\": [{\"a\": 1}, {\"a\": \"x,]}\\\"\", \"b\": true}], \"next\": \"n\"}",
                "a=1;|a=x,]}\";b=true;|", "n");
    check_reads("{\"next\":\"\",\"rows\":[]}", "", "");
    check_reads(" {\"next\":\"rows\" ,\n\"rows\" : [ {\"rows\": \"y\"} ]\n}\n", "rows=y;|", "rows");
    check_reads("{\"other\":[{\"rows\":[1]}],\"rows\":[{}]}", "|", "");
    check_reads("{\"Count\":100,\"rows\":[{\"a\":null}],\"next\":null}", "a=null;|", "");
}
END_TEST

START_TEST(numbers_keep_their_digits)
{
    check_reads("{\"rows\":[{\"a\":0.0416,\"b\":-1.50E-07},{\"a\":100000000000000000000.10}]}",
                "a=0.0416;b=-1.50E-07;|a=100000000000000000000.10;|", "");
}
END_TEST

START_TEST(malformed_is_refused)
{
    static const char *const texts[] = {"",
                                        "{",
                                        "[]",
                                        "{}",
                                        "{\"rows\":[{\"a\":1}",
                                        "{\"rows\":[{\"a\":1]}",
                                        "{\"rows\":[{\"a\":1}},",
                                        "{\"rows\":[1]}",
                                        "{\"rows\":[\"x\"]}",
                                        "{\"rows\":[[]]}",
                                        "{\"rows\":[{},]}",
                                        "{\"rows\":[,{}]}",
                                        "{\"rows\":[{} {}]}",
                                        "{\"rows\":[{},,{}]}",
                                        "{\"rows\":[{}],\"rows\":[{}]}",
                                        "{\"rows\":{}}",
                                        "{\"rows\":[{}]}}",
                                        "{\"rows\":[{}]} x",
                                        "{\"rows\":[{\"a\"}]}",
                                        "{\"rows\":[{\"a\":tru}]}",
                                        "{\"rows\":[{\"a\":1 2}]}",
                                        "{\"rows\":[{\"a\":1,\"a\":2}]}",
                                        "{\"rows\":[{\"a\":\"x"};
    struct seen seen = {.texts = BUF_INIT(65536)};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct error err = {0};
        char next[64];
        ck_assert_msg(run(texts[i], 3, &seen, next, &err) == ERR_PARSE, "%s", texts[i]);
        ck_assert(err.message[0] != '\0');
    }
    buf_deinit(&seen.texts);
}
END_TEST

START_TEST(the_reader_may_refuse)
{
    struct seen seen = {.texts = BUF_INIT(65536), .answer = ERR_LIMIT};
    struct error err = {0};
    char next[64];
    ck_assert_int_eq(run("{\"rows\":[{},{}]}", 100, &seen, next, &err), ERR_LIMIT);
    ck_assert_str_eq(err.message, "rows 1: not this one");
    ck_assert_str_eq(buf_text(&seen.texts), "|");
    buf_deinit(&seen.texts);
}
END_TEST

START_TEST(a_huge_object_is_refused)
{
    struct seen seen = {.texts = BUF_INIT(65536)};
    struct json_items items;
    struct error err = {0};
    static char bytes[65536];
    int code;
    memset(bytes, 'x', sizeof bytes);
    json_items_init(&items, "rows", on_item, &seen);
    code = json_items_feed(&items, STR("{\"rows\":[{\"a\":\""), &err);
    for (size_t i = 0; i <= JSON_ITEM_MAX_BYTES / sizeof bytes && !code; i++)
        code = json_items_feed(&items, (struct str){bytes, sizeof bytes}, &err);
    ck_assert_int_eq(code, ERR_LIMIT);
    json_items_deinit(&items);
}
END_TEST

static Suite *json_items_suite(void)
{
    Suite *suite = suite_create("prices_json_items");
    TCase *tcase = tcase_create("json_items");
    tcase_add_test(tcase, objects_one_by_one);
    tcase_add_test(tcase, numbers_keep_their_digits);
    tcase_add_test(tcase, malformed_is_refused);
    tcase_add_test(tcase, the_reader_may_refuse);
    tcase_add_test(tcase, a_huge_object_is_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(json_items_suite)
