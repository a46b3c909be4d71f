/* Rows of results to samples, samples to snapshots, and pg_settings in base units. */
#include "scrapers/postgres/samples.h"

#include "scrapers/postgres/settings.h"
#include "tests/support/support.h"

static struct samples samples;
static struct batch *batch;

static void set_up(void)
{
    samples_init(&samples);
    batch = batch_new(&(struct batch_options){0});
}

static void tear_down(void)
{
    samples_deinit(&samples);
    batch_free(batch);
}

static struct str table_cell(const void *ctx, size_t row, size_t column)
{
    const char *const *texts = ctx;
    return str_from(texts[row * 3 + column]);
}

static void read_slots(const char *const texts[][3], size_t rows)
{
    static const struct pg_metric metrics[] = {
        {"slot_active", "old_slot_active", METRIC_GAUGE, ALL_LABELS, "a", NULL, "Active."},
        {"slot_bytes_total", NULL, METRIC_COUNTER, NO_LABELS, "b", NULL, "Bytes."},
    };
    static const struct pg_group group = {
        .name = "g", .labels = {{"slot", "slot", NULL}}, METRIC_ROWS(metrics)};
    struct query query = {
        .group = &group, .label_count = 1, .metric_count = 2, .metrics = {&metrics[0], &metrics[1]}};
    struct cells cells = {.ctx = texts, .rows = rows, .columns = 3, .get = table_cell};
    samples_read(&samples, &query, &cells);
}

static struct snapshot *publish(enum postgres_names names)
{
    batch_begin(batch);
    samples_publish(&samples, batch, names);
    return batch_finish(batch, 0, 0);
}

/* Value of the first series of a family; NaN when there is none. */
static double first_value(struct snapshot *snapshot, const char *family)
{
    const struct shape_family *found = shape_find_family(snapshot->shape, str_from(family));
    if (!found)
        return value_to_double((struct value){.kind = VALUE_ABSENT});
    return value_to_double(snapshot_value(snapshot, snapshot->shape->series[found->first_series].slot));
}

START_TEST(numbers_are_exact)
{
    struct value value = samples_parse_value(STR("18446744073709551615"));
    ck_assert(value.kind == VALUE_U64 && value.u64 == UINT64_MAX);
    value = samples_parse_value(STR("-9223372036854775808"));
    ck_assert(value.kind == VALUE_I64 && value.i64 == INT64_MIN);
    value = samples_parse_value(STR("0.1"));
    ck_assert(value.kind == VALUE_F64 && value.f64 == 0.1);
    ck_assert(samples_parse_value(STR("t")).u64 == 1);
    ck_assert(samples_parse_value(STR("f")).u64 == 0);
    ck_assert(samples_parse_value(STR("")).kind == VALUE_ABSENT);
    ck_assert(samples_parse_value((struct str){0}).kind == VALUE_ABSENT);
    ck_assert(samples_parse_value(STR("streaming")).kind == VALUE_ABSENT);
}
END_TEST

START_TEST(rows_become_series_and_null_nothing)
{
    static const char *const rows[][3] = {{"a", "t", "7"}, {"b", NULL, NULL}, {"c", "f", NULL}};
    read_slots(rows, 3);
    ck_assert_uint_eq(samples.count, 3);
    struct snapshot *snapshot = publish(NAMES_NEW);
    ck_assert_uint_eq(snapshot->shape->series_count, 3);
    ck_assert_double_eq(first_value(snapshot, "slot_active"), 1);
    ck_assert_double_eq(first_value(snapshot, "slot_bytes_total"), 7);
    ck_assert_ptr_null(shape_find_family(snapshot->shape, STR("old_slot_active")));
    snapshot_unref(snapshot);
}
END_TEST

START_TEST(a_row_twice_is_one_series)
{
    static const char *const rows[][3] = {{"a", "t", "7"}, {"a", "f", "8"}, {"b", "t", "9"}};
    read_slots(rows, 3);
    struct snapshot *snapshot = publish(NAMES_NEW);
    ck_assert_uint_eq(snapshot->shape->series_count, 3);
    ck_assert_double_eq(first_value(snapshot, "slot_active"), 1);
    snapshot_unref(snapshot);
}
END_TEST

START_TEST(names_of_both_eras)
{
    static const char *const rows[][3] = {{"a", "t", "7"}};
    read_slots(rows, 1);
    struct snapshot *both = publish(NAMES_BOTH), *old = publish(NAMES_LEGACY);
    ck_assert_double_eq(first_value(both, "slot_active"), 1);
    ck_assert_double_eq(first_value(both, "old_slot_active"), 1);
    ck_assert_ptr_null(shape_find_family(old->shape, STR("slot_active")));
    ck_assert_double_eq(first_value(old, "old_slot_active"), 1);
    ck_assert_double_eq(first_value(old, "slot_bytes_total"), 7); /* it has one name */
    snapshot_unref(both);
    snapshot_unref(old);
}
END_TEST

START_TEST(after_a_failure_only_counters_are_kept)
{
    static const char *const rows[][3] = {{"a", "t", "7"}};
    read_slots(rows, 1);
    samples.observed = false;
    struct snapshot *snapshot = publish(NAMES_BOTH);
    ck_assert_uint_eq(snapshot->shape->family_count, 1);
    ck_assert_double_eq(first_value(snapshot, "slot_bytes_total"), 7);
    snapshot_unref(snapshot);
}
END_TEST

START_TEST(a_result_with_too_few_columns_is_no_result)
{
    static const char *const rows[][3] = {{"a", "t", "7"}};
    struct query query = {.group = &group_wal, .label_count = 0, .metric_count = 5};
    struct cells cells = {.ctx = rows, .rows = 1, .columns = 3, .get = table_cell};
    samples_read(&samples, &query, &cells);
    ck_assert_uint_eq(samples.count, 0);
}
END_TEST

static void expect_setting(const char *name, const char *setting, const char *unit, const char *family,
                           double number)
{
    struct pg_metric metric;
    struct value value;
    ck_assert(settings_convert(str_from(name), str_from(setting), str_from(unit), STR("What it does."),
                               samples.arena, &metric, &value));
    ck_assert_str_eq(metric.name, family);
    ck_assert_double_eq(value_to_double(value), number);
}

START_TEST(settings_are_in_base_units)
{
    expect_setting("max_connections", "100", "", "pg_settings_max_connections", 100);
    expect_setting("fsync", "on", "", "pg_settings_fsync", 1);
    expect_setting("autovacuum", "off", "", "pg_settings_autovacuum", 0);
    expect_setting("shared_buffers", "16384", "8kB", "pg_settings_shared_buffers_bytes", 134217728);
    expect_setting("min_wal_size", "80", "MB", "pg_settings_min_wal_size_bytes", 83886080);
    expect_setting("wal_segment_size", "16777216", "B", "pg_settings_wal_segment_size_bytes", 16777216);
    expect_setting("checkpoint_timeout", "300", "s", "pg_settings_checkpoint_timeout_seconds", 300);
    expect_setting("log_rotation_age", "1440", "min", "pg_settings_log_rotation_age_seconds", 86400);
    expect_setting("deadlock_timeout", "1000", "ms", "pg_settings_deadlock_timeout_seconds", 1);
    expect_setting("bgwriter_delay", "200", "ms", "pg_settings_bgwriter_delay_seconds", 0.2);
    expect_setting("commit_delay", "-1", "us", "pg_settings_commit_delay_seconds", -1);
    expect_setting("wal_keep_size", "-1", "MB", "pg_settings_wal_keep_size_bytes", -1);
    expect_setting("pg_stat_statements.max", "5000", "", "pg_settings_pg_stat_statements_max", 5000);
    expect_setting("random_page_cost", "1.1", "", "pg_settings_random_page_cost", 1.1);
}
END_TEST

START_TEST(settings_that_are_no_metric_are_left_out)
{
    struct pg_metric metric;
    struct value value;
    ck_assert(!settings_convert(STR("a"), STR("1"), STR("furlong"), STR(""), samples.arena, &metric, &value));
    ck_assert(!settings_convert(STR("a"), STR("1"), STR("8"), STR(""), samples.arena, &metric, &value));
    ck_assert(!settings_convert(STR("a"), STR("maybe"), STR(""), STR(""), samples.arena, &metric, &value));
    ck_assert(!settings_convert(STR("a"), STR(""), STR(""), STR(""), samples.arena, &metric, &value));
    ck_assert(!settings_convert(STR("a b"), STR("1"), STR(""), STR(""), samples.arena, &metric, &value));
}
END_TEST

static Suite *samples_suite(void)
{
    Suite *suite = suite_create("postgres_samples");
    TCase *tcase = tcase_create("samples");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, numbers_are_exact);
    tcase_add_test(tcase, rows_become_series_and_null_nothing);
    tcase_add_test(tcase, a_row_twice_is_one_series);
    tcase_add_test(tcase, names_of_both_eras);
    tcase_add_test(tcase, after_a_failure_only_counters_are_kept);
    tcase_add_test(tcase, a_result_with_too_few_columns_is_no_result);
    tcase_add_test(tcase, settings_are_in_base_units);
    tcase_add_test(tcase, settings_that_are_no_metric_are_left_out);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(samples_suite)
