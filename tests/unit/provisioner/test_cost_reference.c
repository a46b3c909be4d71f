/* Reference cases: an estimate lies within 5 % of what sources say that its prices do not come from. A case
 * for which none was found is named on standard output and does not count. */
#include "lib/core/file.h"
#include "provisioner/catalog/csv.h"
#include "provisioner/cost/cost.h"
#include "tests/support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define TOLERANCE 0.05

enum {
    PROVIDER,
    LOCATION,
    MACHINE,
    INSTANCES,
    DATABASE,
    AVAILABLE,
    STORAGE,
    COMPONENT,
    LABEL,
    AMOUNT,
    PUBLISHER,
    SOURCE,
    FIELDS
};

static unsigned cases_of[3], skipped;

static double estimate_case(struct arena *arena, const struct str *fields)
{
    struct findings findings;
    struct deployment *deployment = NULL;
    struct cost_usage usage;
    struct cost_estimate estimate;
    const char *key = str_equal_text(fields[PROVIDER], "aws")   ? "size"
                      : str_equal_text(fields[PROVIDER], "gcp") ? "tier"
                                                                : "sku";
    char *text = arena_printf(
        arena,
        "metadata: { name: shop }\nregions:\n  one: { provider: %.*s, location: %.*s, instance_type: %.*s, "
        "instances: %.*s, database: { %s: %.*s, high-availability: %s, storage: %.*sGB } }\n",
        STR_ARGS(fields[PROVIDER]), STR_ARGS(fields[LOCATION]), STR_ARGS(fields[MACHINE]),
        STR_ARGS(fields[INSTANCES]), key, STR_ARGS(fields[DATABASE]),
        str_equal_text(fields[AVAILABLE], "1") ? "true" : "false", STR_ARGS(fields[STORAGE]));
    findings_init(&findings, arena);
    int code = deployment_parse(arena, "case", str_from(text), &deployment, &findings);
    ck_assert_msg(code == 0, "%s: %s", text, findings.count ? findings.items[0].message : "");
    cost_usage_defaults(&usage);
    ck_assert_int_eq(cost_estimate(deployment, &usage, arena, &estimate, NULL), 0);
    int64_t sum = 0;
    for (size_t i = 0; i < estimate.regions[0].count; i++) {
        const struct cost_item *item = &estimate.regions[0].items[i];
        if (!str_equal_text(fields[COMPONENT], item->component) ||
            (fields[LABEL].len && !str_equal_text(fields[LABEL], item->label)))
            continue;
        ck_assert_msg(item->price != NULL, "%s of %s is unknown", item->description, text);
        const char *source = item->price->source;
        ck_assert_msg(!memmem(source, strlen(source), fields[PUBLISHER].ptr, fields[PUBLISHER].len),
                      "%.*s is no independent source of %s: %s", STR_ARGS(fields[PUBLISHER]),
                      item->description, source);
        sum += item->monthly_nano_usd;
    }
    return (double)sum / (double)NANO_USD;
}

static void check_case(void *ctx, const struct str *fields, size_t count)
{
    static const char *const clouds[] = {"aws", "gcp", "azure"};
    ck_assert_uint_eq(count, FIELDS);
    if (str_equal_text(fields[AMOUNT], "-")) {
        skipped++;
        printf("skipped: %.*s %.*s %.*s %.*s, %.*s: %.*s\n", STR_ARGS(fields[PROVIDER]),
               STR_ARGS(fields[LOCATION]), STR_ARGS(fields[MACHINE]), STR_ARGS(fields[DATABASE]),
               STR_ARGS(fields[COMPONENT]), STR_ARGS(fields[SOURCE]));
        return;
    }
    ck_assert_msg(fields[PUBLISHER].len > 0 && fields[SOURCE].len > 0, "a case names no source");
    for (size_t i = 0; i < ARRAY_LEN(clouds); i++)
        cases_of[i] += str_equal_text(fields[PROVIDER], clouds[i]);
    double expected, found = estimate_case(ctx, fields);
    ck_assert(str_to_double(fields[AMOUNT], &expected));
    ck_assert_msg(fabs(found - expected) <= TOLERANCE * expected, "%.*s %.*s: %.2f is not %.2f",
                  STR_ARGS(fields[PROVIDER]), STR_ARGS(fields[SOURCE]), found, expected);
}

START_TEST(within_five_per_cent)
{
    struct arena *arena = arena_new(0);
    struct buf bytes = BUF_INIT(1 << 20);
    struct error err = {0};
    const char *path = arena_printf(arena, "%s/tests/data/cost/reference.csv", test_source_dir());
    ck_assert_msg(file_read(path, &bytes, &err) == 0, "%s", err.message);
    csv_each(buf_str(&bytes), check_case, arena);
    for (size_t i = 0; i < ARRAY_LEN(cases_of); i++)
        ck_assert_uint_ge(cases_of[i], 5);
    printf("checked: %u of aws, %u of gcp, %u of azure; skipped: %u\n", cases_of[0], cases_of[1], cases_of[2],
           skipped);
    buf_deinit(&bytes);
    arena_free(arena);
}
END_TEST

static Suite *cost_reference_suite(void)
{
    Suite *suite = suite_create("cost_reference");
    TCase *tcase = tcase_create("cost_reference");
    tcase_add_test(tcase, within_five_per_cent);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(cost_reference_suite)
