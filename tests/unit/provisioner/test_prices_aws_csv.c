#include "provisioner/prices/aws_csv.h"

#include "tests/support/support.h"

#include <stdlib.h>

#define HEAD                                                                                                 \
    "\"FormatVersion\",\"v1.0\"\n\"Disclaimer\",\"of \"\"no\"\" use, at all\"\n"                             \
    "\"Publication Date\",\"2026-11-20T17:00:00Z\"\n\"Version\",\"2026\"\n\"OfferCode\",\"AmazonEC2\"\n"
#define NAMES                                                                                                \
    "\"SKU\",\"TermType\",\"StartingRange\",\"Unit\",\"PricePerUnit\",\"Currency\",\"Product "               \
    "Family\",\"usageType\","                                                                                \
    "\"Instance Type\",\"Comment\"\n"

static int on_row(void *ctx, const struct str fields[AWS_COLUMNS], struct error *err)
{
    (void)err;
    buf_printf(ctx, "%.*s/%.*s/%.*s/%.*s|", STR_ARGS(fields[AWS_TERM_TYPE]), STR_ARGS(fields[AWS_PRICE]),
               STR_ARGS(fields[AWS_INSTANCE_TYPE]), STR_ARGS(fields[AWS_TENANCY]));
    return 0;
}

static int run(const char *text, size_t step, struct buf *rows, struct aws_csv *csv, struct error *err)
{
    struct str bytes = str_from(text);
    int code = 0;
    buf_reset(rows);
    aws_csv_init(csv, "AmazonEC2", on_row, rows);
    while (bytes.len && !code) {
        size_t length = step < bytes.len ? step : bytes.len;
        char *piece = malloc(length); /* so that a sanitizer sees what is kept too long */
        memcpy(piece, bytes.ptr, length);
        code = aws_csv_feed(csv, (struct str){piece, length}, err);
        free(piece);
        bytes.ptr += length;
        bytes.len -= length;
    }
    if (!code)
        code = aws_csv_end(csv, err);
    aws_csv_deinit(csv);
    return code;
}

static void check_reads(const char *text, const char *expected)
{
    struct buf rows = BUF_INIT(65536);
    for (size_t step = 1; step < 500; step = step * 2 + 1) {
        struct aws_csv csv;
        struct error err = {0};
        ck_assert_msg(run(text, step, &rows, &csv, &err) == 0, "%s", err.message);
        ck_assert_str_eq(buf_text(&rows), expected);
        ck_assert_str_eq(csv.published, "2026-11-20");
    }
    buf_deinit(&rows);
}

START_TEST(rows_by_name)
{
    check_reads(HEAD NAMES
                "\"S\",\"OnDemand\",\"0\",\"Hrs\",\"0.1\",\"USD\",\"F\",\"U\",\"t3.large\",\"a, \"\"b\"\"\"\n"
                "S,Reserved,,Hrs,2,USD,,,,\n",
                "OnDemand/0.1/t3.large/|Reserved/2//|");
    check_reads(HEAD NAMES "\"S\",\"A\",\"0\",\"Hrs\",\"0.1\",\"USD\",\"F\",\"U\",\"x\",\"two\nlines\"\r\n"
                           "\"S\",\"B\",\"0\",\"Hrs\",\"3\",\"USD\",\"F\",\"U\",\"y\",\"\"",
                "A/0.1/x/|B/3/y/|");
    check_reads(HEAD "\"Tenancy\",\"termtype\",\"Starting Range\",\"unit\",\"Price Per Unit\",\"currency\","
                     "\"ProductFamily\",\"Usage Type\"\n\"Shared\",\"T\",\"\",\"\",\"1\",\"\",\"\",\"\"\n",
                "T/1//Shared|");
}
END_TEST

static void check_refused(const char *text, int code, const char *message)
{
    struct buf rows = BUF_INIT(65536);
    struct aws_csv csv;
    struct error err = {0};
    ck_assert_int_eq(run(text, 7, &rows, &csv, &err), code);
    ck_assert_contains(err.message, message);
    buf_deinit(&rows);
}

START_TEST(other_files_are_refused)
{
    check_refused("", ERR_PARSE, "no prices");
    check_refused("<html>\n", ERR_PARSE, "line 1 is not the FormatVersion");
    check_refused("\"FormatVersion\",\"v2.0\"\n", ERR_PARSE, "line 1");
    check_refused("\"FormatVersion\",\"v1.0\"\n1\n2\n3\n\"OfferCode\",\"AmazonRDS\"\n", ERR_PARSE,
                  "line 5 names another service");
    check_refused("\"FormatVersion\",\"v1.0\"\n\"Publication Date\",\"2026\"\n", ERR_PARSE,
                  "publication date");
    check_refused("\"FormatVersion\",\"v1.0\"\n1\n2\n3\n\"OfferCode\",\"AmazonEC2\"\n" NAMES, ERR_PARSE,
                  "publication date");
    check_refused(HEAD "\"SKU\",\"TermType\"\n", ERR_PARSE, "no column startingrange");
    check_refused(HEAD NAMES, ERR_PARSE, "no prices");
}
END_TEST

START_TEST(cut_and_broken_lines_are_refused)
{
    check_refused(HEAD NAMES "\"S\",\"OnDemand\",\"0\"\n", ERR_PARSE, "line 7 has 3 fields, not 10");
    check_refused(HEAD NAMES "a,b,c,d,e,f,g,h,i,j,k\n", ERR_PARSE, "line 7 has 11 fields, not 10");
    check_refused(HEAD NAMES "a,b,c,d,e,f,g,h,i,j\n\"S\",\"OnDemand\",\"0\"", ERR_PARSE,
                  "line 8 has 3 fields");
    check_refused(HEAD NAMES "a,b,c,d,e,f,g,h,i,j\n\"S\",\"OnDem", ERR_PARSE, "ends within quotes");
    check_refused(HEAD "\"SKU", ERR_PARSE, "ends within quotes");
}
END_TEST

START_TEST(a_line_without_an_end_is_refused)
{
    struct buf text = BUF_INIT(1024UL * 1024), rows = BUF_INIT(65536);
    struct aws_csv csv;
    struct error err = {0};
    buf_append_text(&text, HEAD NAMES "\"");
    while (text.len < AWS_CSV_MAX_LINE + 4096)
        buf_append_text(&text, "on and on\n");
    ck_assert_int_eq(run(buf_text(&text), 4096, &rows, &csv, &err), ERR_LIMIT);
    buf_deinit(&text);
    buf_deinit(&rows);
}
END_TEST

static Suite *aws_csv_suite(void)
{
    Suite *suite = suite_create("prices_aws_csv");
    TCase *tcase = tcase_create("aws_csv");
    tcase_add_test(tcase, rows_by_name);
    tcase_add_test(tcase, other_files_are_refused);
    tcase_add_test(tcase, cut_and_broken_lines_are_refused);
    tcase_add_test(tcase, a_line_without_an_end_is_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(aws_csv_suite)
