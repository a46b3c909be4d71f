#include "lib/core/json_pull.h"

#include "tests/support/support.h"

static struct arena *arena;

static void open_arena(void)
{
    arena = arena_new(0);
}

static void close_arena(void)
{
    arena_free(arena);
}

static struct json_pull pull_of(const char *text)
{
    return json_pull_from(str_from(text));
}

START_TEST(an_object_is_read_member_by_member)
{
    struct json_pull pull =
        pull_of(" { \"a\" : 1 , \"skip\": {\"x\":[1,{\"y\":\"}\"}]}, \"b\":\"t\\u00e9xt\", \"c\":[true,\n"
                "false], \"d\":-2.5e1, \"e\":null } ");
    struct str key, text;
    int64_t number = 0;
    double real = 0;
    bool flags[2] = {0};
    unsigned members = 0;
    ck_assert(json_pull_object(&pull));
    while (json_pull_member(&pull, &key)) {
        members++;
        switch (key.ptr[0]) {
        case 'a':
            ck_assert(json_pull_i64(&pull, &number) && number == 1);
            break;
        case 'b':
            ck_assert(json_pull_text(&pull, arena, &text));
            ck_assert(str_equal(text, STR("t\xc3\xa9xt")));
            break;
        case 'c':
            ck_assert(json_pull_array(&pull));
            for (size_t i = 0; json_pull_element(&pull); i++)
                ck_assert(i < 2 && json_pull_bool(&pull, &flags[i]));
            ck_assert(flags[0] && !flags[1]);
            break;
        case 'd':
            ck_assert(json_pull_f64(&pull, &real) && real > -25.1 && real < -24.9);
            break;
        default:
            json_pull_skip(&pull);
        }
    }
    ck_assert_uint_eq(members, 6);
    ck_assert(json_pull_finish(&pull));
}
END_TEST

START_TEST(values_of_other_kinds_are_skipped)
{
    static const char *const values[] = {"{\"a\":1}", "[1]", "\"t\"", "1.5", "true", "null"};
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        struct json_pull pull;
        struct str text;
        int64_t number;
        double real;
        bool flag;
        pull = pull_of(values[i]);
        ck_assert(json_pull_text(&pull, arena, &text) == (i == 2) && json_pull_finish(&pull));
        pull = pull_of(values[i]);
        ck_assert(!json_pull_i64(&pull, &number) && json_pull_finish(&pull));
        pull = pull_of(values[i]);
        ck_assert(json_pull_f64(&pull, &real) == (i == 3) && json_pull_finish(&pull));
        pull = pull_of(values[i]);
        ck_assert(json_pull_bool(&pull, &flag) == (i == 4) && json_pull_finish(&pull));
        pull = pull_of(values[i]);
        struct str raw = json_pull_raw(&pull);
        ck_assert(str_equal_text(raw, values[i]) && json_pull_finish(&pull));
    }
}
END_TEST

START_TEST(escapes_of_texts)
{
    static const struct {
        const char *json, *text; /* text NULL: damage */
    } cases[] = {
        {"\"\"", ""},
        {"\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "a\"\\/\b\f\n\r\t"},
        {"\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80"},
        {"\"\\u0041\\u20AC\"", "A\xe2\x82\xac"},
        {"\"\\ud83d\"", NULL},
        {"\"\\ude00\"", NULL},
        {"\"\\ud83dxx\\ude00\"", NULL},
        {"\"\\u12\"", NULL},
        {"\"\\x\"", NULL},
        {"\"a", NULL},
        {"\"a\\", NULL},
        {"\"a\nb\"", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct json_pull pull = pull_of(cases[i].json);
        struct str text;
        bool read = json_pull_text(&pull, arena, &text) && json_pull_finish(&pull);
        ck_assert_msg(read == (cases[i].text != NULL), "%s", cases[i].json);
        if (read)
            ck_assert_msg(str_equal_text(text, cases[i].text), "%s", cases[i].json);
    }
}
END_TEST

/* Reads everything as a caller would that wants nothing but the top level. */
static bool reads(const char *json)
{
    struct json_pull pull = pull_of(json);
    struct str key;
    if (json_pull_peek(&pull) == '[') {
        (void)json_pull_array(&pull);
        while (json_pull_element(&pull))
            json_pull_skip(&pull);
    } else if (json_pull_object(&pull)) {
        while (json_pull_member(&pull, &key))
            json_pull_skip(&pull);
    }
    return json_pull_finish(&pull);
}

START_TEST(damage_is_found)
{
    static const char *const good[] = {"{}", "[]", "[[],{}]", "{\"a\":{\"b\":[]}}", "[1,2]"};
    static const char *const bad[] = {
        "",
        "{",
        "[",
        "{]",
        "[}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "[1,]",
        "[1 2]",
        "[,1]",
        "{,}",
        "{\"a\" 1}",
        "[}]",
        "{\"a\":[1}}",
        "[1]]",
        "{}x",
        "[tru]",
        "[nul]",
        "{1:2}",
        "[\"a]",
        "{\"a\":1 \"b\":2}",
        "[[1]",
        "[{\"a\":]}]",
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        ck_assert_msg(reads(good[i]), "%s", good[i]);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        ck_assert_msg(!reads(bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(depth_is_bounded)
{
    char text[2 * JSON_PULL_DEPTH + 8];
    for (unsigned depth = JSON_PULL_DEPTH - 1; depth <= JSON_PULL_DEPTH + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        text[2 * (size_t)depth] = '\0';
        ck_assert_int_eq(reads(text), depth <= JSON_PULL_DEPTH);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("json_pull");
    TCase *tests = tcase_create("json_pull");
    tcase_add_checked_fixture(tests, open_arena, close_arena);
    tcase_add_test(tests, an_object_is_read_member_by_member);
    tcase_add_test(tests, values_of_other_kinds_are_skipped);
    tcase_add_test(tests, escapes_of_texts);
    tcase_add_test(tests, damage_is_found);
    tcase_add_test(tests, depth_is_bounded);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
