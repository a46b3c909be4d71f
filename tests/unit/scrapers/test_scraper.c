#include "scrapers/scraper.h"

#include "lib/core/yaml.h"
#include "tests/support/support.h"

static struct arena *arena;
static struct diag diag;

static void judge(int64_t interval_ns, int64_t timeout_ns)
{
    const struct scraper_target target = {.interval_ns = interval_ns, .timeout_ns = timeout_ns};
    struct node *root = NULL;
    arena = arena_new(0);
    diag_init(&diag);
    ck_assert_int_eq(yaml_parse(arena, "c.yaml", STR("{ name: a }"), &root, &diag), 0);
    scraper_target_check(&target, root, &diag);
}

static void done(void)
{
    diag_deinit(&diag);
    arena_free(arena);
}

START_TEST(a_timeout_above_its_interval_is_refused)
{
    judge(NS_PER_S, 2 * NS_PER_S);
    ck_assert_uint_eq(diag.count, 1);
    done();
}
END_TEST

START_TEST(defaults_are_judged_where_they_are_known)
{
    judge(0, 2 * NS_PER_S);
    ck_assert_uint_eq(diag.count, 0);
    done();
    judge(NS_PER_S, NS_PER_S);
    ck_assert_uint_eq(diag.count, 0);
    done();
}
END_TEST

static Suite *scraper_suite(void)
{
    Suite *suite = suite_create("scraper");
    TCase *tests = tcase_create("scraper");
    tcase_add_test(tests, a_timeout_above_its_interval_is_refused);
    tcase_add_test(tests, defaults_are_judged_where_they_are_known);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(scraper_suite)
