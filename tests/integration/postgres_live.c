#include "tests/integration/postgres_live.h"

#include "lib/core/clock.h"
#include "scrapers/postgres/options.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Check's assertions work within its tests only; postgres_page uses these functions outside of any. */
#define MUST(condition, ...)                                                                                 \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            (void)fprintf(stderr, __VA_ARGS__);                                                              \
            (void)fputc('\n', stderr);                                                                       \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

#define PATIENCE_NS (60 * NS_PER_S)

void live_init(struct live *live)
{
    struct error err;

    *live = (struct live){0};
    MUST(loop_new("scrape", &live->loop, &err) == 0 && resolver_new(2, &live->resolver, &err) == 0, "%s",
         err.message);
    live->hub = hub_new(&(struct hub_options){0});
    live->env = (struct scraper_env){.loop = live->loop,
                                     .resolver = live->resolver,
                                     .hub = live->hub,
                                     .observer = "here",
                                     .region = "home"};
}

void live_deinit(struct live *live)
{
    live_run(live, 20 * NS_PER_MS);
    loop_stop(live->loop);
    loop_run(live->loop, 0);
    hub_free(live->hub);
    loop_free(live->loop);
    resolver_free(live->resolver);
}

void live_run(struct live *live, int64_t duration_ns)
{
    loop_run(live->loop, clock_mono_ns() + duration_ns);
}

void live_wait(struct live *live, bool (*condition)(void *ctx), void *ctx, const char *what)
{
    int64_t until_ns = clock_mono_ns() + PATIENCE_NS;

    while (!condition(ctx)) {
        if (clock_mono_ns() > until_ns) {
            char *page = live_page(live, NULL);
            (void)fprintf(stderr, "%s\n", page);
            free(page);
            MUST(false, "waited in vain for %s", what);
        }
        live_run(live, 10 * NS_PER_MS);
    }
}

struct live_target *live_target_new(struct live *live, const char *name, const char *cluster, const char *dsn,
                                    void (*change)(struct postgres_config *config))
{
    struct live_target *target = xcalloc(1, sizeof *target);
    struct error err;

    target->live = live;
    target->arena = arena_new(0);
    option_defaults(&postgres_section, target->arena, &target->config);
    target->config.target.name = arena_strdup(target->arena, str_from(name));
    target->config.cluster = cluster ? arena_strdup(target->arena, str_from(cluster)) : NULL;
    target->config.dsn = arena_strdup(target->arena, str_from(dsn));
    target->config.target.region = "east";
    target->config.target.timeout_ns = 10 * NS_PER_S;
    target->config.target.max_series = 10000;
    target->config.lag_interval_ns = 100 * NS_PER_MS;
    if (change)
        change(&target->config);
    target->source = hub_register(live->hub, "postgres", name, 1);
    MUST(postgres_scraper.create(&live->env, &target->config, &target->state, &err) == 0, "%s", err.message);
    return target;
}

static void on_destroyed(void *ctx)
{
    struct live_target *target = ctx;
    target->state = NULL;
}

static bool is_destroyed(void *ctx)
{
    struct live_target *target = ctx;
    return !target->state && !target->busy;
}

void live_target_free(struct live_target *target)
{
    if (!target)
        return;
    if (target->busy)
        postgres_scraper.cancel(target->state);
    postgres_scraper.destroy(target->state, on_destroyed, target);
    live_wait(target->live, is_destroyed, target, "the end of a target");
    hub_unregister(target->source);
    arena_free(target->arena);
    free(target);
}

static void on_done(void *ctx, struct snapshot *snapshot, const struct error *err)
{
    struct live_target *target = ctx;
    struct error refused;

    MUST(target->busy, "done() came twice");
    target->busy = false;
    target->scrapes++;
    target->duration_ns = clock_mono_ns() - target->duration_ns;
    target->err = err ? *err : (struct error){0};
    MUST(hub_publish(target->source, snapshot, &refused) == 0, "%s", refused.message);
}

void live_scrape_start(struct live_target *target, int64_t timeout_ns)
{
    MUST(!target->busy, "a scrape is under way");
    target->busy = true;
    target->duration_ns = clock_mono_ns();
    postgres_scraper.scrape(target->state, clock_mono_ns() + timeout_ns, on_done, target);
    MUST(target->busy, "done() came from within scrape()");
}

static bool is_done(void *ctx)
{
    const struct live_target *target = ctx;
    return !target->busy;
}

void live_scrape(struct live_target *target)
{
    live_scrape_start(target, target->config.target.timeout_ns);
    live_wait(target->live, is_done, target, "the end of a scrape");
}

struct found {
    size_t count;
    double first;
};

static bool is_wanted(struct str text, const char *target, const char *labels)
{
    char *all = xstrndup(text);
    char want[200];

    (void)snprintf(want, sizeof want, "target=\"%s\"", target ? target : "");
    bool wanted = (!target || strstr(all, want)) && (!labels || strstr(all, labels));
    free(all);
    return wanted;
}

static void find_in(const struct hub_part *part, const char *target, const char *labels, struct found *found)
{
    for (uint32_t i = 0; i < part->family->series_count; i++) {
        const struct shape_series *series = &part->snapshot->shape->series[part->family->first_series + i];
        if (!is_wanted(shape_series_text(part->snapshot->shape, series), target, labels))
            continue;
        if (found->count++ == 0)
            found->first = value_to_double(snapshot_value(part->snapshot, series->slot));
    }
}

static struct found find(struct live *live, const char *target, const char *name, const char *labels)
{
    struct hub_view *view = hub_view_take(live->hub, NULL, NULL);
    struct found found = {.first = NAN};

    for (uint32_t i = 0; i < view->family_count; i++) {
        if (!str_equal_text(view->families[i].name, name))
            continue;
        for (uint32_t j = 0; j < view->families[i].part_count; j++)
            find_in(&view->parts[view->families[i].first_part + j], target, labels, &found);
    }
    hub_view_unref(view);
    return found;
}

double live_value(struct live *live, const char *target, const char *name, const char *labels)
{
    return find(live, target, name, labels).first;
}

size_t live_count(struct live *live, const char *target, const char *name, const char *labels)
{
    return find(live, target, name, labels).count;
}

char *live_page(struct live *live, const char *target)
{
    struct hub_view *view = hub_view_take(live->hub, NULL, target);
    struct buf page = BUF_INIT(64UL * 1024 * 1024);

    for (uint32_t i = 0; i < view->part_count; i++) {
        const struct hub_part *part = &view->parts[i];
        for (uint32_t j = 0; j < part->family->series_count; j++) {
            const struct shape_series *series =
                &part->snapshot->shape->series[part->family->first_series + j];
            char number[NUMBER_TEXT_MAX];
            char *end = number_write_value(number, snapshot_value(part->snapshot, series->slot));
            buf_printf(&page, "%.*s{%.*s} %.*s\n", STR_ARGS(part->family->name),
                       STR_ARGS(shape_series_text(part->snapshot->shape, series)), (int)(end - number),
                       number);
        }
    }
    hub_view_unref(view);
    buf_append_byte(&page, '\0');
    return buf_take(&page);
}

struct wanted {
    struct live *live;
    const char *target, *name;
    double min, max;
};

static bool is_within(void *ctx)
{
    const struct wanted *wanted = ctx;
    double value = live_value(wanted->live, wanted->target, wanted->name, NULL);
    return value >= wanted->min && value <= wanted->max;
}

static bool is_gone(void *ctx)
{
    const struct wanted *wanted = ctx;
    return live_count(wanted->live, wanted->target, wanted->name, NULL) == 0;
}

void live_wait_value(struct live *live, const char *target, const char *name, double min, double max)
{
    struct wanted wanted = {live, target, name, min, max};
    char what[300];

    (void)snprintf(what, sizeof what, "%s of %s in [%g, %g]", name, target, min, max);
    live_wait(live, is_within, &wanted, what);
}

void live_wait_gone(struct live *live, const char *target, const char *name)
{
    struct wanted wanted = {.live = live, .target = target, .name = name};

    live_wait(live, is_gone, &wanted, name);
}

static pid_t start(const char *const *argv)
{
    pid_t pid = fork();

    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)!freopen("/dev/null", "w", stdout);
        (void)!freopen("/dev/null", "w", stderr);
        (void)execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    MUST(pid > 0, "cannot fork");
    return pid;
}

pid_t live_background_sql(const struct pg_server *server, const char *sql)
{
    return start(
        (const char *const[]){"/usr/bin/psql", "-XAtq", "-d", pg_server_conninfo(server), "-c", sql, NULL});
}

pid_t live_background_load(const struct pg_server *server, const char *seconds)
{
    return start((const char *const[]){"/usr/lib/postgresql/15/bin/pgbench", "-n", "-c", "2", "-T", seconds,
                                       "-d", pg_server_conninfo(server), NULL});
}

void live_background_end(pid_t pid)
{
    (void)kill(pid, SIGTERM);
    (void)waitpid(pid, NULL, 0);
}

void live_sql(struct pg_server *server, const char *sql)
{
    free(pg_server_sql(server, sql));
}
