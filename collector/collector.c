/* Start, reload and stop of the daemon. What a configuration changes is in collector_apply.c. */
#include "collector/collector_internal.h"

#include "collector/loop_call.h"
#include "collector/process.h"
#include "lib/core/clock.h"
#include "lib/core/file.h"
#include "lib/core/log.h"
#include "lib/journal/outbox.h"
#include "version.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define RESOLVER_THREADS      4
#define NOTIFICATIONS_KEPT_NS (90 * 86400 * NS_PER_S)
#define EXPIRY_PERIOD_NS      (3600 * NS_PER_S)

#define DRAIN_NS NS_PER_S

static const char *const loop_names[LOOP_COUNT] = {"control", "scrape", "egress"};

struct config *collector_config(struct collector *collector)
{
    (void)pthread_mutex_lock(&collector->config_lock);
    struct config *config = config_ref(collector->config);
    (void)pthread_mutex_unlock(&collector->config_lock);
    return config;
}

/* --- loops and clients
 * ---------------------------------------------------------------------------------------- */

struct client_call {
    struct collector *collector;
    size_t index;
};

static int make_client(void *arg, struct error *err)
{
    struct client_call *call = arg;
    struct collector *collector = call->collector;
    const struct http_client_options options = {.user_agent = "fraiseql-collector/" FRAISEQL_VERSION};
    return http_client_new(collector->loops[call->index], collector->resolver, &options,
                           &collector->clients[call->index], err);
}

static int start_loops(struct collector *collector, struct error *err)
{
    int code = resolver_new(RESOLVER_THREADS, &collector->resolver, err);
    for (size_t i = 0; i < LOOP_COUNT && !code; i++) {
        code = loop_new(loop_names[i], &collector->loops[i], err);
        if (!code)
            code = loop_start(collector->loops[i], err);
        struct client_call call = {collector, i};
        if (!code)
            code = loop_call(collector->loops[i], "http_client_new", make_client, &call, err);
    }
    if (!code)
        code = watchdog_start(collector->loops, LOOP_COUNT, &collector->watchdog, err);
    return code;
}

/* --- parts
 * ---------------------------------------------------------------------------------------------------- */

static int make_journal(struct collector *collector, struct error *err)
{
    const char *path = collector->config->all.collector.journal;
    const char *slash = strrchr(path, '/');
    if (slash && slash != path) {
        char folder[4096];
        (void)snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
        int code = file_make_folder(folder, 0750, err);
        if (code)
            return error_prefix(err, "journal %s", path);
    }
    return journal_open(path, &collector->journal, err); /* its errors name the journal */
}

static int make_notifier(void *arg, struct error *err)
{
    struct collector *collector = arg;
    const struct config_collector *own = &collector->config->all.collector;
    const struct notifier_options options = {.loop = collector->loops[LOOP_EGRESS],
                                             .http = collector->clients[LOOP_EGRESS],
                                             .journal = collector->journal,
                                             .hub = collector->hub,
                                             .observer = own->name,
                                             .external_url = own->external_url};
    return notifier_new(&options, &collector->notifier, err);
}

static int make_traffic(struct collector *collector, struct error *err)
{
    const struct traffic_options options = {.loop = collector->loops[LOOP_EGRESS],
                                            .journal = collector->journal,
                                            .hub = collector->hub,
                                            .observer = collector->config->all.collector.name};
    return traffic_new(&options, &collector->traffic, err);
}

static int make_probes(void *arg, struct error *err)
{
    struct collector *collector = arg;
    const struct probe_env env = {.loop = collector->loops[LOOP_CONTROL],
                                  .resolver = collector->resolver,
                                  .http = collector->clients[LOOP_CONTROL],
                                  .hub = collector->hub,
                                  .sink = sla_service_sink(collector->sla),
                                  .observer = collector->config->all.collector.name};
    return probe_set_new(&env, &collector->probes, err);
}

static int expire_notifications(struct journal_txn *txn, void *arg, struct error *err)
{
    (void)arg;
    return outbox_expire(txn, clock_wall_ns() - NOTIFICATIONS_KEPT_NS, err);
}

static void on_expired(void *arg, const struct error *err)
{
    (void)arg;
    if (err)
        LOG_EVENT(LOG_WARN, "journal.not_expired", LF_ERROR(err));
}

static void expire_now_and_then(struct collector *collector)
{
    int64_t now = clock_mono_ns();
    if (now < collector->next_expiry_mono_ns)
        return;
    collector->next_expiry_mono_ns = now + EXPIRY_PERIOD_NS;
    struct error err = {0};
    if (journal_submit(collector->journal, expire_notifications, on_expired, NULL, &err) != 0)
        on_expired(NULL, &err);
}

static void on_housekeeping(void *ctx, int64_t lateness_ns)
{
    struct collector *collector = ctx;
    (void)lateness_ns;
    struct config *config = collector_config(collector);
    uint64_t limit = config->all.collector.limits.memory_bytes;
    (void)config_unref(config);
    /* Refusing begins at nine tenths, so that what is under way still fits. */
    bool pressure = process_resident_bytes() > limit / 10 * 9;
    if (pressure && !flag_get(&collector->memory_pressure))
        LOG_EVENT(LOG_WARN, "memory.limit_near", LF_I64("limit_bytes", limit),
                  LF_TEXT("consequence", "OTLP is refused with 503 until memory falls"));
    flag_set(&collector->memory_pressure, pressure);
    tracing_publish(collector->tracing, clock_wall_ns(), clock_mono_ns());
    self_metrics_publish(collector);
    traffic_publish(collector->traffic);
    for (size_t i = 0; i < SERVER_COUNT; i++) {
        if (collector->servers[i])
            http_server_sweep(collector->servers[i]);
    }
    expire_now_and_then(collector);
}

static int make_schedule(void *arg, struct error *err)
{
    struct collector *collector = arg;
    const struct config_collector *own = &collector->config->all.collector;
    collector->cloud = cloud_shared_new(collector->loops[LOOP_SCRAPE], collector->clients[LOOP_SCRAPE]);
    const struct scraper_env env = {.loop = collector->loops[LOOP_SCRAPE],
                                    .resolver = collector->resolver,
                                    .http = collector->clients[LOOP_SCRAPE],
                                    .hub = collector->hub,
                                    .observer = own->name,
                                    .region = own->region,
                                    .postgres_legacy_names = own->postgres_names == 1,
                                    .journal = collector->journal,
                                    .cloud = collector->cloud};
    int code = schedule_new(&env, &collector->schedule, err);
    if (code)
        return code;
    loop_timer_init(collector->loops[LOOP_SCRAPE], &collector->housekeeping, "housekeeping", on_housekeeping,
                    collector);
    return 0;
}

static int begin_housekeeping(void *arg, struct error *err)
{
    struct collector *collector = arg;
    (void)err;
    loop_timer_start(&collector->housekeeping, clock_mono_ns(), NS_PER_S);
    return 0;
}

static int begin_notifying(void *arg, struct error *err)
{
    return notifier_start(((struct collector *)arg)->notifier, err);
}

static void make_own_sources(struct collector *collector)
{
    const char *name = collector->config->all.collector.name;
    collector->self_batch = batch_new(&(struct batch_options){0});
    collector->self_source = hub_register(collector->hub, "collector", name, 0);
    collector->region_source = hub_register(collector->hub, "collector", name, 1);
}

static int make_parts(struct collector *collector, struct error *err)
{
    int code = make_journal(collector, err);
    if (!code) {
        collector->hub = hub_new(&(struct hub_options){0});
        make_own_sources(collector);
        code = start_loops(collector, err);
    }
    if (!code)
        code = loop_call(collector->loops[LOOP_EGRESS], "notifier_new", make_notifier, collector, err);
    if (!code)
        code = make_traffic(collector, err);
    if (!code)
        code = collector_make_sla(collector, err);
    if (!code)
        code = collector_make_tracing(collector, err);
    if (!code)
        code = loop_call(collector->loops[LOOP_CONTROL], "probe_set_new", make_probes, collector, err);
    if (!code)
        code = loop_call(collector->loops[LOOP_SCRAPE], "schedule_new", make_schedule, collector, err);
    return code;
}

/* --- servers
 * -------------------------------------------------------------------------------------------------- */

static int start_server(struct collector *collector, size_t index, const struct address_option *address,
                        int64_t threads, http_handler_fn *handler, struct error *err)
{
    static const char *const names[SERVER_COUNT] = {"http", "otlp_http", "otlp_grpc"};
    const struct config_limits *limits = &collector->config->all.collector.limits;
    const struct http_server_options options = {
        .name = names[index],
        .address = address,
        .threads = (unsigned)threads,
        .max_connections = (unsigned)limits->connections,
        .max_body_bytes = index == SERVER_HTTP ? 64 * 1024 : limits->body_bytes,
        .max_inflight_bytes = limits->memory_bytes / 4,
        .request_timeout_ns = limits->request_timeout_ns,
        .handler = handler,
        .present = index == SERVER_HTTP ? NULL : otlp_present,
        .ctx = collector,
    };
    return http_server_start(&options, &collector->servers[index], err);
}

static int start_servers(struct collector *collector, struct error *err)
{
    const struct config_file *all = &collector->config->all;
    int code = start_server(collector, SERVER_HTTP, &all->collector.listen, all->collector.http_threads,
                            routes_handle, err);
    if (code || !all->otlp)
        return code;
    const struct address_option *http = tracing_config_http(all->otlp),
                                *grpc = tracing_config_grpc(all->otlp);
    if (http->text)
        code = start_server(collector, SERVER_OTLP_HTTP, http, all->collector.otlp_threads, otlp_handle, err);
    if (!code && grpc->text)
        code = start_server(collector, SERVER_OTLP_GRPC, grpc, 1, otlp_handle, err);
    return code;
}

/* --- stop
 * ----------------------------------------------------------------------------------------------------- */

static void free_client(void *arg, loop_fn *ended, void *ctx)
{
    http_client_free(arg, ended, ctx);
}

static void free_notifier(void *arg, loop_fn *ended, void *ctx)
{
    notifier_free(arg, ended, ctx);
}

static void free_traffic(void *arg, loop_fn *ended, void *ctx)
{
    traffic_free(arg, ended, ctx);
}

static void free_probes(void *arg, loop_fn *ended, void *ctx)
{
    probe_set_free(arg, ended, ctx);
}

static void free_schedule(void *arg, loop_fn *ended, void *ctx)
{
    schedule_free(arg, ended, ctx);
}

static void free_cloud(void *arg, loop_fn *ended, void *ctx)
{
    cloud_shared_free(arg, ended, ctx);
}

static void close_housekeeping(void *arg, loop_fn *ended, void *ctx)
{
    struct collector *collector = arg;
    collector->housekeeping.ctx = ctx; /* loop_timer_close() hands the timer's ctx to `closed` */
    loop_timer_close(&collector->housekeeping, ended);
}

static void stop_sources(struct collector *collector)
{
    for (size_t i = SERVER_COUNT; i-- > 0;)
        http_server_quiesce(collector->servers[i]);
    /* Whoever was told that its spans were taken shall read it, or it sends them again. */
    int64_t drain_until = clock_mono_ns() + DRAIN_NS;
    for (size_t i = SERVER_COUNT; i-- > 0;)
        (void)http_server_drain(collector->servers[i], drain_until);
    if (collector->schedule) /* it reads the servers' statistics */
        loop_call_close(collector->loops[LOOP_SCRAPE], "housekeeping", close_housekeeping, collector);
    for (size_t i = SERVER_COUNT; i-- > 0;) {
        http_server_stop(collector->servers[i]);
        collector->servers[i] = NULL;
    }
    if (collector->probes)
        loop_call_close(collector->loops[LOOP_CONTROL], "probe_set_free", free_probes, collector->probes);
    if (collector->schedule)
        loop_call_close(collector->loops[LOOP_SCRAPE], "schedule_free", free_schedule, collector->schedule);
    if (collector->cloud)
        loop_call_close(collector->loops[LOOP_SCRAPE], "cloud_shared_free", free_cloud, collector->cloud);
    if (collector->tracing) /* what was taken is counted */
        tracing_publish(collector->tracing, clock_wall_ns(), clock_mono_ns());
}

static void stop_loops(struct collector *collector)
{
    watchdog_stop(collector->watchdog);
    for (size_t i = 0; i < LOOP_COUNT; i++) {
        if (collector->clients[i])
            loop_call_close(collector->loops[i], "http_client_free", free_client, collector->clients[i]);
    }
    for (size_t i = 0; i < LOOP_COUNT; i++) {
        if (collector->loops[i]) {
            loop_stop(collector->loops[i]);
            loop_join(collector->loops[i]);
        }
    }
    resolver_free(collector->resolver);
    for (size_t i = 0; i < LOOP_COUNT; i++)
        loop_free(collector->loops[i]);
}

void collector_stop(struct collector *collector, int64_t grace_ns)
{
    int64_t deadline = clock_mono_ns() + grace_ns;
    flag_set(&collector->ready, 0);
    stop_sources(collector);
    sla_service_stop(collector->sla, deadline);
    (void)pthread_mutex_lock(&collector->notifier_lock);
    struct notifier *notifier = TAKE(collector->notifier);
    (void)pthread_mutex_unlock(&collector->notifier_lock);
    if (notifier)
        loop_call_close(collector->loops[LOOP_EGRESS], "notifier_free", free_notifier, notifier);
    if (collector->traffic)
        loop_call_close(collector->loops[LOOP_EGRESS], "traffic_free", free_traffic, collector->traffic);
    stop_loops(collector);
    journal_close(collector->journal, deadline);
    tracing_free(collector->tracing);
    hub_unregister(collector->self_source);
    hub_unregister(collector->region_source);
    batch_free(collector->self_batch);
    sla_service_free(collector->sla, deadline); /* it observes until the last source has gone */
    hub_free(collector->hub);
    secret_free(collector->token);
    webhook_keys_free(collector->traffic_keys);
    (void)config_unref(collector->config);
    (void)config_unref(collector->first_config);
    (void)pthread_mutex_destroy(&collector->notifier_lock);
    (void)pthread_mutex_destroy(&collector->config_lock);
    (void)pthread_mutex_destroy(&collector->reload_lock);
    free(collector);
}

int collector_start(struct config *config, const struct collector_overrides *overrides,
                    struct collector **ret_collector, struct error *err)
{
    struct collector *collector = xcalloc(1, sizeof *collector);
    collector->config = config_ref(config);
    collector->first_config = config_ref(config);
    collector->overrides = *overrides;
    collector->started_mono_ns = clock_mono_ns();
    (void)pthread_mutex_init(&collector->notifier_lock, NULL);
    (void)pthread_mutex_init(&collector->config_lock, NULL);
    (void)pthread_mutex_init(&collector->reload_lock, NULL);
    int code = make_parts(collector, err);
    if (!code)
        code = collector_apply(collector, config, true, err);
    if (!code)
        code = loop_call(collector->loops[LOOP_EGRESS], "notifier_start", begin_notifying, collector, err);
    if (!code)
        code = start_servers(collector, err);
    if (!code)
        code = loop_call(collector->loops[LOOP_SCRAPE], "housekeeping", begin_housekeeping, collector, err);
    if (code) {
        collector_stop(collector, 0);
        return code;
    }
    flag_set(&collector->ready, 1);
    const struct config_collector *own = &config->all.collector;
    LOG_EVENT(LOG_INFO, "collector.started", LF_TEXT("version", FRAISEQL_VERSION), LF_TEXT("name", own->name),
              LF_TEXT("region", own->region), LF_TEXT("listen", own->listen.text),
              LF_TEXT("journal", own->journal), LF_I64("pid", getpid()));
    *ret_collector = collector;
    return 0;
}
