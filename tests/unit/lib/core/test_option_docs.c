#include "tests/support/support.h"
#include "tests/unit/lib/core/option_fixture.h"

#include <stdlib.h>

START_TEST(reference_has_every_section_once)
{
    struct buf out = BUF_INIT(1 << 20);
    option_write_markdown(&fix_section, &out);
    const char *text = buf_text(&out);
    ck_assert_contains(
        text,
        "## the file\n\nAll of it.\n\n| Key | Value | Default | Meaning |\n| --- | --- | --- | --- |\n");
    ck_assert_contains(text, "| `name` | text | `a name` | Name. A change needs a restart. |\n");
    ck_assert_contains(text, "| `mode` | `hold`, `fire`, `resolve` | `hold` | Mode. |\n");
    ck_assert_contains(text, "| `probes` | list of [probes[]](#probes) |  | Probes. |\n");
    ck_assert_contains(text, "| `interval` | duration, from 10ms to 1h |  | Time between \\| two. |\n");
    ck_assert_contains(text, "| any other name | mapping of names to texts |");
    ck_assert_contains(text, "Exactly one of `http`, `tcp` must be given.");
    ck_assert_contains(text, "| `url` | URL | required | Where. |\n");
    ck_assert_contains(text, "| `memory` | size, at least 1KiB | `1GiB` | Memory. |\n");
    const char *first = strstr(text, "## tls\n");
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_null(strstr(first + 1, "## tls\n"));
    buf_deinit(&out);
}
END_TEST

/* Bounds that are what the type can hold anyway, or leave one value, are said as people say them. */
START_TEST(bounds_read_well)
{
    static const struct option options[] = {
        {.name = "version", .type = OPT_INT, .min = 1, .max = 1},
        {.name = "slow", .type = OPT_DURATION, .min = 1, .max = INT64_MAX},
        {.name = "count", .type = OPT_INT, .min = 0, .max = 9},
    };
    static const struct option_section section = {
        .name = "s", .options = options, .option_count = ARRAY_LEN(options)};
    struct buf out = BUF_INIT(1 << 20);
    option_write_markdown(&section, &out);
    const char *text = buf_text(&out);
    ck_assert_contains(text, "| `version` | whole number, exactly 1 |");
    ck_assert_contains(text, "| `slow` | duration, at least 1ns |");
    ck_assert_contains(text, "| `count` | whole number, from 0 to 9 |");
    buf_deinit(&out);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("option_docs");
    TCase *tests = tcase_create("option_docs");
    tcase_add_test(tests, reference_has_every_section_once);
    tcase_add_test(tests, bounds_read_well);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
