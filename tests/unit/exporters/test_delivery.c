#include "exporters/delivery.h"

#include "tests/support/support.h"

#define ID      "01932f1c-0000-7000-8000-000000000001"
#define WEEK_NS (7 * 24 * 3600 * NS_PER_S)
#define NOW     INT64_C(1764000000000000000)

static struct delivery_decision decide(int status, const char *retry_after, uint32_t attempts, int64_t age_ns)
{
    struct delivery_outcome outcome = {.status = status, .retry_after = str_from(retry_after)};
    struct error err = {0};
    if (status == 0) {
        (void)error_set(&err, ERR_UNAVAILABLE, "cannot connect");
        outcome.error = &err;
    }
    struct delivery_decision decision;
    delivery_decide(ID, attempts, NOW - age_ns, NOW, WEEK_NS, &outcome, &decision);
    return decision;
}

START_TEST(waits_grow_by_half_to_a_minute)
{
    double expected_ns = 0.5e9;
    for (uint32_t attempts = 1; attempts < 60; attempts++) {
        int64_t wait_ns = delivery_backoff_ns(ID, attempts);
        ck_assert_msg((double)wait_ns <= expected_ns + 1, "attempt %u: %lld", attempts, (long long)wait_ns);
        ck_assert_msg((double)wait_ns >= expected_ns * 0.9 - 1, "attempt %u: %lld", attempts,
                      (long long)wait_ns);
        expected_ns = expected_ns * 1.5 < 60e9 ? expected_ns * 1.5 : 60e9;
    }
    ck_assert_int_gt(delivery_backoff_ns(ID, UINT32_MAX), 50 * NS_PER_S);
}
END_TEST

START_TEST(the_jitter_differs_from_delivery_to_delivery_and_is_repeatable)
{
    ck_assert_int_eq(delivery_backoff_ns("a", 9), delivery_backoff_ns("a", 9));
    ck_assert_int_ne(delivery_backoff_ns("a", 9), delivery_backoff_ns("b", 9));
}
END_TEST

START_TEST(any_2xx_is_done)
{
    ck_assert_int_eq(decide(200, "", 1, 0).verdict, DELIVERY_DONE);
    ck_assert_int_eq(decide(204, "60", 1, 2 * WEEK_NS).verdict, DELIVERY_DONE);
    ck_assert_str_eq(decide(299, "", 1, 0).reason, "");
}
END_TEST

START_TEST(everything_but_gone_is_tried_again_until_it_is_too_old)
{
    static const int statuses[] = {0,   100, 301, 307, 400, 401, 403, 404, 408,
                                   413, 415, 425, 429, 500, 502, 503, 504};
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        struct delivery_decision decision = decide(statuses[i], "", 3, WEEK_NS - 1);
        ck_assert_int_eq(decision.verdict, DELIVERY_RETRY);
        ck_assert_int_gt(decision.wait_ns, 0);
        ck_assert(decision.reason[0] != 0);
        ck_assert_int_eq(decide(statuses[i], "", 3, WEEK_NS).verdict, DELIVERY_GIVE_UP);
    }
    ck_assert_int_eq(decide(410, "", 1, 0).verdict, DELIVERY_GIVE_UP);
}
END_TEST

START_TEST(reasons_name_what_happened)
{
    ck_assert_str_eq(decide(503, "", 1, 0).reason, "HTTP status 503");
    ck_assert_contains(decide(302, "", 1, 0).reason, "redirects are not followed");
    ck_assert_str_eq(decide(0, "", 1, 0).reason, "cannot connect");
}
END_TEST

START_TEST(retry_after_lengthens_and_never_shortens)
{
    ck_assert_int_eq(decide(429, "30", 1, 0).wait_ns, 30 * NS_PER_S);
    ck_assert_int_eq(decide(503, "999999", 1, 0).wait_ns, DELIVERY_RETRY_AFTER_MAX_NS);
    ck_assert_int_gt(decide(429, "0", 1, 0).wait_ns, 400 * NS_PER_MS);
    ck_assert_int_eq(decide(429, "1", 30, 0).wait_ns, decide(429, "nonsense", 30, 0).wait_ns);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("delivery");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, waits_grow_by_half_to_a_minute);
    tcase_add_test(tc, the_jitter_differs_from_delivery_to_delivery_and_is_repeatable);
    tcase_add_test(tc, any_2xx_is_done);
    tcase_add_test(tc, everything_but_gone_is_tried_again_until_it_is_too_old);
    tcase_add_test(tc, reasons_name_what_happened);
    tcase_add_test(tc, retry_after_lengthens_and_never_shortens);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
