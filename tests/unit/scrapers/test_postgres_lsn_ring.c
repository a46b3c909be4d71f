#include "scrapers/postgres/lsn_ring.h"

#include "tests/support/support.h"

#include <stdlib.h>

static struct lsn_ring ring;

static void expect_lag(int64_t at_ns, uint64_t lsn, enum lsn_standing standing, int64_t lag_ns,
                       uint64_t bytes)
{
    struct lsn_lag lag = lsn_ring_lag(&ring, at_ns, lsn);
    ck_assert_int_eq(lag.standing, standing);
    ck_assert_int_eq(lag.lag_ns, lag_ns);
    ck_assert_uint_eq(lag.bytes, bytes);
}

START_TEST(empty_ring_knows_nothing)
{
    lsn_ring_init(&ring);
    expect_lag(100, 5, LSN_UNKNOWN, 0, 0);
    ck_assert_ptr_null(lsn_ring_newest(&ring));
    ck_assert(lsn_ring_rate(&ring, 0) < 0);
}
END_TEST

START_TEST(idle_primary_gives_no_lag_however_long)
{
    lsn_ring_init(&ring);
    for (int64_t t = 0; t < 100000; t += 250)
        ck_assert(lsn_ring_add(&ring, t, 1, 1000));
    ck_assert_uint_eq(ring.count, 1);
    expect_lag(100000, 1000, LSN_CAUGHT_UP, 0, 0);
    expect_lag(100000, 2000, LSN_CAUGHT_UP, 0, 0);
    ck_assert_int_eq(lsn_ring_lag(&ring, 100000, 1000).evidence_ns, 99750);
}
END_TEST

START_TEST(lag_is_the_age_of_the_first_missing_byte)
{
    lsn_ring_init(&ring);
    lsn_ring_add(&ring, 100, 1, 1000);
    lsn_ring_add(&ring, 200, 1, 1000);
    lsn_ring_add(&ring, 300, 1, 2000);
    lsn_ring_add(&ring, 400, 1, 3000);
    expect_lag(450, 3000, LSN_CAUGHT_UP, 0, 0);
    expect_lag(450, 2000, LSN_BEHIND, 150, 1000);
    expect_lag(450, 1500, LSN_BEHIND, 200, 1500); /* passed half way from 200 to 300 */
    expect_lag(450, 1000, LSN_BEHIND, 250, 2000);
    expect_lag(450, 999, LSN_BEFORE, 350, 2001);
    ck_assert_int_eq(lsn_ring_lag(&ring, 450, 1999).evidence_ns, 200);
    /* What the primary wrote after the standby spoke is not held against it. */
    expect_lag(350, 2000, LSN_CAUGHT_UP, 0, 0);
    expect_lag(99, 2000, LSN_UNKNOWN, 0, 0);
}
END_TEST

START_TEST(timelines_are_never_compared)
{
    lsn_ring_init(&ring);
    lsn_ring_add(&ring, 100, 1, 9000);
    ck_assert(lsn_ring_add(&ring, 200, 2, 5000));
    ck_assert_uint_eq(ring.count, 1);
    ck_assert(!lsn_ring_add(&ring, 300, 1, 9500));
    expect_lag(300, 4000, LSN_BEFORE, 100, 1000);
}
END_TEST

START_TEST(older_samples_are_refused_and_a_crash_forgets)
{
    lsn_ring_init(&ring);
    ck_assert(lsn_ring_add(&ring, 100, 1, 1000));
    ck_assert(!lsn_ring_add(&ring, 100, 1, 1001));
    ck_assert(lsn_ring_add(&ring, 200, 1, 3000));
    ck_assert(lsn_ring_add(&ring, 300, 1, 2000)); /* 3000 was never flushed */
    expect_lag(300, 2000, LSN_CAUGHT_UP, 0, 0);
    expect_lag(300, 1000, LSN_BEHIND, 200, 1000);
}
END_TEST

START_TEST(unflushed_wal_counts_only_while_it_may_hold_a_commit)
{
    lsn_ring_init(&ring);
    lsn_ring_add(&ring, 100, 1, 1000);
    lsn_ring_add(&ring, 200, 1, 1500); /* a transaction writes and stays open */
    lsn_ring_add(&ring, 300, 1, 1600);
    lsn_ring_settle(&ring, 0, 1000);
    expect_lag(300, 1000, LSN_BEHIND, 200, 600);
    lsn_ring_settle(&ring, 200, 1000);
    expect_lag(300, 1000, LSN_BEHIND, 100, 600);
    lsn_ring_settle(&ring, 300, 1000);
    ck_assert_uint_eq(ring.count, 1);
    expect_lag(300, 1000, LSN_CAUGHT_UP, 0, 0);
    ck_assert_int_eq(lsn_ring_newest(&ring)->first_ns, 100);
    /* Nor does it when it is seen again, unlike what comes after it. */
    lsn_ring_add(&ring, 400, 1, 1600);
    expect_lag(400, 1000, LSN_CAUGHT_UP, 0, 0);
    lsn_ring_add(&ring, 500, 1, 1700);
    expect_lag(500, 1000, LSN_BEHIND, 100, 700);
}
END_TEST

START_TEST(rate_is_over_the_window)
{
    lsn_ring_init(&ring);
    for (int64_t s = 0; s <= 100; s++)
        lsn_ring_add(&ring, (s + 1) * NS_PER_S, 1, (uint64_t)s * (s < 50 ? 100 : 200));
    ck_assert_double_eq_tol(lsn_ring_rate(&ring, 61 * NS_PER_S), 200, 0.001);
    lsn_ring_add(&ring, 201 * NS_PER_S, 1, 20000);
    ck_assert_double_eq_tol(lsn_ring_rate(&ring, 151 * NS_PER_S), 0, 0.001);
}
END_TEST

/* The oracle keeps every sample and looks through all of them. */
enum { MODEL_SAMPLES = 20000 };
struct model_sample {
    int64_t t_ns;
    uint64_t lsn;
};
static struct model_sample model[MODEL_SAMPLES];
static size_t model_count;
static uint64_t model_settled;

static void model_add(int64_t t_ns, uint64_t lsn)
{
    if (model_count && lsn < model[model_count - 1].lsn)
        model_settled = 0;
    else if (model_count && lsn <= model_settled)
        lsn = model[model_count - 1].lsn;
    while (model_count && model[model_count - 1].lsn > lsn)
        model_count--;
    model[model_count++] = (struct model_sample){t_ns, lsn};
}

static int64_t first_with(uint64_t lsn)
{
    for (size_t i = 0; i < model_count; i++) {
        if (model[i].lsn == lsn)
            return model[i].t_ns;
    }
    return INT64_MAX;
}

static void model_settle(int64_t before_ns, uint64_t flushed)
{
    bool settles[256] = {false};
    size_t from = model_count;
    while (from > 0 && model[from - 1].lsn > flushed)
        from--;
    ck_assert(model_count - from < ARRAY_LEN(settles));
    for (size_t i = from; i < model_count; i++)
        settles[i - from] = first_with(model[i].lsn) <= before_ns;
    for (size_t i = from; i < model_count; i++) {
        if (!settles[i - from])
            continue;
        if (model[i].lsn > model_settled)
            model_settled = model[i].lsn;
        model[i].lsn = flushed;
    }
}

static struct lsn_lag model_lag(int64_t at_ns, uint64_t lsn)
{
    struct lsn_lag lag = {.standing = LSN_UNKNOWN};
    uint64_t newest = 0;
    int64_t last_have = 0, first_miss = 0;
    uint64_t have_lsn = 0, miss_lsn = 0;
    bool have = false, any = false, miss = false;

    for (size_t i = 0; i < model_count; i++) {
        if (first_with(model[i].lsn) > at_ns)
            break;
        any = true;
        newest = model[i].lsn;
        if (model[i].lsn <= lsn) {
            have = true;
            last_have = model[i].t_ns;
            have_lsn = model[i].lsn;
        } else if (!miss) {
            miss = true;
            first_miss = model[i].t_ns;
            miss_lsn = model[i].lsn;
        }
    }
    if (!any)
        return lag;
    lag.bytes = newest > lsn ? newest - lsn : 0;
    if (!have) {
        lag.standing = LSN_BEFORE;
        lag.lag_ns = at_ns - model[0].t_ns;
        return lag;
    }
    lag.evidence_ns = last_have < at_ns ? last_have : at_ns;
    lag.standing = miss ? LSN_BEHIND : LSN_CAUGHT_UP;
    if (miss) {
        double share = (double)(lsn - have_lsn) / (double)(miss_lsn - have_lsn);
        int64_t passed_ns = last_have + (int64_t)(share * (double)(first_miss - last_have));
        lag.lag_ns = at_ns > passed_ns ? at_ns - passed_ns : 0;
    }
    return lag;
}

static uint64_t draw_below(uint64_t *state, uint64_t below)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (*state >> 33) % below;
}

static void play(uint64_t seed, size_t steps)
{
    uint64_t state = seed, lsn = 1000, flushed = 1000;
    int64_t t_ns = 1000;

    lsn_ring_init(&ring);
    model_count = 0;
    model_settled = 0;
    for (size_t i = 0; i < steps; i++) {
        t_ns += 1 + (int64_t)draw_below(&state, 100);
        uint64_t what = draw_below(&state, 20);
        if (what == 0 && lsn > 500)
            lsn -= draw_below(&state, lsn - flushed + 1);
        else if (what < 12)
            lsn += draw_below(&state, 50);
        if (what % 3 == 0)
            flushed += draw_below(&state, lsn - flushed + 1);
        ck_assert(lsn_ring_add(&ring, t_ns, 1, lsn));
        model_add(t_ns, lsn);
        int64_t before_ns = t_ns - (int64_t)draw_below(&state, 400);
        lsn_ring_settle(&ring, before_ns, flushed);
        model_settle(before_ns, flushed);
        int64_t at_ns = t_ns + 50 - (int64_t)draw_below(&state, 300);
        uint64_t asked = lsn + 10 - draw_below(&state, lsn < 400 ? lsn : 400);
        struct lsn_lag got = lsn_ring_lag(&ring, at_ns, asked), want = model_lag(at_ns, asked);
        ck_assert_int_eq(got.standing, want.standing);
        ck_assert_int_eq(got.evidence_ns, want.evidence_ns);
        ck_assert_uint_eq(got.bytes, want.bytes);
        ck_assert(llabs(got.lag_ns - want.lag_ns) <= 1);
    }
}

START_TEST(agrees_with_an_oracle_that_forgets_nothing)
{
    for (uint64_t seed = 1; seed <= 40; seed++)
        play(seed, 400);
}
END_TEST

START_TEST(a_full_ring_loses_resolution_but_never_flatters)
{
    lsn_ring_init(&ring);
    model_count = 0;
    uint64_t state = 7, lsn = 1000;
    int64_t t_ns = 0;
    for (size_t i = 0; i < MODEL_SAMPLES; i++) {
        t_ns += 250;
        lsn += 1 + draw_below(&state, 1000);
        lsn_ring_add(&ring, t_ns, 1, lsn);
        model[model_count++] = (struct model_sample){t_ns, lsn};
    }
    ck_assert_uint_le(ring.count, LSN_RING_CAPACITY);
    ck_assert_int_eq(ring.entries[0].first_ns, 250); /* the oldest is always kept */
    for (size_t i = 0; i < MODEL_SAMPLES; i += 37) {
        struct lsn_lag lag = lsn_ring_lag(&ring, t_ns, model[i].lsn);
        ck_assert(lag.standing == LSN_BEHIND || i + 37 > MODEL_SAMPLES);
        ck_assert_int_le(lag.evidence_ns, model[i].t_ns);
        /* The recent half is exact. */
        if (i + LSN_RING_CAPACITY / 2 >= MODEL_SAMPLES)
            ck_assert_int_eq(lag.evidence_ns, model[i].t_ns);
        ck_assert_int_le(llabs(lag.lag_ns - (t_ns - model[i].t_ns)), (t_ns - model[i].t_ns) / 4 + 250);
    }
}
END_TEST

static Suite *lsn_ring_suite(void)
{
    Suite *suite = suite_create("postgres_lsn_ring");
    TCase *tcase = tcase_create("lsn_ring");
    tcase_add_test(tcase, empty_ring_knows_nothing);
    tcase_add_test(tcase, idle_primary_gives_no_lag_however_long);
    tcase_add_test(tcase, lag_is_the_age_of_the_first_missing_byte);
    tcase_add_test(tcase, timelines_are_never_compared);
    tcase_add_test(tcase, older_samples_are_refused_and_a_crash_forgets);
    tcase_add_test(tcase, unflushed_wal_counts_only_while_it_may_hold_a_commit);
    tcase_add_test(tcase, rate_is_over_the_window);
    tcase_add_test(tcase, agrees_with_an_oracle_that_forgets_nothing);
    tcase_add_test(tcase, a_full_ring_loses_resolution_but_never_flatters);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(lsn_ring_suite)
