#include "provisioner/run/credentials.h"
#include "tests/support/support.h"

static struct arena *arena;
static const char *missing[] = {"rds:CreateDBInstance"};

/* What the provider of the next question answers. */
static struct {
    int code;
    struct credential_check check;
    const char *file;
} next;

static int answer(const struct deployment *deployment, const struct region *region, int64_t deadline_mono_ns,
                  struct arena *to, struct credential_check *ret_check, struct error *err)
{
    (void)deployment;
    (void)region;
    (void)to;
    ck_assert_int_eq(deadline_mono_ns, 7);
    *ret_check = next.check;
    if (next.code) {
        (void)error_set(err, next.code, "no way");
        error_set_hint(err, "another way");
    }
    if (next.file)
        error_set_position(err, next.file, 3, 0);
    return next.code;
}

static const struct provider asked = {.name = "aws", .title = "AWS", .validate_credentials = answer};
static const struct provider unasked = {.name = "other", .title = "Other"};

static void begin(void)
{
    arena = arena_new(0);
    memset(&next, 0, sizeof next);
}

static void end(void)
{
    arena_free(arena);
}

static struct credential_answer ask(const struct provider *provider)
{
    struct region *region = arena_zalloc(arena, sizeof *region);
    struct credential_answer ret;
    region->name = "us";
    region->provider = provider;
    credential_ask(NULL, region, 7, arena, &ret);
    ck_assert_str_eq(ret.check.region, "us");
    ck_assert_str_eq(ret.check.provider, provider->name);
    return ret;
}

START_TEST(what_was_allowed_and_what_was_not)
{
    next.check = (struct credential_check){.ok = true, .identity = "me"};
    struct credential_answer ret = ask(&asked);
    ck_assert_int_eq(ret.state, CREDENTIALS_OK);
    ck_assert_str_eq(ret.check.identity, "me");
    next.check = (struct credential_check){.missing = {1, missing}, .problem = "may not"};
    ck_assert_int_eq(ask(&asked).state, CREDENTIALS_LACKING);
    next.check = (struct credential_check){0};
    ret = ask(&asked);
    ck_assert_int_eq(ret.state, CREDENTIALS_REFUSED);
    ck_assert_str_eq(ret.check.problem, "the credentials were refused");
}
END_TEST

START_TEST(what_could_not_be_asked)
{
    next.code = ERR_UNAVAILABLE;
    next.check.ok = true;
    struct credential_answer ret = ask(&asked);
    ck_assert_int_eq(ret.state, CREDENTIALS_UNKNOWN);
    ck_assert(!ret.check.ok);
    ck_assert_str_eq(ret.check.problem, "no way");
    ck_assert_str_eq(ret.check.mend, "another way");
    next.file = "config";
    ck_assert_str_eq(ask(&asked).check.problem, "config:3: no way");
    ret = ask(&unasked);
    ck_assert_int_eq(ret.state, CREDENTIALS_UNASKED);
    ck_assert_str_eq(ret.check.note,
                     "this version does not ask Other who we are; terraform does when it plans");
}
END_TEST

START_TEST(every_state_has_a_word)
{
    for (int state = CREDENTIALS_OK; state <= CREDENTIALS_UNASKED; state++)
        ck_assert_ptr_nonnull(credential_state_text((enum credential_state)state));
}
END_TEST

static Suite *credentials_suite(void)
{
    Suite *suite = suite_create("run_credentials");
    TCase *tcase = tcase_create("run_credentials");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, what_was_allowed_and_what_was_not);
    tcase_add_test(tcase, what_could_not_be_asked);
    tcase_add_test(tcase, every_state_has_a_word);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(credentials_suite)
