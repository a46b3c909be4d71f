#include "lib/metrics/hub.h"

#include "lib/metrics/batch.h"
#include "tests/support/support.h"

#include <pthread.h>
#include <stdlib.h>

static struct snapshot *one_gauge(struct batch *batch, const char *name, enum metric_type type,
                                  uint64_t value)
{
    struct metric_desc desc = {name, type, "Help", NULL};
    batch_begin(batch);
    batch_put(batch, &desc, NULL, 0, VALUE_OF_U64(value));
    return batch_finish(batch, 0, 0);
}

static struct batch *batch_of(const char *target)
{
    struct label label = LABEL_TEXT("target", target);
    struct batch_options options = {.common = &label, .common_count = 1};
    return batch_new(&options);
}

static void publish(struct hub_source *source, struct snapshot *snapshot)
{
    struct error err;
    ck_assert_int_eq(hub_publish(source, snapshot, &err), 0);
}

START_TEST(views_are_what_was_published)
{
    struct hub *hub = hub_new(NULL);
    struct hub_source *late = hub_register(hub, "s", "late", 2), *early = hub_register(hub, "s", "early", 1);
    struct batch *late_batch = batch_of("late"), *early_batch = batch_of("early");
    publish(late, one_gauge(late_batch, "a", METRIC_GAUGE, 1));
    publish(early, one_gauge(early_batch, "a", METRIC_GAUGE, 2));
    struct hub_view *view = hub_view_take(hub, NULL, NULL);
    publish(early, one_gauge(early_batch, "a", METRIC_GAUGE, 3)); /* does not change the view */
    ck_assert_uint_eq(view->family_count, 1);
    ck_assert_uint_eq(view->part_count, 2);
    ck_assert_uint_eq(view->series_count, 2);
    ck_assert_uint_eq(view->parts[0].snapshot->bits[0], 2); /* in the order of configuration */
    ck_assert_uint_eq(view->parts[1].snapshot->bits[0], 1);
    struct hub_view *next = hub_view_take(hub, NULL, NULL);
    ck_assert_uint_eq(next->parts[0].snapshot->bits[0], 3);
    ck_assert_ptr_eq(next->families, view->families); /* the plan is shared while shapes stay */
    hub_unregister(early);
    struct hub_view *last = hub_view_take(hub, NULL, NULL);
    ck_assert_uint_eq(last->part_count, 1);
    publish(late, NULL);
    hub_unregister(late);
    batch_free(late_batch);
    batch_free(early_batch);
    ck_assert_uint_eq(view->parts[0].snapshot->bits[0], 2);
    ck_assert(str_equal(view->families[0].name, STR("a")));
    (void)hub_view_unref(last);
    (void)hub_view_unref(next);
    (void)hub_view_unref(view);
    hub_free(hub);
}
END_TEST

START_TEST(views_of_a_part)
{
    struct hub *hub = hub_new(NULL);
    static const char *const names[][2] = {{"pg", "x"}, {"pg", "y"}, {"http", "x"}};
    struct hub_source *sources[3];
    struct batch *batch = batch_of("t");
    for (uint32_t i = 0; i < 3; i++) {
        sources[i] = hub_register(hub, names[i][0], names[i][1], i);
        publish(sources[i], one_gauge(batch, "a", METRIC_GAUGE, i));
    }
    static const struct {
        const char *scraper, *target;
        uint32_t parts;
    } cases[] = {{"pg", NULL, 2}, {NULL, "x", 2}, {"http", "x", 1}, {"http", "y", 0}, {NULL, NULL, 3}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct hub_view *view = hub_view_take(hub, cases[i].scraper, cases[i].target);
        ck_assert_uint_eq(view->part_count, cases[i].parts);
        ck_assert_uint_eq(view->source_count, cases[i].parts);
        /* One series from all of them: shown once. */
        ck_assert_uint_eq(view->duplicate_count, cases[i].parts ? cases[i].parts - 1 : 0);
        (void)hub_view_unref(view);
    }
    for (int i = 0; i < 3; i++)
        hub_unregister(sources[i]);
    batch_free(batch);
    hub_free(hub);
}
END_TEST

static void keep_conflict(void *ctx, const struct hub_conflict *conflict)
{
    struct hub_conflict *kept = ctx;
    *kept = *conflict;
    ck_assert_str_eq(conflict->family, "a");
    ck_assert_str_eq(conflict->kept_target, "first");
    ck_assert_str_eq(conflict->left_out_target, "second");
}

START_TEST(of_two_types_the_first_source_wins)
{
    struct hub *hub = hub_new(NULL);
    struct hub_source *second = hub_register(hub, "s", "second", 5),
                      *first = hub_register(hub, "s", "first", 1);
    struct batch *one = batch_of("first"), *two = batch_of("second");
    publish(second, one_gauge(two, "a", METRIC_COUNTER, 1));
    publish(first, one_gauge(one, "a", METRIC_GAUGE, 1));
    struct hub_view *view = hub_view_take(hub, NULL, NULL), *part = hub_view_take(hub, NULL, "second");
    ck_assert_uint_eq(view->part_count, 1);
    ck_assert_int_eq(view->families[0].type, METRIC_GAUGE);
    ck_assert_uint_eq(part->part_count, 0); /* the same on a part of the page */
    struct hub_conflict conflict = {0};
    hub_conflicts(hub, keep_conflict, &conflict);
    ck_assert_int_eq(conflict.kept_type, METRIC_GAUGE);
    ck_assert_int_eq(conflict.left_out_type, METRIC_COUNTER);
    struct hub_stats stats;
    hub_stats(hub, &stats);
    ck_assert_uint_eq(stats.conflicts, 1);
    ck_assert_uint_eq(stats.sources, 2);
    ck_assert_uint_eq(stats.publishes, 2);
    ck_assert_uint_gt(stats.bytes, 0);
    (void)hub_view_unref(view);
    (void)hub_view_unref(part);
    hub_unregister(first);
    hub_unregister(second);
    batch_free(one);
    batch_free(two);
    hub_free(hub);
}
END_TEST

START_TEST(over_the_limit_is_refused_and_withdrawn)
{
    struct hub_options options = {.max_series = 2};
    struct hub *hub = hub_new(&options);
    struct hub_source *source = hub_register(hub, "s", "t", 0), *other = hub_register(hub, "s", "u", 0);
    struct batch *batch = batch_of("t"), *other_batch = batch_of("u");
    publish(source, one_gauge(batch, "a", METRIC_GAUGE, 1));
    publish(other, one_gauge(other_batch, "a", METRIC_GAUGE, 1));
    publish(other, one_gauge(other_batch, "a", METRIC_GAUGE, 2)); /* replaces: no more than before */
    struct metric_desc desc = {"a", METRIC_GAUGE, "", NULL};
    batch_begin(batch);
    struct label labels[] = {LABEL_TEXT("x", "1")};
    batch_put(batch, &desc, labels, 1, VALUE_OF_U64(1));
    batch_put(batch, &desc, NULL, 0, VALUE_OF_U64(1));
    struct error err;
    ck_assert_int_eq(hub_publish(source, batch_finish(batch, 0, 0), &err), ERR_LIMIT);
    ck_assert_contains(err.message, "would pass the limit of 2");
    struct hub_stats stats;
    hub_stats(hub, &stats);
    ck_assert_uint_eq(stats.series, 1);
    ck_assert_uint_eq(stats.refused, 1);
    hub_set_max_series(hub, 3);
    batch_begin(batch);
    batch_put(batch, &desc, labels, 1, VALUE_OF_U64(1));
    batch_put(batch, &desc, NULL, 0, VALUE_OF_U64(1));
    publish(source, batch_finish(batch, 0, 0));
    hub_unregister(source);
    hub_unregister(other);
    batch_free(batch);
    batch_free(other_batch);
    hub_free(hub);
}
END_TEST

struct seen {
    unsigned publishes, withdrawals;
    uint64_t last;
};

static void observe(void *ctx, const struct hub_source *source, struct snapshot *snapshot)
{
    struct seen *seen = ctx;
    ck_assert_str_eq(hub_source_target(source), "t");
    ck_assert_str_eq(hub_source_scraper(source), "s");
    ck_assert_uint_gt(hub_source_id(source), 0);
    if (snapshot)
        seen->last = snapshot->bits[0];
    seen->publishes += snapshot != NULL;
    seen->withdrawals += snapshot == NULL;
}

START_TEST(observers_hear_of_every_publish)
{
    struct hub *hub = hub_new(NULL);
    struct seen seen = {0};
    hub_observe(hub, observe, &seen);
    struct hub_source *source = hub_register(hub, "s", "t", 0);
    struct batch *batch = batch_of("t");
    publish(source, one_gauge(batch, "a", METRIC_GAUGE, 41));
    publish(source, one_gauge(batch, "a", METRIC_GAUGE, 42));
    publish(source, NULL);
    publish(source, one_gauge(batch, "a", METRIC_GAUGE, 43));
    hub_unregister(source);
    ck_assert_uint_eq(seen.publishes, 3);
    ck_assert_uint_eq(seen.withdrawals, 2);
    ck_assert_uint_eq(seen.last, 43);
    batch_free(batch);
    hub_free(hub);
}
END_TEST

/* Publishers whose shapes change, come and go, and readers of everything: for the thread sanitizer. */
#define THREADS 4
#define ROUNDS  400

struct worker {
    struct hub *hub;
    unsigned number;
    pthread_t thread;
};

static void *publisher(void *argument)
{
    struct worker *worker = argument;
    char target[16];
    (void)snprintf(target, sizeof target, "t%u", worker->number);
    struct batch *batch = batch_of(target);
    struct hub_source *source = hub_register(worker->hub, "s", target, worker->number);
    unsigned seed = worker->number;
    for (int round = 0; round < ROUNDS; round++) {
        static const char *const names[] = {"a", "b", "c"};
        enum metric_type type = rand_r(&seed) % 10 ? METRIC_GAUGE : METRIC_COUNTER;
        struct error err;
        if (rand_r(&seed) % 20 == 0)
            (void)!hub_publish(source, NULL, &err);
        else
            (void)!hub_publish(source, one_gauge(batch, names[rand_r(&seed) % 3], type, (uint64_t)round),
                               &err);
        if (rand_r(&seed) % 50 == 0) {
            hub_unregister(source);
            source = hub_register(worker->hub, "s", target, worker->number);
        }
    }
    hub_unregister(source);
    batch_free(batch);
    return NULL;
}

static void ignore_conflict(void *ctx, const struct hub_conflict *conflict)
{
    *(size_t *)ctx += strlen(conflict->kept_target) + strlen(conflict->family);
}

static void *reader(void *argument)
{
    struct worker *worker = argument;
    uint64_t sum = 0;
    size_t conflicts = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct hub_view *view = hub_view_take(worker->hub, NULL, round % 3 ? NULL : "t1");
        for (uint32_t f = 0; f < view->family_count; f++) {
            const struct hub_family *family = &view->families[f];
            for (uint32_t p = family->first_part; p < family->first_part + family->part_count; p++) {
                const struct hub_part *part = &view->parts[p];
                ck_assert(str_equal(part->family->name, family->name));
                sum += part->snapshot->bits[part->family->first_series];
            }
        }
        (void)hub_view_unref(view);
        struct hub_stats stats;
        hub_stats(worker->hub, &stats);
        hub_conflicts(worker->hub, ignore_conflict, &conflicts);
    }
    ck_assert_uint_lt(sum, UINT64_MAX);
    return NULL;
}

START_TEST(many_threads)
{
    struct hub *hub = hub_new(NULL);
    struct worker workers[2 * THREADS];
    for (unsigned i = 0; i < 2 * THREADS; i++) {
        workers[i] = (struct worker){.hub = hub, .number = i};
        ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, i % 2 ? reader : publisher, &workers[i]),
                         0);
    }
    for (unsigned i = 0; i < 2 * THREADS; i++)
        (void)pthread_join(workers[i].thread, NULL);
    hub_free(hub);
}
END_TEST

static Suite *hub_suite(void)
{
    Suite *suite = suite_create("hub");
    TCase *tests = tcase_create("hub");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, views_are_what_was_published);
    tcase_add_test(tests, views_of_a_part);
    tcase_add_test(tests, of_two_types_the_first_source_wins);
    tcase_add_test(tests, over_the_limit_is_refused_and_withdrawn);
    tcase_add_test(tests, observers_hear_of_every_publish);
    tcase_add_test(tests, many_threads);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(hub_suite)
