#include "scrapers/prometheus/relabel.h"

#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>

static const struct option holder_options[] = {
    {.name = "relabel", .type = OPT_SECTION_LIST, .offset = 0, .section = &relabel_section, .help = "Rules."},
};
static const struct option_section holder = {.name = "test",
                                             .help = "Rules.",
                                             .size = sizeof(struct section_list),
                                             .options = holder_options,
                                             .option_count = ARRAY_LEN(holder_options)};

static struct arena *arena;
static struct section_list rules;

static void open_all(void)
{
    arena = arena_new(0);
}

static void close_all(void)
{
    arena_free(arena);
}

/* What diag says, malloc'd. */
static char *parse(const char *yaml)
{
    struct diag diag;
    struct node *root = NULL;
    diag_init(&diag);
    rules = (struct section_list){0};
    char text[2048];
    (void)snprintf(text, sizeof text, "{ relabel: [%s] }", yaml);
    if (yaml_parse(arena, "test.yaml", str_from(text), &root, &diag) == 0)
        (void)!option_parse(&holder, root, arena, &rules, &diag);
    char *said = test_diag_text(&diag);
    diag_deinit(&diag);
    return said;
}

static struct relabel *make(const char *yaml)
{
    struct relabel *relabel = NULL;
    struct error err = {0};
    char *said = parse(yaml);
    ck_assert_str_eq(said, "");
    free(said);
    ck_assert_int_eq(relabel_new(&rules, &relabel, &err), 0);
    return relabel;
}

/* The canonical labels of shop_orders{region="eu",code="200",tmp="x"} after the rules; "-": left out. */
static void check(const char *yaml, const char *expected)
{
    struct relabel *relabel = make(yaml);
    struct label labels[LIMIT_LABELS_PER_SERIES] = {LABEL("region", STR("eu")), LABEL("code", STR("200")),
                                                    LABEL("tmp", STR("x"))};
    struct buf text = BUF_INIT(4096);
    for (int again = 0; again < 2; again++) { /* what the first call made is not in the way of the second */
        struct label copy[LIMIT_LABELS_PER_SERIES];
        size_t count = 3;
        memcpy(copy, labels, sizeof copy);
        buf_reset(&text);
        if (relabel_apply(relabel, STR("shop_orders"), copy, &count) == RELABEL_LEAVE_OUT)
            buf_append_text(&text, "-");
        else
            ck_assert_int_eq(labels_render(copy, &count, &text), 0);
        ck_assert_msg(strcmp(buf_text(&text), expected) == 0, "%s: %s, not %s", yaml, buf_text(&text),
                      expected);
    }
    buf_deinit(&text);
    relabel_free(relabel);
}

START_TEST(replaces)
{
    check("{ target_label: a, replacement: b }", "a=\"b\",code=\"200\",region=\"eu\",tmp=\"x\"");
    check("{ source_labels: [region, code], target_label: a }",
          "a=\"eu;200\",code=\"200\",region=\"eu\",tmp=\"x\"");
    check("{ source_labels: [code], regex: '(.)..', target_label: class, replacement: '${1}xx' }",
          "class=\"2xx\",code=\"200\",region=\"eu\",tmp=\"x\"");
    check("{ source_labels: [code], regex: '5..', target_label: code, replacement: bad }",
          "code=\"200\",region=\"eu\",tmp=\"x\"");
    check("{ source_labels: [nobody], target_label: region }", "code=\"200\",tmp=\"x\"");
    check("{ target_label: tmp, replacement: '' }", "code=\"200\",region=\"eu\"");
    check("{ source_labels: [__name__], regex: '([a-z]+)_.*', target_label: app }",
          "app=\"shop\",code=\"200\",region=\"eu\",tmp=\"x\"");
    check("{ source_labels: [region], target_label: 'in_$1', replacement: 'yes' }",
          "code=\"200\",in_eu=\"yes\",region=\"eu\",tmp=\"x\"");
    check("{ source_labels: [code], target_label: '$1', replacement: 'never' }", /* "200" names no label */
          "code=\"200\",region=\"eu\",tmp=\"x\"");
}
END_TEST

START_TEST(keeps_and_drops)
{
    check("{ source_labels: [code], regex: '2..', action: keep }", "code=\"200\",region=\"eu\",tmp=\"x\"");
    check("{ source_labels: [code], regex: '2', action: keep }", "-");
    check("{ source_labels: [__name__, code], regex: 'shop_.*;200', action: drop }", "-");
    check("{ source_labels: [code], target_label: region, action: keepequal }", "-");
    check("{ source_labels: [code], target_label: region, action: dropequal }",
          "code=\"200\",region=\"eu\",tmp=\"x\"");
    check("{ source_labels: [code], target_label: code, action: dropequal }", "-");
}
END_TEST

START_TEST(works_on_names)
{
    check("{ regex: tmp, action: labeldrop }", "code=\"200\",region=\"eu\"");
    check("{ regex: 'code|region', action: labelkeep }", "code=\"200\",region=\"eu\"");
    check("{ regex: '(c.*)', replacement: 'http_$1', action: labelmap }",
          "code=\"200\",http_code=\"200\",region=\"eu\",tmp=\"x\"");
    check("{ source_labels: [region], target_label: region, action: uppercase }",
          "code=\"200\",region=\"EU\",tmp=\"x\"");
}
END_TEST

START_TEST(goes_in_order_and_forgets_what_is_temporary)
{
    check("{ source_labels: [region], target_label: __tmp },"
          "{ regex: region, action: labeldrop },"
          "{ source_labels: [__tmp], target_label: where }",
          "code=\"200\",tmp=\"x\",where=\"eu\"");
    check("{ source_labels: [code], regex: '4..', action: drop }, { regex: 'code|tmp', action: labeldrop }",
          "region=\"eu\"");
}
END_TEST

START_TEST(more_labels_than_there_is_room_for)
{
    struct relabel *relabel = make("{ target_label: one_more, replacement: x }");
    struct label labels[LIMIT_LABELS_PER_SERIES];
    char names[LIMIT_LABELS_PER_SERIES][8];
    size_t count = LIMIT_LABELS_PER_SERIES;
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(names[i], sizeof names[i], "l%zu", i);
        labels[i] = (struct label){str_from(names[i]), STR("v")};
    }
    ck_assert_int_eq(relabel_apply(relabel, STR("m"), labels, &count), RELABEL_TOO_MANY_LABELS);
    relabel_free(relabel);
    ck_assert_int_eq(relabel_new(&(struct section_list){0}, &relabel, NULL), 0);
    ck_assert_ptr_null(relabel);
}
END_TEST

START_TEST(refusals)
{
    static const struct {
        const char *yaml, *message;
    } cases[] = {
        {"{ source_labels: [a] }", "action replace needs target_label"},
        {"{ target_label: a-b }", "\"a-b\" is no name of a label"},
        {"{ target_label: __name__ }", "a metric keeps its name"},
        {"{ source_labels: [a], regex: '(', target_label: b }", "missing closing parenthesis"},
        {"{ action: hashmod, source_labels: [a], target_label: b }", "hashmod"},
        {"{ action: keep }", "action keep needs source_labels"},
        {"{ action: labeldrop, source_labels: [a] }", "takes no source_labels"},
        {"{ action: drop, source_labels: [a], target_label: b }", "action drop writes no target_label"},
        {"{ sourcelabels: [a], target_label: b }", "did you mean \"source_labels\"?"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *said = parse(cases[i].yaml);
        ck_assert_contains(said, cases[i].message);
        free(said);
    }
}
END_TEST

static Suite *relabel_suite(void)
{
    Suite *suite = suite_create("relabel");
    TCase *tests = tcase_create("relabel");
    tcase_add_checked_fixture(tests, open_all, close_all);
    tcase_add_test(tests, replaces);
    tcase_add_test(tests, keeps_and_drops);
    tcase_add_test(tests, works_on_names);
    tcase_add_test(tests, goes_in_order_and_forgets_what_is_temporary);
    tcase_add_test(tests, more_labels_than_there_is_room_for);
    tcase_add_test(tests, refusals);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(relabel_suite)
