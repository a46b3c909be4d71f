#include "collector/loop_call.h"
#include "tests/support/support.h"

static int add_one(void *arg, struct error *err)
{
    int *number = arg;
    (*number)++;
    return *number == 2 ? error_set(err, ERR_PEER, "two") : 0;
}

static void end_at_once(void *arg, loop_fn *ended, void *ctx)
{
    *(int *)arg = 7;
    ended(ctx);
}

START_TEST(it_waits_for_the_function_and_hands_back_its_code)
{
    struct loop *loop;
    struct error err = {0};
    ck_assert_int_eq(loop_new("test", &loop, &err), 0);
    ck_assert_int_eq(loop_start(loop, &err), 0);
    int number = 0;
    ck_assert_int_eq(loop_call(loop, "add_one", add_one, &number, &err), 0);
    ck_assert_int_eq(number, 1);
    ck_assert_int_eq(loop_call(loop, "add_one", add_one, &number, &err), ERR_PEER);
    ck_assert_str_eq(err.message, "two");
    loop_call_close(loop, "end", end_at_once, &number);
    ck_assert_int_eq(number, 7);
    loop_stop(loop);
    loop_join(loop);
    ck_assert_int_eq(loop_call(loop, "add_one", add_one, &number, &err), ERR_CANCELLED);
    ck_assert_int_eq(number, 7);
    loop_free(loop);
}
END_TEST

static Suite *loop_call_suite(void)
{
    Suite *suite = suite_create("loop_call");
    TCase *tcase = tcase_create("loop_call");
    tcase_add_test(tcase, it_waits_for_the_function_and_hands_back_its_code);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(loop_call_suite)
