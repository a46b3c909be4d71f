#include "provisioner/self_hosted/compare.h"

#include "tests/support/support.h"

static struct step_list list;
static struct ledger ledger;
static const char *found[8];
static struct comparison result;
static const char *const watched[] = {"/conf", NULL};

static void setup(void)
{
    list = (struct step_list){.arena = arena_new(0)};
    struct host_step *step = step_add(&list, STAGE_HOST, "a/files", "a");
    step_put(&list, step, "/conf", STR("1"), 0644, "root:root", false);
    step = step_add(&list, STAGE_HOST, "a/process", "run a");
    step->watches = watched;
    step->check = "true";
    step_add(&list, STAGE_HOST, "b/data", "b")->data = true;
    memset(found, 0, sizeof found);
}

static void teardown(void)
{
    arena_free(list.arena);
}

/* As if all steps had been done. */
static void all_done(void)
{
    struct buf lines = BUF_INIT(65536);
    for (size_t i = 0; i < list.count; i++) {
        ledger_put_begin(&lines, &list.items[i], NULL, NULL);
        ledger_put_done(&lines, &list.items[i]);
    }
    ledger_read(list.arena, buf_str(&lines), &ledger);
    buf_deinit(&lines);
}

static void compare(bool data_may_go)
{
    compare_steps(&list, &ledger, found, data_may_go, list.arena, &result);
}

START_TEST(what_stands_is_left)
{
    all_done();
    compare(false);
    for (size_t i = 0; i < list.count; i++)
        ck_assert_int_eq(result.verdicts[i].action, ACTION_NONE);
    ck_assert_uint_eq(result.create + result.update + result.removal_count, 0);
    ck_assert(compare_needs_probe(&list.items[0], &ledger.items[0]));
    ck_assert(!compare_needs_probe(&list.items[2], &ledger.items[2]));
    ck_assert(!compare_needs_probe(&list.items[0], NULL));
}
END_TEST

START_TEST(a_changed_file_reaches_who_watches_it)
{
    all_done();
    list.items[0].files[0].content = STR("2");
    compare(false);
    ck_assert_int_eq(result.verdicts[0].action, ACTION_UPDATE);
    ck_assert_int_eq(result.verdicts[1].action, ACTION_UPDATE);
    ck_assert_str_eq(result.verdicts[1].reason, "/conf changes");
    ck_assert_int_eq(result.verdicts[2].action, ACTION_NONE);
}
END_TEST

START_TEST(what_was_found_wrong_is_done_again)
{
    all_done();
    found[1] = "it is down";
    ledger.items[2].begun = true;
    compare(false);
    ck_assert_str_eq(result.verdicts[1].reason, "it is down");
    ck_assert_int_eq(result.verdicts[1].action, ACTION_UPDATE);
    ck_assert_int_eq(result.verdicts[2].action, ACTION_CREATE);
}
END_TEST

START_TEST(what_is_no_longer_wanted_goes_in_reverse_and_data_stays)
{
    all_done();
    list.count = 0;
    compare(false);
    ck_assert_uint_eq(result.removal_count, 2);
    ck_assert_str_eq(result.removals[0]->id, "a/process");
    ck_assert_str_eq(result.removals[1]->id, "a/files");
    ck_assert_uint_eq(result.kept_data, 1);
    compare(true);
    ck_assert_uint_eq(result.removal_count, 3);
    ck_assert_str_eq(result.removals[0]->id, "b/data");
    ck_assert_uint_eq(result.kept_data, 0);
}
END_TEST

static Suite *compare_suite(void)
{
    Suite *suite = suite_create("self_hosted_compare");
    TCase *tcase = tcase_create("compare");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, what_stands_is_left);
    tcase_add_test(tcase, a_changed_file_reaches_who_watches_it);
    tcase_add_test(tcase, what_was_found_wrong_is_done_again);
    tcase_add_test(tcase, what_is_no_longer_wanted_goes_in_reverse_and_data_stays);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(compare_suite)
