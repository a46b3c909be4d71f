/* Every configuration of tests/data/deployment/broken.txt, against the exact text of what is found. With
 * BROKEN in the environment the file is printed as it would have to be. */
#include "lib/core/file.h"
#include "provisioner/deployment.h"
#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>

#define FIXTURE TEST_SOURCE_DIR "/tests/data/deployment/broken.txt"

#define BASE "metadata: {name: a}\nregions: {r: {provider: aws, location: us-east-1}}\n"
#define TWO                                                                                                  \
    "metadata: {name: a}\n"                                                                                  \
    "regions:\n"                                                                                             \
    "  us: {provider: aws, location: us-east-1}\n"                                                           \
    "  eu: {provider: gcp, location: europe-west1}\n"                                                        \
    "  ap: {provider: azure, location: southeastasia}\n"

static struct str take_line(struct str *rest)
{
    const char *end = memchr(rest->ptr, '\n', rest->len);
    size_t length = end ? (size_t)(end - rest->ptr) : rest->len;
    struct str line = {rest->ptr, length};
    rest->ptr += length + (end ? 1 : 0);
    rest->len -= length + (end ? 1 : 0);
    return line;
}

static void found_in(struct buf *yaml, struct buf *out)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct findings findings;
    struct deployment *deployment;
    findings_init(&findings, arena);
    int code = deployment_parse(arena, "d.yaml", buf_str(yaml), &deployment, &findings);
    ck_assert_int_eq(code != 0, findings.errors != 0);
    findings_sort(&findings);
    for (size_t i = 0; i < findings.count; i++) {
        const struct finding *finding = &findings.items[i];
        buf_printf(out, "%u:%u %s %s: %s\n", finding->line, finding->column,
                   finding->contradiction            ? "contradiction"
                   : finding->severity == DIAG_ERROR ? "error"
                                                     : "warning",
                   finding->rule, finding->message);
        if (finding->hint)
            buf_printf(out, "  %s\n", finding->hint);
    }
}

/* The cases, with what is found in place of what was expected. */
static size_t rewrite(struct str rest, struct buf *out)
{
    size_t cases = 0;
    bool skipping = false, open = false;
    struct buf yaml = BUF_INIT(1 << 20);
    while (rest.len) {
        struct str line = take_line(&rest);
        bool heading = str_starts(line, STR("== "));
        if (heading && open) {
            buf_append_text(out, "--\n");
            found_in(&yaml, out);
        }
        if (heading) {
            cases++;
            open = true;
            buf_reset(&yaml);
        }
        skipping = !heading && (skipping || str_equal(line, STR("--")));
        if (skipping)
            continue;
        buf_append_str(out, line);
        buf_append_byte(out, '\n');
        if (open && !heading) {
            bool base = str_equal(line, STR("BASE")), two = str_equal(line, STR("TWO"));
            buf_append_str(&yaml, base ? STR(BASE) : two ? STR(TWO) : line);
            buf_append_text(&yaml, base || two ? "" : "\n");
        }
    }
    buf_append_text(out, "--\n");
    found_in(&yaml, out);
    buf_deinit(&yaml);
    return cases;
}

static void compare(struct str expected, struct str actual)
{
    struct str heading = STR("");
    while (expected.len || actual.len) {
        struct str want = take_line(&expected), have = take_line(&actual);
        if (str_starts(want, STR("== ")))
            heading = want;
        ck_assert_msg(str_equal(want, have), "%.*s\n  want: %.*s\n  have: %.*s", STR_ARGS(heading),
                      STR_ARGS(want), STR_ARGS(have));
    }
}

START_TEST(every_broken_file_is_told_what_is_wrong_in_exactly_these_words)
{
    struct buf expected = BUF_INIT(1 << 20), actual = BUF_INIT(1 << 20);
    struct error err;
    ck_assert_int_eq(file_read(FIXTURE, &expected, &err), 0);
    size_t cases = rewrite(buf_str(&expected), &actual);
    if (getenv("BROKEN"))
        (void)fwrite(actual.data, 1, actual.len, stdout);
    else
        compare(buf_str(&expected), buf_str(&actual));
    ck_assert_uint_ge(cases, 80);
    buf_deinit(&expected);
    buf_deinit(&actual);
}
END_TEST

static Suite *broken_suite(void)
{
    Suite *suite = suite_create("broken");
    TCase *tcase = tcase_create("broken");
    tcase_add_test(tcase, every_broken_file_is_told_what_is_wrong_in_exactly_these_words);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(broken_suite)
