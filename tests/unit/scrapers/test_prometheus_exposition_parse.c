#include "scrapers/prometheus/exposition_parse.h"

#include "tests/support/support.h"

#include <stdlib.h>

/* One line an item: "sample name{a=b;...} value", "type name 2", "help name text", "unit name u",
 * "bad LINE reason". */
static char *items_of(enum exposition_format format, struct str page, bool *ret_complete)
{
    struct exposition_parser parser;
    struct exposition_item item;
    struct buf out = BUF_INIT(1 << 20);
    exposition_parser_init(&parser);
    exposition_parser_begin(&parser, format, page);
    while (exposition_next(&parser, &item)) {
        char number[NUMBER_TEXT_MAX];
        switch (item.kind) {
        case EXPOSITION_SAMPLE:
            buf_printf(&out, "sample %.*s{", STR_ARGS(item.name));
            for (size_t i = 0; i < item.label_count; i++)
                buf_printf(&out, "%.*s=%.*s;", STR_ARGS(item.labels[i].name), STR_ARGS(item.labels[i].value));
            buf_printf(&out, "} %.*s\n", (int)(number_write_value(number, item.value) - number), number);
            break;
        case EXPOSITION_TYPE:
            buf_printf(&out, "type %.*s %d\n", STR_ARGS(item.name), (int)item.type);
            break;
        case EXPOSITION_HELP:
            buf_printf(&out, "help %.*s %.*s\n", STR_ARGS(item.name), STR_ARGS(item.text));
            break;
        case EXPOSITION_UNIT:
            buf_printf(&out, "unit %.*s %.*s\n", STR_ARGS(item.name), STR_ARGS(item.text));
            break;
        case EXPOSITION_BAD:
            buf_printf(&out, "bad %zu %s\n", item.line, item.reason);
            break;
        }
    }
    if (ret_complete)
        *ret_complete = exposition_is_complete(&parser);
    exposition_parser_deinit(&parser);
    buf_append_byte(&out, '\0');
    return buf_take(&out);
}

static void expect(enum exposition_format format, const char *page, const char *expected)
{
    bool complete;
    char *items = items_of(format, str_from(page), &complete);
    ck_assert_str_eq(items, expected);
    ck_assert_msg(complete, "the page \"%s\" counts as cut off", page);
    free(items);
}

static void text(const char *page, const char *expected)
{
    expect(EXPOSITION_TEXT, page, expected);
}

static void openmetrics(const char *page, const char *expected)
{
    char *whole = NULL;
    ck_assert_int_gt(asprintf(&whole, "%s# EOF\n", page), 0);
    expect(EXPOSITION_OPENMETRICS, whole, expected);
    free(whole);
}

START_TEST(text_page)
{
    text("# HELP http_requests_total The \\\"total\\\" number.\n# TYPE http_requests_total counter\n"
         "http_requests_total{method=\"post\",code=\"200\"} 1027 1395066363000\n"
         "  # a "
         "comment\n\nmsdos_file_access_time_seconds{path=\"C:\\\\DIR\\\\F.TXT\",error=\"x\\n\\\"y\\\"\"} "
         "1.458255915e9\n"
         "metric_without_timestamp_and_labels 12.47\n",
         "help http_requests_total The \\\"total\\\" number.\ntype http_requests_total 2\n"
         "sample http_requests_total{method=post;code=200;} 1027\n"
         "sample msdos_file_access_time_seconds{path=C:\\DIR\\F.TXT;error=x\n\"y\";} 1458255915\n"
         "sample metric_without_timestamp_and_labels{} 12.47\n");
}
END_TEST

START_TEST(what_a_server_accepts_in_text)
{
    text("a 1", "sample a{} 1\n");                            /* no last LF */
    text("", "");                                             /* empty body */
    text("a\t{ b = \"c\" , }\t1\t5\n", "sample a{b=c;} 1\n"); /* tabs, trailing comma, blanks around = */
    text("a{}1\n", "sample a{} 1\n");
    text("a{b=\"\"} nAn\n", "sample a{b=;} NaN\n");
    text("# HELP a\n#HELP b c\n# EOF\n# TYPE a  gauge \n",
         "help a \ntype a 1\n");                      /* HELP without text; comments */
    text("a{b=\"\\d\"} 1\n", "sample a{b=\\d;} 1\n"); /* undefined escape is kept */
    text("a 1 4102444800000\n", "sample a{} 1\n");
    text("a:b{_c=\"d\"} +Inf\n", "sample a:b{_c=d;} +Inf\n");
}
END_TEST

START_TEST(a_bad_line_costs_itself)
{
    text("ok 1\na 1 1700000000.5\nb 1 -5\nc 0x10\nd{e=\"f\"} 1 # {t=\"u\"} 1\n1x 2\ng{h=i} 1\nj{k=\"l\" 1\n"
         "m{n=\"o\",,p=\"q\"} 1\nr\ns \nt{u=\"v} 1\nw 1 2 3\n# TYPE x info\nfoo-bar 1\nlast 2\n",
         "sample ok{} 1\nbad 2 bad timestamp\nbad 3 bad timestamp\nbad 4 bad value\n"
         "bad 5 an exemplar in text format\nbad 6 no metric name\nbad 7 no quoted label value\n"
         "bad 8 no comma between labels\nbad 9 bad label name\nbad 10 bad value\nbad 11 bad value\n"
         "bad 12 the label value does not end\nbad 13 something after the timestamp\n"
         "bad 14 unknown metric type\nbad 15 bad metric name\nsample last{} 2\n");
}
END_TEST

START_TEST(quoted_names_are_mapped_with_underscores)
{
    text("{\"my.metric\",\"label.x\"=\"v\"} 1\n", "sample my_metric{label_x=v;} 1\n");
    text("{\"\xc3\xa9t\xc3\xa9\"} 2\n", "sample _t_{} 2\n");
    text("{a=\"b\",\"plain\"} 2\n", "sample plain{a=b;} 2\n");
    text("{\"1.a\\\"b\"} 2\n", "sample __a_b{} 2\n");
    text("# TYPE \"my.metric\" gauge\n", "type my_metric 1\n");
    text("{\"a\",\"b\"} 1\nm{\"a\"} 1\n{b=\"c\"} 1\n{\"\"} 1\n{\"\xff\"} 1\n",
         "bad 1 a second metric name in the braces\nbad 2 a second metric name in the braces\n"
         "bad 3 no metric name\nbad 4 bad metric name\nbad 5 bad metric name\n");
}
END_TEST

START_TEST(cr_before_lf_is_ignored)
{
    text("# TYPE a gauge\r\na{b=\"c\"} 1\r\n", "type a 1\nsample a{b=c;} 1\n");
}
END_TEST

START_TEST(openmetrics_page)
{
    openmetrics(
        "# TYPE foo_seconds counter\n# UNIT foo_seconds seconds\n# HELP foo_seconds Some \\\"help\\\"\n"
        "foo_seconds_total{a=\"b\"} 17.0 1520879607.789 # {trace_id=\"KOO5S4vxi0o\",x=\"\\\"\"} 0.67 "
        "1520879606\n"
        "foo_seconds_created{a=\"b\"} 1520430000.123\n# TYPE g gaugehistogram\ng_bucket{le=\"+Inf\"} 4\n"
        "# TYPE s stateset\ns{s=\"on\"} 1\n# TYPE i info\ni_info{v=\"1\"} 1 # {} 1\n",
        "type foo_seconds 2\nunit foo_seconds seconds\nhelp foo_seconds Some \\\"help\\\"\n"
        "sample foo_seconds_total{a=b;} 17\nsample foo_seconds_created{a=b;} 1520430000.123\n"
        "type g 0\nsample g_bucket{le=+Inf;} 4\ntype s 6\nsample s{s=on;} 1\ntype i 5\n"
        "sample i_info{v=1;} 1\n");
}
END_TEST

START_TEST(openmetrics_is_strict_line_by_line)
{
    openmetrics(
        "\n# a comment\na  1\na\t1\na{b=\"c\", d=\"e\"} 1\na{b=\"c\",} 1\n# TYPE u untyped\n"
        "# UNIT foo_seconds bytes\na 1 \na 1 2 3\na 1 # {b=\"c\"}\na 1 # {b=\"c\"} x\na {b=\"c\"} 1\n"
        "a 1 NaN\nok 1\n",
        "bad 1 a blank line\nbad 2 a comment\nbad 3 bad value\nbad 4 bad value\nbad 5 bad label name\n"
        "bad 6 comma before the closing brace\nbad 7 unknown metric type\n"
        "bad 8 the unit is not a suffix of the name\nbad 9 bad timestamp\nbad 10 something after the value\n"
        "bad 11 bad exemplar value\nbad 12 bad exemplar value\nbad 13 bad value\nbad 14 bad timestamp\n"
        "sample ok{} 1\n");
}
END_TEST

START_TEST(a_page_without_eof_is_cut_off)
{
    bool complete;
    free(items_of(EXPOSITION_OPENMETRICS, STR("a 1\nb 2\n"), &complete));
    ck_assert(!complete);
    free(items_of(EXPOSITION_OPENMETRICS, STR("a 1\n# EO"), &complete));
    ck_assert(!complete);
    free(items_of(EXPOSITION_OPENMETRICS, STR("a 1\n# EOF"), &complete));
    ck_assert(complete);
    expect(EXPOSITION_OPENMETRICS, "a 1\n# EOF\nb 2\nc 3\n", "sample a{} 1\nbad 3 data after # EOF\n");
}
END_TEST

START_TEST(limits)
{
    struct buf page = BUF_INIT(8UL << 20);
    buf_append_text(&page, "a{b=\"");
    for (size_t i = 0; i < LIMIT_LINE_BYTES; i++)
        buf_append_byte(&page, 'x');
    buf_append_text(&page, "\"} 1\nc{");
    for (unsigned i = 0; i <= LIMIT_LABELS_PER_SERIES; i++)
        buf_printf(&page, "l%u=\"\",", i);
    buf_append_text(&page, "} 1\nd 1\ne{__name__=\"x\"} 1\n");
    char *items = items_of(EXPOSITION_TEXT, buf_str(&page), NULL);
    ck_assert_str_eq(items, "bad 1 the line is too long\nbad 2 too many labels\nsample d{} 1\n"
                            "bad 4 the label __name__ is reserved\n");
    free(items);
    buf_deinit(&page);
}
END_TEST

START_TEST(help_is_unescaped_by_format)
{
    struct buf out = BUF_INIT(100);
    exposition_unescape_help(EXPOSITION_TEXT, STR("a\\n\\\\n\\\"\\"), &out);
    ck_assert_str_eq(buf_text(&out), "a\n\\n\\\"\\");
    buf_reset(&out);
    exposition_unescape_help(EXPOSITION_OPENMETRICS, STR("\\\"\\x"), &out);
    ck_assert_str_eq(buf_text(&out), "\"\\x");
    buf_deinit(&out);
}
END_TEST

static Suite *parse_suite(void)
{
    Suite *suite = suite_create("exposition_parse");
    TCase *tcase = tcase_create("parse");
    tcase_add_test(tcase, text_page);
    tcase_add_test(tcase, what_a_server_accepts_in_text);
    tcase_add_test(tcase, a_bad_line_costs_itself);
    tcase_add_test(tcase, quoted_names_are_mapped_with_underscores);
    tcase_add_test(tcase, cr_before_lf_is_ignored);
    tcase_add_test(tcase, openmetrics_page);
    tcase_add_test(tcase, openmetrics_is_strict_line_by_line);
    tcase_add_test(tcase, a_page_without_eof_is_cut_off);
    tcase_add_test(tcase, limits);
    tcase_add_test(tcase, help_is_unescaped_by_format);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(parse_suite)
