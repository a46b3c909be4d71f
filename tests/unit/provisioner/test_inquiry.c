#include "provisioner/inquiry.h"

#include "lib/core/clock.h"
#include "tests/support/support.h"

#include <stdlib.h>

static struct arena *arena;
static struct inquiry inquiry;
static struct credential_check check;
static struct error err;
static const struct region region = {.name = "eu"};

static void begin(void)
{
    arena = arena_new(0);
    err = (struct error){0};
    check = (struct credential_check){.region = "eu"};
    inquiry = (struct inquiry){.region = &region,
                               .deadline_mono_ns = clock_mono_ns() + 10 * NS_PER_S,
                               .arena = arena,
                               .check = &check,
                               .err = &err,
                               .mend = "log in"};
}

static void end(void)
{
    arena_free(arena);
}

/* A sign-in that is over at once, as `code` says. */
struct quick {
    int code;
    const char *identity;
    unsigned *freed;
};

static int quick_next(void *state, const struct http_response *answer, const struct error *failure,
                      int64_t wall_ns, enum signin_step *ret_step, struct http_request *ret_request,
                      struct error *ret_err)
{
    const struct quick *quick = state;
    (void)answer, (void)failure, (void)wall_ns, (void)ret_request;
    *ret_step = SIGNIN_READY;
    return quick->code ? error_set(ret_err, quick->code, "not so") : 0;
}

static void quick_token(const void *state, struct cloud_token *ret_token)
{
    const struct quick *quick = state;
    *ret_token = (struct cloud_token){.source = "a file", .identity = quick->identity};
}

static void quick_free(void *state)
{
    struct quick *quick = state;
    ++*quick->freed;
    free(quick);
}

static int asked;

static int ask(void *own)
{
    ck_assert_ptr_eq(own, &inquiry);
    ck_assert_ptr_nonnull(inquiry.client);
    asked++;
    return ERR_LIMIT;
}

static int run(int code, const char *identity)
{
    static const struct signin_ops ops = {quick_next, quick_token, quick_free};
    unsigned freed = 0;
    struct quick *quick = xcalloc(1, sizeof *quick);
    *quick = (struct quick){code, identity, &freed};
    asked = 0;
    int result = inquiry_run(&inquiry, signin_new(&ops, quick), signin_wait, ask, &inquiry);
    ck_assert_uint_eq(freed, 1);
    return result;
}

START_TEST(who_signs_in_is_asked_about)
{
    ck_assert_int_eq(run(0, "jo"), ERR_LIMIT);
    ck_assert_int_eq(asked, 1);
    ck_assert_str_eq(check.identity, "jo");
    ck_assert_str_eq(inquiry_who(&inquiry), "jo");
    check.identity = NULL;
    ck_assert_int_eq(run(0, NULL), ERR_LIMIT);
    ck_assert_ptr_null(check.identity);
    ck_assert_str_eq(inquiry_who(&inquiry), "a file");
}
END_TEST

START_TEST(a_refused_sign_in_is_an_answer)
{
    ck_assert_int_eq(run(ERR_AUTH, NULL), 0);
    ck_assert_str_eq(check.problem, "not so");
    ck_assert_str_eq(check.mend, "log in");
    ck_assert_int_eq(asked + err.code, 0);
}
END_TEST

START_TEST(what_nobody_could_judge_is_handed_up)
{
    ck_assert_int_eq(run(ERR_UNAVAILABLE, NULL), ERR_UNAVAILABLE);
    ck_assert_ptr_null(check.problem);
    ck_assert_str_eq(err.message, "not so");
    inquiry.err = NULL;
    ck_assert_int_eq(run(ERR_PEER, NULL), ERR_PEER);
}
END_TEST

START_TEST(an_error_says_where_and_what_mends_it)
{
    struct error reason = {0};
    (void)error_set(&reason, ERR_CONFIG, "no such key");
    error_set_detail(&reason, "said it");
    error_set_hint(&reason, "make one");
    ck_assert_int_eq(inquiry_failed(&inquiry, &reason), 0);
    ck_assert_str_eq(check.problem, "no such key: said it");
    ck_assert_str_eq(check.mend, "make one");
    error_set_position(&reason, "config", 3, 0);
    ck_assert_int_eq(inquiry_failed(&inquiry, &reason), 0);
    ck_assert_str_eq(check.problem, "config:3: no such key");
}
END_TEST

START_TEST(four_of_what_is_missing_are_shown)
{
    const char *missing[] = {"a", "b", "c", "d", "e", "f"};
    ck_assert_str_eq(inquiry_missing(&inquiry, missing, 0), "");
    ck_assert_str_eq(inquiry_missing(&inquiry, missing, 4), "a, b, c, d");
    ck_assert_str_eq(inquiry_missing(&inquiry, missing, 6), "a, b, c, d and 2 more");
    ck_assert_uint_eq(check.missing.count, 6);
}
END_TEST

START_TEST(names_that_begin_alike)
{
    const char *names[3];
    ck_assert_uint_eq(inquiry_names("a.", "", arena, NULL), 0);
    ck_assert_uint_eq(inquiry_names("a.", "get delete  use", arena, NULL), 3);
    ck_assert_uint_eq(inquiry_names("a.", "get delete  use", arena, names), 3);
    ck_assert_str_eq(names[0], "a.get");
    ck_assert_str_eq(names[1], "a.delete");
    ck_assert_str_eq(names[2], "a.use");
}
END_TEST

START_TEST(notes_and_objects)
{
    const struct node *root = NULL;
    inquiry_note(&inquiry, "one");
    ck_assert_str_eq(check.note, "one");
    inquiry_note(&inquiry, "two");
    ck_assert_str_eq(check.note, "one; two");
    ck_assert_int_eq(inquiry_object(&inquiry, "https://x", STR("{\"a\":\"b\"}"), &root), 0);
    ck_assert(str_equal(node_text(root, "a"), STR("b")));
    ck_assert_int_eq(inquiry_object(&inquiry, "https://x", STR("[]"), &root), ERR_PEER);
    ck_assert_int_eq(inquiry_object(&inquiry, "https://x", STR("<html>"), &root), ERR_PEER);
    ck_assert_str_eq(err.message, "https://x answered with something else than what is asked for");
}
END_TEST

static Suite *inquiry_suite(void)
{
    Suite *suite = suite_create("inquiry");
    TCase *tcase = tcase_create("inquiry");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, who_signs_in_is_asked_about);
    tcase_add_test(tcase, a_refused_sign_in_is_an_answer);
    tcase_add_test(tcase, what_nobody_could_judge_is_handed_up);
    tcase_add_test(tcase, an_error_says_where_and_what_mends_it);
    tcase_add_test(tcase, four_of_what_is_missing_are_shown);
    tcase_add_test(tcase, names_that_begin_alike);
    tcase_add_test(tcase, notes_and_objects);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(inquiry_suite)
