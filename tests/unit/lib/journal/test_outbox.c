#include "lib/journal/outbox.h"

#include "lib/core/clock.h"
#include "lib/journal/state.h"
#include "tests/support/support.h"

#include <stdlib.h>

static char *folder, *path;
static struct journal *journal;
static struct arena *arena;

static void setup(void)
{
    struct error err = {0};
    folder = test_folder_new();
    path = test_path(folder, "journal.db");
    arena = arena_new(0);
    ck_assert_msg(journal_open(path, &journal, &err) == 0, "%s", err.message);
}

static void teardown(void)
{
    journal_close(journal, clock_mono_ns() + 5 * NS_PER_S);
    arena_free(arena);
    free(path);
    test_folder_remove(folder);
}

static int deliveries(struct journal_txn *txn, void *arg, struct error *err)
{
    (void)arg;
    struct journal_delivery one = {.id = "d1",
                                   .incident_id = "i1",
                                   .receiver = "am",
                                   .event = "firing",
                                   .payload = STR("{\"zero\":\"\0\"}"),
                                   .created_wall_ns = 5,
                                   .next_attempt_wall_ns = 6};
    struct journal_delivery two = one, *found;
    size_t count;
    two.id = "d2";
    two.receiver = "hook";
    ck_assert_int_eq(outbox_add(txn, &one, err), 0);
    ck_assert_int_eq(outbox_add(txn, &two, err), 0);
    ck_assert_int_eq(outbox_load_pending(txn, arena, &found, &count, err), 0);
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(found[0].id, "d1");
    ck_assert(str_equal(found[0].payload, one.payload));
    ck_assert_str_eq(found[1].receiver, "hook");
    one.state = DELIVERY_DELIVERED;
    one.attempts = 3;
    one.last_error = "was 500";
    ck_assert_int_eq(outbox_update(txn, &one, err), 0);
    ck_assert_int_eq(outbox_load_pending(txn, arena, &found, &count, err), 0);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(outbox_load_incident(txn, "i1", arena, &found, &count, err), 0);
    ck_assert_uint_eq(count, 2);
    ck_assert_uint_eq(found[0].attempts, 3);
    ck_assert_str_eq(found[0].last_error, "was 500");
    ck_assert_str_eq(delivery_state_text(found[0].state), "delivered");
    return 0;
}

START_TEST(deliveries_are_kept_until_done)
{
    ck_assert_int_eq(journal_run(journal, deliveries, NULL, NULL), 0);
}
END_TEST

static int add_twice(struct journal_txn *txn, void *arg, struct error *err)
{
    (void)arg;
    struct journal_delivery one = {.id = "d1", .incident_id = "i", .receiver = "r", .event = "firing"};
    int code = outbox_add(txn, &one, err);
    return code ? code : outbox_add(txn, &one, err);
}

START_TEST(an_id_is_used_once)
{
    struct error err = {0};
    ck_assert_int_eq(journal_run(journal, add_twice, NULL, &err), ERR_CONFLICT);
}
END_TEST

static int incidents(struct journal_txn *txn, void *arg, struct error *err)
{
    (void)arg;
    struct journal_incident *found, one = {.trigger = "down",
                                           .labels = "region=\"eu\"",
                                           .state = "firing",
                                           .started_wall_ns = 100,
                                           .payload = STR("x")};
    size_t count;
    static const char *const ids[] = {"a", "b", "c"};
    for (size_t i = 0; i < 3; i++) {
        one.id = ids[i];
        ck_assert_int_eq(incident_put(txn, &one, err), 0);
    }
    one.id = "b";
    one.state = "resolved";
    one.resolved_wall_ns = 200;
    ck_assert_int_eq(incident_put(txn, &one, err), 0);
    ck_assert_int_eq(incident_load_open(txn, arena, &found, &count, err), 0);
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(incident_list(txn, NULL, 2, arena, &found, &count, err), 0);
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(found[0].id, "c");
    ck_assert_int_eq(incident_list(txn, found[1].id, 10, arena, &found, &count, err), 0);
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(found[0].id, "a");
    struct journal_delivery *left,
        sent = {
            .id = "d", .incident_id = "b", .receiver = "r", .event = "resolved", .state = DELIVERY_DELIVERED};
    ck_assert_int_eq(outbox_add(txn, &sent, err), 0);
    ck_assert_int_eq(outbox_expire(txn, 200, err), 0);
    ck_assert_int_eq(outbox_load_incident(txn, "b", arena, &left, &count, err), 0);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(outbox_expire(txn, 201, err), 0);
    ck_assert_int_eq(outbox_load_incident(txn, "b", arena, &left, &count, err), 0);
    ck_assert_uint_eq(count, 0);
    return 0;
}

START_TEST(incidents_page_from_the_newest)
{
    ck_assert_int_eq(journal_run(journal, incidents, NULL, NULL), 0);
}
END_TEST

static int join_keys(void *ctx, const char *key, struct str value, struct error *err)
{
    (void)err;
    buf_printf(ctx, "%s=%.*s;", key, STR_ARGS(value));
    return 0;
}

static int states(struct journal_txn *txn, void *arg, struct error *err)
{
    ck_assert_int_eq(state_put(txn, "s", "b", STR("1"), err), 0);
    ck_assert_int_eq(state_put(txn, "s", "a", STR(""), err), 0);
    ck_assert_int_eq(state_put(txn, "s", "b", STR("2"), err), 0);
    ck_assert_int_eq(state_put(txn, "s", "c", STR("3"), err), 0);
    ck_assert_int_eq(state_put(txn, "other", "b", STR("9"), err), 0);
    ck_assert_int_eq(state_delete(txn, "s", "c", err), 0);
    return state_each(txn, "s", join_keys, arg, err);
}

START_TEST(states_are_replaced_and_deleted)
{
    struct buf out = BUF_INIT(1000);
    ck_assert_int_eq(journal_run(journal, states, &out, NULL), 0);
    ck_assert_str_eq(buf_text(&out), "a=;b=2;");
    buf_deinit(&out);
}
END_TEST

static Suite *outbox_suite(void)
{
    Suite *suite = suite_create("outbox");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, deliveries_are_kept_until_done);
    tcase_add_test(tcase, an_id_is_used_once);
    tcase_add_test(tcase, incidents_page_from_the_newest);
    tcase_add_test(tcase, states_are_replaced_and_deleted);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(outbox_suite)
