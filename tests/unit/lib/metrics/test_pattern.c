#include "lib/metrics/pattern.h"

#include "tests/support/support.h"

static struct pattern *compile(const char *text)
{
    struct pattern *pattern = NULL;
    struct error err;
    ck_assert_msg(pattern_new(str_from(text), &pattern, &err) == 0, "%s: %s", text, err.message);
    return pattern;
}

START_TEST(is_anchored)
{
    struct pattern *pattern = compile("b|c");
    bool failed = true;
    ck_assert(pattern_matches(pattern, STR("c"), &failed));
    ck_assert(!failed);
    ck_assert(!pattern_matches(pattern, STR("cc"), NULL));
    ck_assert(!pattern_matches(pattern, STR(""), NULL));
    pattern_free(pattern);
}
END_TEST

/* What Go's regexp.Expand gives. */
START_TEST(expands_as_go_does)
{
    static const struct {
        const char *pattern, *value, *template, *expected;
    } cases[] = {
        {"(.*)", "tea", "$1", "tea"},
        {"(.*)", "", "$1", ""},
        {"(.*)-(.*)", "a-b", "$2-$1", "b-a"},
        {"(.*)-(.*)", "a-b", "${1}x$$", "ax$"},
        {"(.*)-(.*)", "a-b", "$1x", ""}, /* the group called 1x */
        {"(?P<first>.*)-(.*)", "a-b", "${first}+$first+$0", "a+a+a-b"},
        {"(a)|(b)", "a", "[$2$1]", "[a]"},
        {"(a)|(b)", "b", "[$1$2]", "[b]"},
        {"(.*)", "tea", "$9$nobody", ""},
        {"(.*)", "tea", "5 $ and ${1", "5 $ and ${1"},
        {"(.*)", "tea", "", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct pattern *pattern = compile(cases[i].pattern);
        struct pattern_groups *groups = pattern_groups_new(pattern);
        struct buf out = BUF_INIT(4096);
        ck_assert(pattern_find(pattern, str_from(cases[i].value), groups));
        pattern_expand(pattern, groups, str_from(cases[i].value), str_from(cases[i].template), &out);
        ck_assert_str_eq(buf_text(&out), cases[i].expected);
        buf_deinit(&out);
        pattern_groups_free(groups);
        pattern_free(pattern);
    }
}
END_TEST

START_TEST(refuses_with_the_place)
{
    struct pattern *pattern = NULL;
    struct error err = {0};
    ck_assert_int_eq(pattern_new(STR("a("), &pattern, &err), ERR_PARSE);
    ck_assert_contains(err.message, "regular expression \"a(\": missing closing parenthesis at character 3");
    char text[5000];
    memset(text, 'a', sizeof text);
    ck_assert_int_eq(pattern_new((struct str){text, sizeof text}, &pattern, &err), ERR_LIMIT);
}
END_TEST

START_TEST(a_hostile_one_costs_little)
{
    struct pattern *pattern = compile("(a|aa)+b");
    bool failed = false;
    ck_assert(!pattern_matches(pattern, STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaacb"),
                               &failed));
    ck_assert(failed);
    pattern_free(pattern);
}
END_TEST

static Suite *pattern_suite(void)
{
    Suite *suite = suite_create("pattern");
    TCase *tests = tcase_create("pattern");
    tcase_add_test(tests, is_anchored);
    tcase_add_test(tests, expands_as_go_does);
    tcase_add_test(tests, refuses_with_the_place);
    tcase_add_test(tests, a_hostile_one_costs_little);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(pattern_suite)
