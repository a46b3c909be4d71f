#include "lib/journal/buckets.h"

#include "lib/core/clock.h"
#include "lib/journal/journal_internal.h"
#include "tests/support/support.h"

#include <stdlib.h>

#define BASE_S INT64_C(1767225600) /* an hour's start */

static char *folder, *path;
static struct journal *journal;

static void setup(void)
{
    struct error err = {0};
    folder = test_folder_new();
    path = test_path(folder, "journal.db");
    ck_assert_msg(journal_open(path, &journal, &err) == 0, "%s", err.message);
}

static void teardown(void)
{
    journal_close(journal, clock_mono_ns() + 5 * NS_PER_S);
    free(path);
    test_folder_remove(folder);
}

struct add {
    const char *slo, *labels;
    struct bucket bucket;
};

static int run_add(struct journal_txn *txn, void *arg, struct error *err)
{
    struct add *add = arg;
    int64_t id;
    int code = buckets_series(txn, add->slo, add->labels, &id, err);
    return code ? code : buckets_add(txn, id, &add->bucket, 1, err);
}

static int run_fold(struct journal_txn *txn, void *arg, struct error *err)
{
    return buckets_fold(txn, *(int64_t *)arg, err);
}

static void add(const char *slo, int64_t second, uint64_t good, uint64_t bad, uint64_t unknown)
{
    struct add one = {slo, "region=\"eu\"", {second, good, bad, unknown}};
    ck_assert_int_eq(journal_run(journal, run_add, &one, NULL), 0);
}

static void fold(int64_t now_s)
{
    struct error err = {0};
    ck_assert_msg(journal_run(journal, run_fold, &now_s, &err) == 0, "%s", err.message);
}

struct loaded {
    int64_t from_s;
    const char *slo;
    struct bucket sum;
    unsigned widths[3]; /* buckets seen of 1 s, 10 s, 60 s */
    unsigned series, calls;
    int64_t first_s;
};

static int load_one(void *ctx, int64_t series_id, const char *slo, const char *labels, unsigned width_s,
                    const struct bucket *buckets, size_t count, struct error *err)
{
    struct loaded *loaded = ctx;
    (void)err;
    ck_assert_int_gt(series_id, 0);
    if (strcmp(slo, loaded->slo) != 0)
        return 0;
    ck_assert_str_eq(labels, "region=\"eu\"");
    loaded->series += count == 0;
    loaded->calls++;
    for (size_t i = 0; i < count; i++) {
        loaded->sum.good += buckets[i].good;
        loaded->sum.bad += buckets[i].bad;
        loaded->sum.unknown += buckets[i].unknown;
        loaded->widths[width_s == 1 ? 0 : width_s == 10 ? 1 : 2]++;
        if (!loaded->first_s)
            loaded->first_s = buckets[i].start_s;
    }
    return 0;
}

static int run_load(struct journal_txn *txn, void *arg, struct error *err)
{
    struct loaded *loaded = arg;
    *loaded = (struct loaded){.from_s = loaded->from_s, .slo = loaded->slo};
    return buckets_load(txn, loaded->from_s, load_one, loaded, err);
}

static struct loaded load(const char *slo, int64_t from_s)
{
    struct loaded loaded = {.from_s = from_s, .slo = slo};
    struct error err = {0};
    ck_assert_msg(journal_run(journal, run_load, &loaded, &err) == 0, "%s", err.message);
    ck_assert_uint_eq(loaded.series, 1);
    return loaded;
}

START_TEST(adding_to_a_second_adds)
{
    add("a", BASE_S + 5, 1, 2, 3);
    add("a", BASE_S + 5, 10, 0, 0);
    add("b", BASE_S + 5, 7, 0, 0);
    struct loaded loaded = load("a", 0);
    ck_assert(loaded.sum.good == 11 && loaded.sum.bad == 2 && loaded.sum.unknown == 3);
    ck_assert_uint_eq(loaded.widths[0], 1);
    ck_assert_uint_eq(load("b", 0).sum.good, 7);
}
END_TEST

START_TEST(counts_saturate_and_do_not_wrap)
{
    add("a", BASE_S, UINT64_MAX, INT64_MAX, 1);
    add("a", BASE_S, 1, INT64_MAX, 1);
    struct loaded loaded = load("a", 0);
    ck_assert(loaded.sum.good == INT64_MAX && loaded.sum.bad == INT64_MAX && loaded.sum.unknown == 2);
}
END_TEST

START_TEST(folding_keeps_every_event_as_hours_age)
{
    for (int64_t t = 0; t < 7200; t += 7)
        add("a", BASE_S + t, 1, t % 3 == 0, 0);
    struct loaded before = load("a", 0);
    static const int64_t ages[] = {7000, 7300, 7100 + 5 * 3600, 7200 + 7 * 3600, 4 * 86400, 300 * 86400};
    for (size_t i = 0; i < sizeof ages / sizeof ages[0]; i++) {
        fold(BASE_S + ages[i]);
        struct loaded now = load("a", 0);
        ck_assert_uint_eq(now.sum.good, before.sum.good);
        ck_assert_uint_eq(now.sum.bad, before.sum.bad);
        ck_assert_int_eq(now.first_s, BASE_S);
        if (i == 2)
            ck_assert(now.widths[0] == before.widths[0] && now.calls == 3); /* two blobs, no tail */
        if (i == 3)
            ck_assert(now.widths[0] == 0 && now.widths[1] > 0);
        if (i >= 4)
            ck_assert(now.widths[0] == 0 && now.widths[1] == 0 && now.widths[2] == 120);
    }
    fold(BASE_S + 401 * 86400);
    ck_assert_uint_eq(load("a", 0).sum.good, 0);
}
END_TEST

START_TEST(late_seconds_find_their_hour_at_any_age)
{
    add("a", BASE_S + 61, 1, 0, 0);
    fold(BASE_S + 4 * 86400);
    add("a", BASE_S + 62, 0, 1, 0);        /* into a 1 min hour */
    add("a", BASE_S + 3 * 86400, 0, 0, 1); /* a new hour, made in its tier */
    ck_assert_uint_eq(load("a", 0).sum.bad, 1);
    fold(BASE_S + 4 * 86400);
    struct loaded loaded = load("a", 0);
    ck_assert(loaded.sum.good == 1 && loaded.sum.bad == 1 && loaded.sum.unknown == 1);
    ck_assert(loaded.widths[2] == 1 && loaded.widths[1] == 1 && loaded.widths[0] == 0);
    add("a", BASE_S - 400 * 86400, 5, 0, 0); /* past its keep */
    fold(BASE_S + 4 * 86400);
    ck_assert_uint_eq(load("a", 0).sum.good, 1);
}
END_TEST

START_TEST(loading_starts_at_the_hour_asked_for)
{
    add("a", BASE_S + 10, 1, 0, 0);
    add("a", BASE_S + 3600 + 10, 2, 0, 0);
    add("a", BASE_S + 7200 + 10, 4, 0, 0);
    fold(BASE_S + 7200 - 100);
    ck_assert_uint_eq(load("a", BASE_S + 3600 + 1800).sum.good, 6);
    fold(BASE_S + 20000);
    ck_assert_uint_eq(load("a", BASE_S + 3600 + 1800).sum.good, 6);
}
END_TEST

static int run_damage(struct journal_txn *txn, void *arg, struct error *err)
{
    (void)err;
    /* One bit in the middle of each hour of that start, as a bad disk would do it. */
    char *sql = sqlite3_mprintf(
        "UPDATE hours SET data = CAST(substr(data, 1, 2) || x'ff' || substr(data, 4) AS BLOB) "
        "WHERE hour_s = %lld",
        (long long)*(int64_t *)arg);
    ck_assert_int_eq(sqlite3_exec(txn->db, sql, NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_changes(txn->db), 1);
    sqlite3_free(sql);
    return 0;
}

static int run_damaged(struct journal_txn *txn, void *arg, struct error *err)
{
    return buckets_damaged(txn, arg, err);
}

static uint64_t damaged(void)
{
    uint64_t hours = 99;
    ck_assert_int_eq(journal_run(journal, run_damaged, &hours, NULL), 0);
    return hours;
}

static void damage(int64_t hour_s)
{
    ck_assert_int_eq(journal_run(journal, run_damage, &hour_s, NULL), 0);
}

START_TEST(a_damaged_hour_costs_itself_when_loaded)
{
    add("a", BASE_S, 1, 0, 0);
    add("a", BASE_S + 3600, 10, 0, 0);
    fold(BASE_S + 3 * 3600);
    damage(BASE_S);
    ck_assert_uint_eq(damaged(), 0);
    ck_assert_uint_eq(load("a", 0).sum.good, 10);
    ck_assert_uint_eq(damaged(), 1);
    ck_assert_uint_eq(load("a", 0).sum.good, 10);
    ck_assert_uint_eq(damaged(), 1);
}
END_TEST

START_TEST(a_damaged_hour_stops_neither_late_seconds_nor_ageing)
{
    add("a", BASE_S, 1, 0, 0);
    add("a", BASE_S + 3600, 10, 0, 0);
    fold(BASE_S + 3 * 3600);
    damage(BASE_S);
    add("a", BASE_S + 1, 5, 0, 0);
    fold(BASE_S + 3 * 3600 + 400);
    ck_assert_uint_eq(damaged(), 1);
    ck_assert_uint_eq(load("a", 0).sum.good, 15);
    damage(BASE_S + 3600);
    fold(BASE_S + 12 * 3600);
    ck_assert_uint_eq(damaged(), 2);
    struct loaded loaded = load("a", 0);
    ck_assert_uint_eq(loaded.sum.good, 5);
    ck_assert_uint_eq(loaded.widths[1], 1);
}
END_TEST

START_TEST(widths_by_age)
{
    ck_assert_uint_eq(buckets_width_s(0, 3600), 1);
    ck_assert_uint_eq(buckets_width_s(0, 3600 + 6 * 3600 - 1), 1);
    ck_assert_uint_eq(buckets_width_s(0, 3600 + 6 * 3600), 10);
    ck_assert_uint_eq(buckets_width_s(0, 3600 + 3 * 86400), 60);
    ck_assert_uint_eq(buckets_width_s(0, 3600 + 400 * 86400), 0);
}
END_TEST

static Suite *buckets_suite(void)
{
    Suite *suite = suite_create("buckets");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, adding_to_a_second_adds);
    tcase_add_test(tcase, counts_saturate_and_do_not_wrap);
    tcase_add_test(tcase, folding_keeps_every_event_as_hours_age);
    tcase_add_test(tcase, late_seconds_find_their_hour_at_any_age);
    tcase_add_test(tcase, loading_starts_at_the_hour_asked_for);
    tcase_add_test(tcase, a_damaged_hour_costs_itself_when_loaded);
    tcase_add_test(tcase, a_damaged_hour_stops_neither_late_seconds_nor_ageing);
    tcase_add_test(tcase, widths_by_age);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(buckets_suite)
