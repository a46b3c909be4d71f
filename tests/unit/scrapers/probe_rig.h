/* For tests of the probes: a set on a loop of its own, configured from YAML, with its events and its latest
 * snapshot. */
#ifndef FRAISEQL_TESTS_PROBE_RIG_H
#define FRAISEQL_TESTS_PROBE_RIG_H

#include "scrapers/probe/probe_config.h"
#include "tests/unit/scrapers/loop_rig.h"

#define PROBE_RIG_PROBES 64
#define PROBE_RIG_JUDGED 2 /* good or bad outcomes that a verdict is taken from */

struct probe_rig_event {
    char probe[32];
    enum sli_outcome outcome;
    int64_t mono_ns, duration_ns, interval_ns;
};

struct probe_rig {
    struct rig rig;
    struct hub *hub;
    struct probe_set *set;
    struct arena *arena;
    const struct probe_config *configs[PROBE_RIG_PROBES];
    size_t config_count;
    int configure_rc;
    bool forget; /* the events of before, when the next configuration is applied */
    struct error configure_err;
    /* Under rig.lock. */
    struct probe_rig_event *events;
    size_t event_count, event_capacity, wanted;
    struct snapshot *snapshot;
    uint64_t publishes;
    bool freed;
};

static inline void probe_rig_on_event(void *ctx, const struct sli_probe_event *event)
{
    struct probe_rig *rig = ctx;
    pthread_mutex_lock(&rig->rig.lock);
    if (rig->event_count == rig->event_capacity) {
        rig->event_capacity = rig->event_capacity ? rig->event_capacity * 2 : 64;
        rig->events = xrealloc(rig->events, rig->event_capacity * sizeof *rig->events);
    }
    struct probe_rig_event *kept = &rig->events[rig->event_count++];
    *kept = (struct probe_rig_event){.outcome = event->outcome,
                                     .mono_ns = event->mono_ns,
                                     .duration_ns = event->duration_ns,
                                     .interval_ns = event->interval_ns};
    (void)snprintf(kept->probe, sizeof kept->probe, "%s", event->probe);
    pthread_cond_broadcast(&rig->rig.changed);
    pthread_mutex_unlock(&rig->rig.lock);
}

static inline void probe_rig_on_publish(void *ctx, const struct hub_source *source, struct snapshot *snapshot)
{
    struct probe_rig *rig = ctx;
    (void)source;
    pthread_mutex_lock(&rig->rig.lock);
    snapshot_unref(rig->snapshot);
    rig->snapshot = snapshot ? snapshot_ref(snapshot) : NULL;
    rig->publishes++;
    pthread_cond_broadcast(&rig->rig.changed);
    pthread_mutex_unlock(&rig->rig.lock);
}

static inline void probe_rig_make_set(void *arg)
{
    struct probe_rig *rig = arg;
    struct error err;
    const struct probe_env env = {.loop = rig->rig.loop,
                                  .resolver = rig->rig.resolver,
                                  .http = rig->rig.http,
                                  .hub = rig->hub,
                                  .sink = {.ctx = rig, .probe = probe_rig_on_event},
                                  .observer = "tester"};
    ck_assert_int_eq(probe_set_new(&env, &rig->set, &err), 0);
}

static inline void probe_rig_open(struct probe_rig *rig)
{
    *rig = (struct probe_rig){0};
    rig_open(&rig->rig);
    rig->hub = hub_new(NULL);
    rig->arena = arena_new(0);
    hub_observe(rig->hub, probe_rig_on_publish, rig);
    rig_call(&rig->rig, probe_rig_make_set, rig);
}

/* Parses a YAML list of probes; what diag says, malloc'd, "" when all is well. */
static inline char *probe_rig_parse(struct probe_rig *rig, const char *yaml)
{
    struct diag diag;
    struct node *root = NULL;
    char *text;
    diag_init(&diag);
    const char *whole = arena_printf(rig->arena, "probes:\n%s", yaml);
    rig->config_count = 0;
    if (yaml_parse(rig->arena, "test.yaml", str_from(whole), &root, &diag) == 0) {
        const struct node *list = node_find(root, "probes")->value;
        for (size_t i = 0; i < list->count; i++) {
            struct probe_config *config = arena_zalloc(rig->arena, probe_config_size());
            if (option_parse(&probe_section, list->items[i], rig->arena, config, &diag) == 0)
                probe_config_complete(config, "home", 15 * NS_PER_S, 10 * NS_PER_S, rig->arena);
            rig->configs[rig->config_count++] = config;
        }
    }
    text = test_diag_text(&diag);
    diag_deinit(&diag);
    return text;
}

/* On the loop, where no event can come in between. */
static inline void probe_rig_apply(void *arg)
{
    struct probe_rig *rig = arg;
    if (rig->forget) {
        pthread_mutex_lock(&rig->rig.lock);
        rig->event_count = 0;
        rig->forget = false;
        pthread_mutex_unlock(&rig->rig.lock);
    }
    rig->configure_rc = probe_set_configure(rig->set, rig->configs, rig->config_count, &rig->configure_err);
}

static inline void probe_rig_configure(struct probe_rig *rig, const char *yaml)
{
    char *text = probe_rig_parse(rig, yaml);
    ck_assert_str_eq(text, "");
    free(text);
    rig_call(&rig->rig, probe_rig_apply, rig);
    ck_assert_msg(rig->configure_rc == 0, "%s", rig->configure_err.message);
}

static inline bool probe_rig_has_events(void *arg)
{
    struct probe_rig *rig = arg;
    return rig->event_count >= rig->wanted;
}

/* Waits for more events than there are. */
static inline void probe_rig_wait_events(struct probe_rig *rig, size_t more)
{
    pthread_mutex_lock(&rig->rig.lock);
    rig->wanted = rig->event_count + more;
    pthread_mutex_unlock(&rig->rig.lock);
    rig_wait(&rig->rig, probe_rig_has_events, rig);
}

static inline void probe_rig_forget_events(struct probe_rig *rig)
{
    pthread_mutex_lock(&rig->rig.lock);
    rig->event_count = 0;
    pthread_mutex_unlock(&rig->rig.lock);
}

struct probe_rig_status {
    const char *name;
    struct probe_status found;
    bool seen;
};

static inline void probe_rig_on_status(void *ctx, const struct probe_status *status)
{
    struct probe_rig_status *wanted = ctx;
    if (!wanted->seen && (!wanted->name || strcmp(status->name, wanted->name) == 0)) {
        wanted->found = *status;
        wanted->seen = true;
    }
}

static inline struct probe_status probe_rig_status_of(struct probe_rig *rig, const char *name)
{
    struct probe_rig_status wanted = {.name = name};
    probe_set_status(rig->set, probe_rig_on_status, &wanted);
    ck_assert(wanted.seen);
    return wanted.found;
}

/* Waits until there were PROBE_RIG_JUDGED good or bad outcomes since probe_rig_forget_events(); all must be
 * `outcome`. Unknown ones are ignored: on a busy machine our ticks are late. */
static inline void probe_rig_expect(struct probe_rig *rig, enum sli_outcome outcome)
{
    size_t judged = 0, looked_at = 0;
    bool wrong = false;
    while (judged < PROBE_RIG_JUDGED) {
        probe_rig_wait_events(rig, 1);
        pthread_mutex_lock(&rig->rig.lock);
        for (; looked_at < rig->event_count; looked_at++) {
            if (rig->events[looked_at].outcome == SLI_UNKNOWN)
                continue;
            wrong = wrong || rig->events[looked_at].outcome != outcome;
            judged++;
        }
        pthread_mutex_unlock(&rig->rig.lock);
        ck_assert_msg(!wrong, "an event has another outcome than %d", (int)outcome);
    }
}

static inline bool probe_rig_published(void *arg)
{
    struct probe_rig *rig = arg;
    return rig->publishes >= rig->wanted && rig->snapshot;
}

/* The next published snapshot as text, malloc'd. Outcomes seen before are in it: both happen on the loop. */
static inline char *probe_rig_metrics(struct probe_rig *rig)
{
    pthread_mutex_lock(&rig->rig.lock);
    rig->wanted = rig->publishes + 1;
    pthread_mutex_unlock(&rig->rig.lock);
    rig_wait(&rig->rig, probe_rig_published, rig);
    pthread_mutex_lock(&rig->rig.lock);
    char *text = rig_snapshot_text(rig->snapshot);
    pthread_mutex_unlock(&rig->rig.lock);
    return text;
}

/* One probe (YAML flow mapping without name) must come out bad for this reason, shown in metrics and status.
 */
static inline void probe_rig_expect_reason(struct probe_rig *rig, const char *probe, const char *reason,
                                           const char *message)
{
    char *yaml = NULL, *wanted = NULL;
    ck_assert_int_gt(asprintf(&yaml, "  - { name: %s, %s }\n", reason, probe), 0);
    rig->forget = true;
    probe_rig_configure(rig, yaml);
    probe_rig_expect(rig, SLI_BAD);
    ck_assert_contains(probe_rig_status_of(rig, NULL).error, message);
    char *metrics = probe_rig_metrics(rig);
    ck_assert_int_gt(asprintf(&wanted, "reason=\"%s\",", reason), 0);
    const char *line = strstr(metrics, wanted);
    ck_assert_msg(line != NULL, "no %s in %s", wanted, metrics);
    const char *value = strstr(line, "} ");
    ck_assert_msg(value && strncmp(value, "} 0\n", 4) != 0, "reason %s is not counted: %s", reason, metrics);
    free(metrics);
    free(wanted);
    free(yaml);
}

static inline void probe_rig_expect_good(struct probe_rig *rig, const char *probe)
{
    char *yaml = NULL;
    ck_assert_int_gt(asprintf(&yaml, "  - { name: good, %s }\n", probe), 0);
    rig->forget = true;
    probe_rig_configure(rig, yaml);
    probe_rig_expect(rig, SLI_GOOD);
    ck_assert_str_eq(probe_rig_status_of(rig, NULL).error, "");
    free(yaml);
}

static inline void probe_rig_on_freed(void *arg)
{
    struct probe_rig *rig = arg;
    pthread_mutex_lock(&rig->rig.lock);
    rig->freed = true;
    pthread_cond_broadcast(&rig->rig.changed);
    pthread_mutex_unlock(&rig->rig.lock);
}

static inline void probe_rig_free_set(void *arg)
{
    struct probe_rig *rig = arg;
    probe_set_free(rig->set, probe_rig_on_freed, rig);
}

static inline bool probe_rig_is_freed(void *arg)
{
    return ((struct probe_rig *)arg)->freed;
}

static inline void probe_rig_close(struct probe_rig *rig)
{
    rig_call(&rig->rig, probe_rig_free_set, rig);
    rig_wait(&rig->rig, probe_rig_is_freed, rig);
    rig_close(&rig->rig);
    snapshot_unref(rig->snapshot);
    hub_free(rig->hub);
    arena_free(rig->arena);
    free(rig->events);
}

#endif
