#include "lib/metrics/snapshot_internal.h"

#include "lib/metrics/batch.h"
#include "tests/support/support.h"

static struct snapshot *snapshot_of(const char *const *names, size_t count)
{
    struct batch *batch = batch_new(NULL);
    batch_begin(batch);
    for (size_t i = 0; i < count; i++) {
        struct metric_desc desc = {names[i], METRIC_GAUGE, "", NULL};
        batch_put(batch, &desc, NULL, 0, VALUE_OF_I64(-(int64_t)i));
    }
    struct snapshot *snapshot = batch_finish(batch, 0, 0);
    batch_free(batch);
    return snapshot;
}

START_TEST(outlives_its_batch_by_references)
{
    static const char *const names[] = {"a"};
    struct snapshot *snapshot = snapshot_of(names, 1);
    ck_assert_ptr_eq(snapshot_ref(snapshot), snapshot);
    ck_assert_ptr_null(snapshot_unref(snapshot));
    struct value value = snapshot_value(snapshot, 0);
    ck_assert_int_eq(value.kind, VALUE_I64);
    ck_assert_int_eq(value.i64, 0);
    ck_assert_uint_gt(snapshot->bytes, sizeof *snapshot);
    ck_assert_uint_gt(snapshot->shape->bytes, sizeof *snapshot->shape);
    ck_assert_ptr_null(snapshot_unref(snapshot));
    ck_assert_ptr_null(snapshot_unref(NULL));
}
END_TEST

START_TEST(a_fresh_one_is_all_absent)
{
    static const char *const names[] = {"a", "b"};
    struct snapshot *snapshot = snapshot_of(names, 2);
    uint64_t *bits;
    uint8_t *kinds;
    struct snapshot *fresh = snapshot_new(snapshot->shape, &bits, &kinds);
    ck_assert_int_eq(snapshot_value(fresh, 0).kind, VALUE_ABSENT);
    ck_assert_int_eq(snapshot_value(fresh, 1).kind, VALUE_ABSENT);
    ck_assert_ptr_eq(fresh->shape, snapshot->shape);
    (void)snapshot_unref(snapshot);
    ck_assert(str_equal(fresh->shape->families[1].name, STR("b"))); /* holds the shape */
    (void)snapshot_unref(fresh);
}
END_TEST

START_TEST(finds_families)
{
    static const char *const names[] = {"e", "a", "c", "b", "d"};
    for (size_t count = 0; count <= ARRAY_LEN(names); count++) {
        struct snapshot *snapshot = snapshot_of(names, count);
        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
            const struct shape_family *family = shape_find_family(snapshot->shape, str_from(names[i]));
            ck_assert_int_eq(family != NULL, i < count);
            ck_assert(!family || str_equal_text(family->name, names[i]));
        }
        ck_assert_ptr_null(shape_find_family(snapshot->shape, STR("bb")));
        (void)snapshot_unref(snapshot);
    }
}
END_TEST

static Suite *snapshot_suite(void)
{
    Suite *suite = suite_create("snapshot");
    TCase *tests = tcase_create("snapshot");
    tcase_add_test(tests, outlives_its_batch_by_references);
    tcase_add_test(tests, a_fresh_one_is_all_absent);
    tcase_add_test(tests, finds_families);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(snapshot_suite)
