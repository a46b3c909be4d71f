#include "lib/net/resolver.h"

#include "lib/core/atomic.h"
#include "lib/core/clock.h"
#include "lib/net/resolver_internal.h"
#include "tests/support/support.h"

#include <arpa/inet.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>

/* A name server under our control: "hang*" waits for the semaphore, "gone" does not exist, "down" fails for
 * now, everything else is `current` (and a second address). */
static sem_t release_hung;
static struct counter lookups, hung;
static struct flag failing; /* an EAI_ code for every name, 0: none */
static struct flag renumbered;

static int fake_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                            struct addrinfo **ret_list)
{
    counter_add(&lookups, 1);
    if (strncmp(host, "hang", 4) == 0) {
        counter_add(&hung, 1);
        while (sem_wait(&release_hung) != 0)
            ;
    }
    if (flag_get(&failing))
        return (int)flag_get(&failing);
    if (strcmp(host, "gone") == 0)
        return EAI_NONAME;
    if (strcmp(host, "down") == 0)
        return EAI_AGAIN;
    return getaddrinfo(flag_get(&renumbered) ? "192.0.2.2" : "192.0.2.1", service, hints, ret_list);
}

struct asker {
    struct loop *loop;
    struct resolver *resolver;
    unsigned answers, wanted;
    struct resolver_answer answer;
    struct error err; /* of the last answer; code 0: none */
    bool on_loop;
};

static void on_answer(void *ctx, const struct resolver_answer *answer, const struct error *err)
{
    struct asker *asker = ctx;
    error_clear(&asker->err);
    asker->answer = (struct resolver_answer){0};
    if (err)
        asker->err = *err;
    else
        asker->answer = *answer;
    asker->on_loop = loop_is_own_thread(asker->loop);
    if (++asker->answers == asker->wanted)
        loop_stop(asker->loop);
}

static void setup(struct asker *asker, unsigned threads)
{
    *asker = (struct asker){0};
    (void)sem_init(&release_hung, 0, 0);
    counter_set(&lookups, 0);
    counter_set(&hung, 0);
    flag_set(&failing, 0);
    flag_set(&renumbered, 0);
    ck_assert_int_eq(loop_new("test", &asker->loop, NULL), 0);
    ck_assert_int_eq(resolver_new(threads, &asker->resolver, NULL), 0);
    resolver_set_getaddrinfo(asker->resolver, fake_getaddrinfo);
}

static void teardown(struct asker *asker)
{
    clock_use_real();
    loop_free(asker->loop);
    resolver_free(asker->resolver);
}

static void ask(struct asker *asker, const char *host)
{
    asker->answers = 0;
    asker->wanted = 1;
    resolver_lookup(asker->resolver, asker->loop, host, on_answer, asker);
    while (asker->answers < asker->wanted) /* a stop from before the run ends it at once */
        loop_run(asker->loop, 0);
    ck_assert_uint_eq(asker->answers, 1);
    ck_assert(asker->on_loop);
}

START_TEST(numeric_addresses_answer_at_once)
{
    struct asker asker;
    setup(&asker, 2);
    const char *const numeric[] = {"127.0.0.1", "::1", "2001:db8::7"};
    for (size_t i = 0; i < ARRAY_LEN(numeric); i++) {
        resolver_lookup(asker.resolver, asker.loop, numeric[i], on_answer, &asker);
        ck_assert_uint_eq(asker.answers, i + 1); /* before the call returned */
        ck_assert_uint_eq(asker.answer.count, 1);
        ck_assert_str_eq(asker.answer.addresses[0], numeric[i]);
    }
    ck_assert_uint_eq(counter_get(&lookups), 0);
    ask(&asker, "1"); /* no shorthand for 0.0.0.1 */
    ck_assert_str_eq(asker.answer.addresses[0], "192.0.2.1");
    teardown(&asker);
}
END_TEST

START_TEST(names_that_cannot_be_are_refused)
{
    struct asker asker;
    char name[300];
    setup(&asker, 2);
    memset(name, 'a', sizeof name);
    name[299] = '\0';
    ask(&asker, "");
    ck_assert_int_eq(asker.err.code, ERR_CONFIG);
    ask(&asker, name);
    ck_assert_int_eq(asker.err.code, ERR_CONFIG);
    ask(&asker, "gone");
    ck_assert_int_eq(asker.err.code, ERR_UNAVAILABLE);
    ck_assert_contains(asker.err.message, "gone");
    teardown(&asker);
}
END_TEST

START_TEST(the_system_resolver_knows_localhost)
{
    struct asker asker;
    setup(&asker, 2);
    resolver_set_getaddrinfo(asker.resolver, getaddrinfo);
    ask(&asker, "localhost");
    ck_assert_uint_ge(asker.answer.count, 1);
    for (size_t i = 0; i < asker.answer.count; i++)
        ck_assert(strcmp(asker.answer.addresses[i], "127.0.0.1") == 0 ||
                  strcmp(asker.answer.addresses[i], "::1") == 0);
    teardown(&asker);
}
END_TEST

START_TEST(answers_are_cached_and_renewed)
{
    struct asker asker;
    setup(&asker, 2);
    clock_set_virtual(1000 * NS_PER_S, 0);
    ask(&asker, "db");
    flag_set(&renumbered, 1);
    ask(&asker, "db");
    ck_assert_str_eq(asker.answer.addresses[0], "192.0.2.1");
    ck_assert_uint_eq(counter_get(&lookups), 1);
    clock_set_virtual(1000 * NS_PER_S + RESOLVER_TTL_NS, 0);
    ask(&asker, "db");
    ck_assert_str_eq(asker.answer.addresses[0], "192.0.2.2");
    ck_assert_uint_eq(counter_get(&lookups), 2);
    teardown(&asker);
}
END_TEST

START_TEST(a_dead_name_server_leaves_the_last_answer_standing)
{
    struct asker asker;
    setup(&asker, 2);
    clock_set_virtual(1000 * NS_PER_S, 0);
    ask(&asker, "db");
    flag_set(&failing, EAI_AGAIN);
    clock_set_virtual(2000 * NS_PER_S, 0);
    for (unsigned i = 0; i < 10; i++) {
        ask(&asker, "db");
        ck_assert_int_eq(asker.err.code, 0);
        ck_assert_str_eq(asker.answer.addresses[0], "192.0.2.1");
    }
    ck_assert_uint_eq(counter_get(&lookups), 2); /* and is not asked for each */
    clock_set_virtual(2000 * NS_PER_S + RESOLVER_RETRY_NS, 0);
    flag_set(&failing, EAI_NONAME); /* a server that is back and says that the name is gone */
    ask(&asker, "db");
    ck_assert_int_eq(asker.err.code, ERR_UNAVAILABLE);
    flag_set(&failing, 0);
    ask(&asker, "down");
    ck_assert_int_eq(asker.err.code, ERR_UNAVAILABLE);
    ask(&asker, "db");
    ck_assert_int_eq(asker.err.code, 0);
    teardown(&asker);
}
END_TEST

static void ignore_answer(void *ctx, const struct resolver_answer *answer, const struct error *err)
{
    (void)answer;
    (void)err;
    counter_add(ctx, 1);
}

START_TEST(names_that_hang_do_not_delay_another)
{
    struct asker asker;
    struct counter ignored = {0};
    setup(&asker, 4);
    for (unsigned i = 0; i < 10; i++) { /* many askers of a name take one thread */
        resolver_lookup(asker.resolver, asker.loop, "hang1", ignore_answer, &ignored);
        resolver_lookup(asker.resolver, asker.loop, "hang2", ignore_answer, &ignored);
    }
    while (counter_get(&hung) < 2)
        loop_run(asker.loop, clock_mono_ns() + NS_PER_MS);
    ask(&asker, "third");
    ck_assert_str_eq(asker.answer.addresses[0], "192.0.2.1");
    ck_assert_uint_eq(counter_get(&ignored), 0);
    ck_assert_uint_eq(counter_get(&lookups), 3);
    (void)sem_post(&release_hung);
    (void)sem_post(&release_hung);
    while (counter_get(&ignored) < 20)
        loop_run(asker.loop, clock_mono_ns() + NS_PER_MS);
    teardown(&asker);
}
END_TEST

START_TEST(an_old_answer_is_served_while_its_renewal_hangs)
{
    struct asker asker;
    struct counter ignored = {0};
    setup(&asker, 2);
    clock_set_virtual(1000 * NS_PER_S, 0);
    (void)sem_post(&release_hung);
    ask(&asker, "hang");
    clock_set_virtual(2000 * NS_PER_S, 0);
    resolver_lookup(asker.resolver, asker.loop, "hang", ignore_answer, &ignored); /* this one waits */
    for (unsigned i = 0; i < 3; i++)
        ask(&asker, "hang"); /* these do not */
    ck_assert_uint_eq(counter_get(&ignored), 0);
    ck_assert_str_eq(asker.answer.addresses[0], "192.0.2.1");
    (void)sem_post(&release_hung);
    clock_use_real();
    while (counter_get(&ignored) < 1)
        loop_run(asker.loop, clock_mono_ns() + NS_PER_MS);
    teardown(&asker);
}
END_TEST

START_TEST(excess_is_refused_and_everything_ends_when_freed)
{
    struct asker asker;
    struct counter ignored = {0};
    setup(&asker, 1);
    resolver_lookup(asker.resolver, asker.loop, "hang", ignore_answer, &ignored);
    while (counter_get(&hung) < 1)
        loop_run(asker.loop, clock_mono_ns() + NS_PER_MS);
    for (unsigned i = 0; i < RESOLVER_MAX_QUEUED; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "queued-%u", i);
        resolver_lookup(asker.resolver, asker.loop, name, ignore_answer, &ignored);
    }
    ck_assert_uint_eq(counter_get(&ignored), 0);
    ask(&asker, "one-too-many");
    ck_assert_int_eq(asker.err.code, ERR_UNAVAILABLE);
    /* The loop goes first, as at the end of the program; every callback still comes, to free its memory. */
    loop_free(asker.loop);
    resolver_free(asker.resolver);
    ck_assert_uint_eq(counter_get(&ignored), RESOLVER_MAX_QUEUED);
    (void)sem_post(&release_hung); /* the thread in getaddrinfo() frees the rest */
    while (counter_get(&ignored) < RESOLVER_MAX_QUEUED + 1)
        (void)sched_yield();
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("resolver");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, numeric_addresses_answer_at_once);
    tcase_add_test(t, names_that_cannot_be_are_refused);
    tcase_add_test(t, the_system_resolver_knows_localhost);
    tcase_add_test(t, answers_are_cached_and_renewed);
    tcase_add_test(t, a_dead_name_server_leaves_the_last_answer_standing);
    tcase_add_test(t, names_that_hang_do_not_delay_another);
    tcase_add_test(t, an_old_answer_is_served_while_its_renewal_hangs);
    tcase_add_test(t, excess_is_refused_and_everything_ends_when_freed);
    suite_add_tcase(s, t);
    return s;
}

TEST_MAIN(suite)
