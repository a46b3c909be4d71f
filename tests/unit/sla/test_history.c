#include "sla/history.h"

#include "tests/support/support.h"

#include <stdlib.h>

#define BASE_S INT64_C(1767225600)

static const int64_t windows_s[] = {60, 300, 3600, 6 * 3600, 3 * 86400, 30 * 86400};
#define WINDOWS (sizeof windows_s / sizeof windows_s[0])

/* Slow oracle: every second's counts, summed with the definition of the header. */
struct event {
    int64_t second;
    struct bucket_counts counts;
};
static struct event *events;
static size_t event_count, event_capacity;

static void record(struct history *history, int64_t second, struct bucket_counts counts, int64_t now_s)
{
    if (event_count == event_capacity) {
        event_capacity = event_capacity ? 2 * event_capacity : 1024;
        events = xrealloc(events, event_capacity * sizeof *events);
    }
    events[event_count++] = (struct event){second, counts};
    history_add(history, second, &counts, now_s);
}

static int64_t floor_to(int64_t number, int64_t step)
{
    return number - number % step;
}

/* Width in which the second is kept: that of its hour, which ages at full hours. */
static int64_t width_of(int64_t second, int64_t now_s)
{
    return buckets_width_s(floor_to(second, 3600), floor_to(now_s, 3600));
}

static struct bucket_counts expected(int64_t window_s, int64_t now_s)
{
    struct bucket_counts sum = {0};
    for (size_t i = 0; i < event_count; i++) {
        int64_t width = width_of(events[i].second, now_s);
        width = width ? width : 60;
        if (floor_to(events[i].second, width) + width > now_s - window_s)
            bucket_counts_add(&sum, &events[i].counts);
    }
    return sum;
}

static void check_sums(struct history *history, int64_t now_s)
{
    history_advance(history, now_s);
    for (size_t i = 0; i < WINDOWS; i++) {
        struct bucket_counts got = history_sum(history, i), want = expected(windows_s[i], now_s);
        ck_assert_msg(got.good == want.good && got.bad == want.bad && got.unknown == want.unknown,
                      "window %lld at +%lld: %llu %llu %llu, expected %llu %llu %llu",
                      (long long)windows_s[i], (long long)(now_s - BASE_S), (unsigned long long)got.good,
                      (unsigned long long)got.bad, (unsigned long long)got.unknown,
                      (unsigned long long)want.good, (unsigned long long)want.bad,
                      (unsigned long long)want.unknown);
    }
}

static struct bucket_counts some(void)
{
    return (struct bucket_counts){(uint64_t)random() % 100, random() % 5 ? 0 : (uint64_t)random() % 5,
                                  random() % 9 ? 0 : 1};
}

START_TEST(sums_match_the_oracle_for_random_schedules)
{
    for (unsigned seed = 1; seed <= 6; seed++) {
        srandom(seed);
        event_count = 0;
        struct history *history = history_new(windows_s, WINDOWS);
        int64_t now_s = BASE_S + random() % 5000;
        for (unsigned step = 0; step < 700; step++) {
            static const int64_t steps[] = {1, 1, 1, 1, 2, 7, 61, 299, 300, 601, 3600, 7000, 40000};
            now_s += steps[(size_t)random() % (seed < 3 ? 8 : 13)];
            for (long n = random() % 4; n > 0; n--)
                record(history, now_s - random() % 3, some(), now_s);
            if (random() % 20 == 0)
                record(history, now_s - random() % 20000, some(), now_s);
            if (random() % 60 == 0)
                record(history, now_s - random() % (5 * 86400), some(), now_s);
            check_sums(history, now_s);
        }
        history_free(history);
    }
}
END_TEST

START_TEST(every_second_of_an_hour_leaves_its_window)
{
    event_count = 0;
    struct history *history = history_new(windows_s, WINDOWS);
    for (int64_t t = 0; t < 2000; t++) {
        record(history, BASE_S + t, (struct bucket_counts){.good = (uint64_t)t % 5 + 1}, BASE_S + t);
        check_sums(history, BASE_S + t);
    }
    for (int64_t t = 2000; t < 6000; t += 13)
        check_sums(history, BASE_S + t);
    history_free(history);
}
END_TEST

START_TEST(what_was_loaded_goes_on)
{
    srandom(5);
    for (unsigned round = 0; round < 30; round++) {
        event_count = 0;
        struct history *history = history_new(windows_s, WINDOWS);
        int64_t now_s = BASE_S + 5 * 3600 + random() % 3600;
        struct bucket buckets[3600];
        for (int64_t hour_s = BASE_S; hour_s < now_s; hour_s += 3600) {
            size_t count = 0;
            for (int64_t t = random() % 100; t < 3600 && hour_s + t < now_s - 50; t += 1 + random() % 500) {
                struct bucket_counts counts = some();
                events = event_capacity ? events : xrealloc(NULL, (event_capacity = 100000) * sizeof *events);
                events[event_count++] = (struct event){hour_s + t, counts};
                buckets[count++] = (struct bucket){hour_s + t, counts.good, counts.bad, counts.unknown};
            }
            history_load(history, 1, buckets, count, now_s);
        }
        check_sums(history, now_s);
        for (unsigned i = 0; i < 700; i++) {
            now_s += 1;
            record(history, now_s - random() % 30, some(), now_s);
            check_sums(history, now_s);
        }
        history_free(history);
    }
}
END_TEST

START_TEST(windows_can_be_replaced)
{
    event_count = 0;
    struct history *history = history_new(windows_s, 2);
    for (int64_t t = 0; t < 250; t++)
        record(history, BASE_S + t, (struct bucket_counts){.good = 1}, BASE_S + t);
    history_set_windows(history, windows_s, WINDOWS);
    check_sums(history, BASE_S + 250);
    ck_assert_int_eq(history_last_s(history), BASE_S + 249);
    ck_assert_uint_gt(history_bytes(history), 0);
    history_free(history);
    history_free(NULL);
}
END_TEST

START_TEST(thirty_healthy_days_are_small)
{
    struct history *history = history_new(windows_s, WINDOWS);
    for (int64_t t = 0; t < 30 * 86400; t++) {
        history_add(history, BASE_S + t, &(struct bucket_counts){.good = 4}, BASE_S + t);
        if (t % 60 == 0)
            history_advance(history, BASE_S + t);
    }
    ck_assert_uint_lt(history_bytes(history), 100000);
    history_free(history);
}
END_TEST

static Suite *history_suite(void)
{
    Suite *suite = suite_create("history");
    TCase *tcase = tcase_create("all");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, sums_match_the_oracle_for_random_schedules);
    tcase_add_test(tcase, every_second_of_an_hour_leaves_its_window);
    tcase_add_test(tcase, what_was_loaded_goes_on);
    tcase_add_test(tcase, windows_can_be_replaced);
    tcase_add_test(tcase, thirty_healthy_days_are_small);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(history_suite)
