/* The schedule with a scraper whose scrapes end when the test says so. The table of kinds below takes the
 * place of scrapers/registry.c: the linker takes what the program has itself. */
#include "collector/loop_call.h"
#include "collector/schedule.h"
#include "lib/core/clock.h"
#include "tests/support/support.h"

#include <poll.h>
#include <stdlib.h>

#define TARGETS_MAX 8

struct fake_config {
    struct scraper_target target;
    const char *password;
};

struct fake {
    const struct fake_config *config;
    scraper_done_fn *done;
    void *ctx;
    bool destroyed;
};

static struct loop *loop;
static struct hub *hub;
static struct schedule *schedule;
static struct config *config;
static char *folder;
/* Written on the loop; read there by way of loop_call(). */
static struct fake *fakes[TARGETS_MAX];
static size_t created;
static struct counter begun, destroyed, overlaps;
static struct flag hold, fail;

static void finish(struct fake *fake, const struct error *err)
{
    static const struct metric_desc metric = {"fake_value", METRIC_GAUGE, "Fake.", NULL};
    scraper_done_fn *done = fake->done;
    struct batch *batch = batch_new(&(struct batch_options){0});
    struct label label = LABEL_TEXT("name", fake->config->target.name);
    fake->done = NULL;
    batch_begin(batch);
    batch_put(batch, &metric, &label, 1, VALUE_OF_U64(1));
    done(fake->ctx, err ? NULL : batch_finish(batch, clock_wall_ns(), clock_mono_ns()), err);
    batch_free(batch);
}

static int fake_create(const struct scraper_env *env, const void *own, void **ret_state, struct error *err)
{
    const struct fake_config *fake_config = own;
    (void)env;
    if (strcmp(fake_config->target.name, "impossible") == 0)
        return error_set(err, ERR_CONFIG, "this one cannot be made");
    struct fake *fake = xcalloc(1, sizeof *fake);
    fake->config = fake_config;
    ck_assert_uint_lt(created, TARGETS_MAX);
    fakes[created++] = fake;
    *ret_state = fake;
    return 0;
}

static void fake_scrape(void *state, int64_t deadline_mono_ns, scraper_done_fn *done, void *ctx)
{
    struct fake *fake = state;
    (void)deadline_mono_ns;
    counter_add(&overlaps, fake->done != NULL);
    fake->done = done;
    fake->ctx = ctx;
    counter_add(&begun, 1);
    const struct error failure = {.code = ERR_PEER, .message = "it refuses"};
    if (!flag_get(&hold))
        finish(fake, flag_get(&fail) ? &failure : NULL);
}

static void fake_cancel(void *state)
{
    struct fake *fake = state;
    const struct error cancelled = {.code = ERR_CANCELLED, .message = "cancelled"};
    if (fake->done)
        finish(fake, &cancelled);
}

static void fake_destroy(void *state, loop_fn *ended, void *ctx)
{
    struct fake *fake = state;
    ck_assert_ptr_null(fake->done);
    ck_assert_str_ne(fake->config->target.name, ""); /* the configuration is alive until now */
    fake->destroyed = true;
    counter_add(&destroyed, 1);
    ck_assert(loop_post(loop, "fake.destroyed", ended, ctx)); /* later, as real ones do */
}

static void fake_address(const void *own, char *text, size_t size)
{
    (void)own;
    (void)snprintf(text, size, "fake:1");
}

static const struct option fake_options[] = {
    SCRAPER_TARGET_OPTIONS(struct fake_config),
    {.name = "password",
     .type = OPT_STRING,
     .offset = offsetof(struct fake_config, password),
     .secret = true,
     .help = "Secret."},
};

static const struct option_section fake_section = {.name = "scrapers.fake[]",
                                                   .help = "Fake.",
                                                   .size = sizeof(struct fake_config),
                                                   .options = fake_options,
                                                   .option_count = ARRAY_LEN(fake_options),
                                                   .has_position = true,
                                                   .position_offset =
                                                       offsetof(struct fake_config, target.position)};

static const struct scraper_kind fake_kind = {.name = "fake",
                                              .section = &fake_section,
                                              .address = fake_address,
                                              .create = fake_create,
                                              .scrape = fake_scrape,
                                              .cancel = fake_cancel,
                                              .destroy = fake_destroy};

const struct scraper_kind *const scraper_kinds[] = {&fake_kind, NULL};

const struct scraper_kind *scraper_kind_find(const char *name)
{
    return strcmp(name, fake_kind.name) == 0 ? &fake_kind : NULL;
}

/* --- fixture
 * ------------------------------------------------------------------------------------------------------- */

static int make(void *arg, struct error *err)
{
    (void)arg;
    const struct scraper_env env = {.loop = loop, .hub = hub, .observer = "o", .region = "r"};
    return schedule_new(&env, &schedule, err);
}

static int take_over(void *arg, struct error *err)
{
    (void)err;
    schedule_configure(schedule, arg);
    return 0;
}

static void configure(const char *targets)
{
    char *path = test_path(folder, "main.yaml"), text[2048];
    (void)snprintf(text, sizeof text,
                   "version: 1\ndefaults: { interval: 100ms, timeout: 100ms }\nscrapers:\n  fake:\n%s",
                   targets);
    test_file_write(path, str_from(text));
    struct diag diag;
    struct config *next;
    struct error err = {0};
    diag_init(&diag);
    int code = config_load(path, true, &next, &diag);
    char *said = test_diag_text(&diag);
    ck_assert_msg(code == 0, "%s", said);
    free(said);
    diag_deinit(&diag);
    free(path);
    ck_assert_int_eq(loop_call(loop, "configure", take_over, next, &err), 0);
    (void)config_unref(config); /* only the schedule's own references keep the former one alive */
    config = next;
}

static void begin(void)
{
    struct error err = {0};
    folder = test_folder_new();
    config = NULL;
    created = 0;
    counter_set(&begun, 0);
    counter_set(&destroyed, 0);
    counter_set(&overlaps, 0);
    flag_set(&hold, 0);
    flag_set(&fail, 0);
    hub = hub_new(&(struct hub_options){0});
    ck_assert_int_eq(loop_new("scrape", &loop, &err), 0);
    ck_assert_int_eq(loop_start(loop, &err), 0);
    ck_assert_int_eq(loop_call(loop, "make", make, NULL, &err), 0);
}

static void begin_free(void *arg, loop_fn *ended, void *ctx)
{
    schedule_free(arg, ended, ctx);
}

static void free_schedule(void)
{
    if (schedule)
        loop_call_close(loop, "schedule_free", begin_free, schedule);
    schedule = NULL;
}

static void end(void)
{
    free_schedule();
    loop_stop(loop);
    loop_join(loop);
    loop_free(loop);
    ck_assert_uint_eq(counter_get(&overlaps), 0);
    for (size_t i = 0; i < created; i++) {
        ck_assert(fakes[i]->destroyed);
        free(fakes[i]);
    }
    struct hub_stats stats;
    hub_stats(hub, &stats);
    ck_assert_uint_eq(stats.sources, 0);
    hub_free(hub);
    (void)config_unref(config);
    test_folder_remove(folder);
}

static void await(const struct counter *counter, uint64_t least)
{
    while (counter_get(counter) < least)
        (void)poll(NULL, 0, 1);
}

struct look {
    const char *name;
    struct schedule_status status;
    size_t count;
};

static void copy_status(void *ctx, const struct schedule_status *status)
{
    struct look *look = ctx;
    if (strcmp(status->name, look->name) != 0)
        return;
    look->status = *status;
    look->count++;
}

static struct schedule_status status_of(const char *name)
{
    struct look look = {.name = name};
    schedule_status(schedule, copy_status, &look);
    ck_assert_uint_eq(look.count, 1);
    return look.status;
}

static int finish_first(void *arg, struct error *err)
{
    (void)arg;
    (void)err;
    flag_set(&hold, 0);
    ck_assert_ptr_nonnull(fakes[0]->done);
    finish(fakes[0], NULL);
    return 0;
}

static uint64_t hub_families(const char *target)
{
    struct hub_view *view = hub_view_take(hub, NULL, target);
    uint64_t count = view->family_count;
    (void)hub_view_unref(view);
    return count;
}

/* --- tests
 * ---------------------------------------------------------------------------------------------------------
 */

START_TEST(it_scrapes_again_and_again_and_publishes)
{
    configure("    - { name: a }\n    - { name: b, region: elsewhere }\n");
    while (status_of("a").scrapes < 3 || status_of("b").scrapes < 3)
        (void)poll(NULL, 0, 1);
    struct schedule_status status = status_of("b");
    ck_assert(status.up);
    ck_assert_str_eq(status.error, "");
    ck_assert_str_eq(status.region, "elsewhere");
    ck_assert_uint_eq(status.series, 1);
    ck_assert_int_gt(status.last_success_wall_ns, 0);
    ck_assert_uint_gt(hub_families("a"), 1); /* fake_value and fraiseql_target_* */
}
END_TEST

START_TEST(a_failure_is_told_and_withdraws_what_was_observed)
{
    configure("    - { name: a }\n");
    /* A status is told before its target's own series are published: with the second scrape, those of the
     * first are out. */
    while (status_of("a").scrapes < 2)
        (void)poll(NULL, 0, 1);
    uint64_t families = hub_families("a");
    flag_set(&fail, 1);
    while (!status_of("a").failures)
        (void)poll(NULL, 0, 1);
    struct schedule_status status = status_of("a");
    ck_assert(!status.up);
    ck_assert_contains(status.error, "it refuses");
    ck_assert_uint_eq(status.series, 0);
    while (hub_families("a") != families - 1)
        (void)poll(NULL, 0, 1);
    flag_set(&fail, 0);
    while (!status_of("a").up)
        (void)poll(NULL, 0, 1);
    ck_assert_str_eq(status_of("a").error, "");
}
END_TEST

START_TEST(what_is_due_during_a_scrape_is_skipped_and_counted)
{
    flag_set(&hold, 1);
    configure("    - { name: a }\n");
    while (status_of("a").skipped < 3)
        (void)poll(NULL, 0, 1);
    ck_assert_uint_eq(counter_get(&begun), 1);
    struct error err = {0};
    ck_assert_int_eq(loop_call(loop, "finish", finish_first, NULL, &err), 0);
    await(&begun, 2);
    ck_assert(status_of("a").up);
}
END_TEST

START_TEST(a_reload_leaves_equal_targets_alone)
{
    configure("    - { name: a, password: one }\n    - { name: b, password: one }\n    - { name: c }\n");
    while (status_of("a").scrapes < 2)
        (void)poll(NULL, 0, 1);
    ck_assert_uint_eq(created, 3);
    /* a is as it was (in another place), b has another secret, c has gone, d is new. */
    configure("    - { name: d }\n    - { name: b, password: two }\n    - { password: one, name: a }\n");
    await(&destroyed, 2);
    ck_assert_uint_eq(created, 5);
    ck_assert(!fakes[0]->destroyed);
    ck_assert(fakes[1]->destroyed);
    ck_assert(fakes[2]->destroyed);
    ck_assert_uint_ge(status_of("a").scrapes, 2); /* its counts went on */
    struct look look = {.name = "c"};
    schedule_status(schedule, copy_status, &look);
    ck_assert_uint_eq(look.count, 0);
    uint64_t before = status_of("a").scrapes;
    while (status_of("a").scrapes < before + 2 || !status_of("b").scrapes || !status_of("d").scrapes)
        (void)poll(NULL, 0, 1);
    ck_assert_uint_eq(hub_families("c"), 0);
}
END_TEST

START_TEST(a_changed_interval_makes_it_anew)
{
    configure("    - { name: a }\n");
    configure("    - { name: a, interval: 200ms }\n");
    await(&destroyed, 1);
    ck_assert_uint_eq(created, 2);
    ck_assert(!fakes[1]->destroyed);
}
END_TEST

START_TEST(what_cannot_be_made_is_down_and_says_why)
{
    configure("    - { name: impossible }\n");
    struct schedule_status status = status_of("impossible");
    ck_assert(status.seen);
    ck_assert(!status.up);
    ck_assert_contains(status.error, "cannot be made");
    ck_assert_uint_gt(hub_families("impossible"), 0); /* fraiseql_target_up 0 */
}
END_TEST

START_TEST(it_ends_in_the_middle_of_a_scrape)
{
    flag_set(&hold, 1);
    configure("    - { name: a }\n    - { name: b }\n");
    await(&begun, 2);
    configure("    - { name: b }\n"); /* a goes with its scrape under way */
    await(&destroyed, 1);
    free_schedule();
    ck_assert_uint_eq(counter_get(&destroyed), 2);
}
END_TEST

START_TEST(one_without_targets_ends)
{
    free_schedule();
    ck_assert_uint_eq(created, 0);
}
END_TEST

static Suite *schedule_suite(void)
{
    Suite *suite = suite_create("schedule");
    TCase *tcase = tcase_create("schedule");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, it_scrapes_again_and_again_and_publishes);
    tcase_add_test(tcase, a_failure_is_told_and_withdraws_what_was_observed);
    tcase_add_test(tcase, what_is_due_during_a_scrape_is_skipped_and_counted);
    tcase_add_test(tcase, a_reload_leaves_equal_targets_alone);
    tcase_add_test(tcase, a_changed_interval_makes_it_anew);
    tcase_add_test(tcase, what_cannot_be_made_is_down_and_says_why);
    tcase_add_test(tcase, it_ends_in_the_middle_of_a_scrape);
    tcase_add_test(tcase, one_without_targets_ends);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(schedule_suite)
