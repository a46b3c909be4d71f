#include "scrapers/cloud/shared.h"

#include "lib/core/clock.h"
#include "tests/support/support.h"

#include <stdlib.h>

#define WALL (INT64_C(1800000000) * NS_PER_S)

/* A sign-in that needs no I/O: what it gives is a test's to choose. */
static struct {
    int opened, begun, freed;
    bool fails;
    int64_t life_ns;
    struct secret *secret;
} cloud;

static int next(void *state, const struct http_response *answer, const struct error *failure, int64_t wall_ns,
                enum signin_step *ret_step, struct http_request *ret_request, struct error *err)
{
    (void)state, (void)answer, (void)failure, (void)wall_ns, (void)ret_request;
    cloud.begun++;
    if (cloud.fails)
        return error_set(err, ERR_AUTH, "no");
    *ret_step = SIGNIN_READY;
    return 0;
}

static void token(const void *state, struct cloud_token *ret_token)
{
    (void)state;
    *ret_token = (struct cloud_token){.secret = cloud.secret,
                                      .access_key_id = "AKIA",
                                      .source = "test",
                                      .expires_wall_ns = cloud.life_ns ? clock_wall_ns() + cloud.life_ns : 0};
}

static void free_state(void *state)
{
    (void)state;
    cloud.freed++;
}

static struct signin *open_signin(const void *arg)
{
    static const struct signin_ops ops = {.next = next, .token = token, .free = free_state};
    cloud.opened++;
    return signin_new(&ops, (void *)(uintptr_t)arg);
}

static struct cloud_shared *shared;
static struct cloud_credential credential = {"key", open_signin, &cloud};
static struct cloud_waiter waiters[3];
static int tokens, refusals;
static bool shared_freed;

static void on_token(void *ctx, const struct cloud_token *token_given, const struct error *err)
{
    (void)ctx;
    ck_assert((token_given != NULL) != (err != NULL));
    if (token_given)
        ck_assert(str_equal(secret_reveal(token_given->secret), STR("s3cret")));
    tokens += token_given ? 1 : 0;
    refusals += err ? 1 : 0;
}

static void on_freed(void *ctx)
{
    *(bool *)ctx = true;
}

static void begin(void)
{
    clock_set_virtual(NS_PER_S, WALL);
    memset(&cloud, 0, sizeof cloud);
    cloud.secret = secret_new(STR("s3cret"));
    tokens = refusals = 0;
    shared_freed = false;
    shared = cloud_shared_new(NULL, NULL);
}

static void end(void)
{
    cloud_shared_free(shared, on_freed, &shared_freed);
    ck_assert(shared_freed);
    ck_assert_int_eq(cloud.opened, cloud.freed);
    secret_free(cloud.secret);
    clock_use_real();
}

static void ask(struct cloud_identity *identity, size_t waiter)
{
    cloud_identity_token(identity, &waiters[waiter], on_token, NULL);
}

START_TEST(equal_credentials_are_one_identity_and_one_sign_in)
{
    struct cloud_identity *a = cloud_identity_open(shared, &credential);
    struct cloud_identity *b = cloud_identity_open(shared, &credential);
    ck_assert_ptr_eq(a, b);
    for (size_t i = 0; i < 3; i++)
        ask(a, i);
    ck_assert_int_eq(tokens, 3);
    ck_assert_int_eq(cloud.begun, 1);
    cloud_identity_set_offset(a, 7);
    ck_assert_int_eq(cloud_identity_offset_ns(b), 7);
    cloud_identity_release(a);
    cloud_identity_release(b);
}
END_TEST

START_TEST(a_token_is_renewed_before_it_ends)
{
    struct cloud_identity *identity = cloud_identity_open(shared, &credential);
    cloud.life_ns = 3600 * NS_PER_S;
    ask(identity, 0);
    clock_set_virtual(3000 * NS_PER_S, WALL + 3000 * NS_PER_S);
    ask(identity, 0);
    ck_assert_int_eq(cloud.begun, 1);
    clock_set_virtual(3300 * NS_PER_S, WALL + 3300 * NS_PER_S); /* the last tenth of its life */
    ask(identity, 0);
    ck_assert_int_eq(tokens, 3);
    ck_assert_int_eq(cloud.begun, 2);
    cloud_identity_release(identity);
}
END_TEST

START_TEST(the_old_token_is_used_to_its_end_when_no_new_one_can_be_had)
{
    struct cloud_identity *identity = cloud_identity_open(shared, &credential);
    struct cloud_identity_stats stats;
    cloud.life_ns = 3600 * NS_PER_S;
    ask(identity, 0);
    cloud.fails = true;
    clock_set_virtual(3590 * NS_PER_S, WALL + 3590 * NS_PER_S);
    ask(identity, 0);
    ck_assert_int_eq(tokens, 2);
    ck_assert_int_eq(cloud.begun, 2);
    clock_set_virtual(3601 * NS_PER_S, WALL + 3601 * NS_PER_S);
    ask(identity, 0);
    ck_assert_int_eq(refusals, 1);
    cloud_identity_stats(identity, &stats);
    ck_assert_uint_eq(stats.refreshes, 1);
    ck_assert_uint_eq(stats.failures, 2);
    cloud_identity_release(identity);
}
END_TEST

START_TEST(a_failure_is_not_asked_for_again_at_once)
{
    struct cloud_identity *identity = cloud_identity_open(shared, &credential);
    cloud.fails = true;
    for (size_t i = 0; i < 3; i++)
        ask(identity, i);
    ck_assert_int_eq(refusals, 3);
    ck_assert_int_eq(cloud.begun, 1);
    cloud.fails = false;
    clock_set_virtual(3 * NS_PER_S, WALL + 2 * NS_PER_S);
    ask(identity, 0);
    ck_assert_int_eq(tokens, 1);
    cloud_identity_release(identity);
}
END_TEST

START_TEST(a_refused_token_is_replaced_once)
{
    struct cloud_identity *identity = cloud_identity_open(shared, &credential);
    cloud.fails = true;
    ask(identity, 0);
    cloud.fails = false;
    clock_set_virtual(2 * NS_PER_S, WALL + NS_PER_S);
    ask(identity, 0);
    uint64_t generation = cloud_identity_generation(identity);
    cloud_identity_refused(identity, generation);
    ask(identity, 0);
    ck_assert_int_eq(tokens, 2);
    ck_assert_int_eq(cloud.begun, 3);
    cloud_identity_refused(identity, generation); /* of the token before: somebody has renewed it since */
    ask(identity, 0);
    ck_assert_int_eq(cloud.begun, 3);
    cloud_identity_release(identity);
}
END_TEST

START_TEST(quotas_are_shared_by_name)
{
    ck_assert_ptr_eq(cloud_shared_limit(shared, "a", 1, 1), cloud_shared_limit(shared, "a", 1, 1));
    ck_assert_ptr_ne(cloud_shared_limit(shared, "a", 1, 1), cloud_shared_limit(shared, "b", 1, 1));
}
END_TEST

static Suite *cloud_shared_suite(void)
{
    Suite *suite = suite_create("cloud_shared");
    TCase *tcase = tcase_create("cloud_shared");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, equal_credentials_are_one_identity_and_one_sign_in);
    tcase_add_test(tcase, a_token_is_renewed_before_it_ends);
    tcase_add_test(tcase, the_old_token_is_used_to_its_end_when_no_new_one_can_be_had);
    tcase_add_test(tcase, a_failure_is_not_asked_for_again_at_once);
    tcase_add_test(tcase, a_refused_token_is_replaced_once);
    tcase_add_test(tcase, quotas_are_shared_by_name);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(cloud_shared_suite)
