/* Metrics about the collector itself, and fraiseql_region_info. */
#include "collector/collector_internal.h"

#include "collector/process.h"
#include "lib/core/clock.h"
#include "lib/core/log.h"
#include "version.h"

#define GAUGE(n, h)                                                                                          \
    {                                                                                                        \
        .name = n, .type = METRIC_GAUGE, .help = h                                                           \
    }
#define GAUGE_UNIT(n, u, h)                                                                                  \
    {                                                                                                        \
        .name = n, .type = METRIC_GAUGE, .help = h, .unit = u                                                \
    }
#define COUNTER(n, h)                                                                                        \
    {                                                                                                        \
        .name = n, .type = METRIC_COUNTER, .help = h                                                         \
    }
#define COUNTER_UNIT(n, u, h)                                                                                \
    {                                                                                                        \
        .name = n, .type = METRIC_COUNTER, .help = h, .unit = u                                              \
    }

static const struct metric_desc build_info =
    GAUGE("fraiseql_collector_build_info", "Version of the collector; always 1.");
static const struct metric_desc ready =
    GAUGE("fraiseql_collector_ready", "Whether the collector is up and not draining.");
static const struct metric_desc uptime =
    GAUGE_UNIT("fraiseql_collector_uptime_seconds", "seconds", "Time since the start.");
static const struct metric_desc reload_ok =
    GAUGE("fraiseql_collector_config_last_reload_successful",
          "Whether the configuration was accepted when it was last read.");
static const struct metric_desc reload_time =
    GAUGE_UNIT("fraiseql_collector_config_last_reload_success_timestamp_seconds", "seconds",
               "When the present configuration was accepted.");
static const struct metric_desc reloads =
    COUNTER("fraiseql_collector_config_reloads_total", "Times the configuration was read.");
static const struct metric_desc reload_failures =
    COUNTER("fraiseql_collector_config_reload_failures_total", "Times the configuration was refused.");
static const struct metric_desc files_refused = GAUGE(
    "fraiseql_collector_config_files_refused", "Included files that are left out because they are broken.");
static const struct metric_desc loop_lag =
    GAUGE_UNIT("fraiseql_collector_loop_lag_seconds", "seconds",
               "Greatest lateness of the loop's heartbeat in the last second.");
static const struct metric_desc loop_slow = COUNTER("fraiseql_collector_loop_slow_callbacks_total",
                                                    "Callbacks that held the loop for more than 10 ms.");
static const struct metric_desc hub_series = GAUGE("fraiseql_collector_series", "Series held now.");
static const struct metric_desc hub_memory =
    GAUGE_UNIT("fraiseql_collector_series_memory_bytes", "bytes", "Memory of the series held now.");
static const struct metric_desc hub_refused = COUNTER(
    "fraiseql_collector_snapshots_refused_total", "Snapshots refused because limits.series would be passed.");
static const struct metric_desc hub_conflict =
    GAUGE("fraiseql_collector_family_conflicts",
          "Families left out because another source gives them another type.");
static const struct metric_desc limit =
    GAUGE("fraiseql_collector_limit", "Configured upper bounds, in their base units.");
static const struct metric_desc memory_pressure = GAUGE(
    "fraiseql_collector_memory_pressure", "Whether new data are refused because memory is near its limit.");
static const struct metric_desc log_line_count =
    COUNTER("fraiseql_collector_log_lines_total", "Lines logged.");
static const struct metric_desc http_requests =
    COUNTER("fraiseql_collector_http_requests_total", "Requests answered.");
static const struct metric_desc http_refused =
    COUNTER("fraiseql_collector_http_refused_total", "Requests refused before they were read whole.");
static const struct metric_desc http_received =
    COUNTER_UNIT("fraiseql_collector_http_received_bytes_total", "bytes", "Bytes of request bodies.");
static const struct metric_desc http_sent =
    COUNTER_UNIT("fraiseql_collector_http_sent_bytes_total", "bytes", "Bytes of response bodies.");
static const struct metric_desc http_inflight =
    GAUGE_UNIT("fraiseql_collector_http_inflight_bytes", "bytes", "Request bodies held now.");
static const struct metric_desc http_connections =
    GAUGE("fraiseql_collector_http_connections", "Connections open now.");
static const struct metric_desc journal_commits =
    COUNTER("fraiseql_collector_journal_commits_total", "Commits of the journal.");
static const struct metric_desc journal_failed =
    COUNTER("fraiseql_collector_journal_failed_commits_total",
            "Commits of the journal that failed and are tried again.");
static const struct metric_desc journal_waiting =
    GAUGE("fraiseql_collector_journal_waiting_transactions", "Transactions that are not durable yet.");
static const struct metric_desc journal_refused = COUNTER(
    "fraiseql_collector_journal_refused_transactions_total", "Transactions refused because too many wait.");
static const struct metric_desc journal_size =
    GAUGE_UNIT("fraiseql_collector_journal_size_bytes", "bytes", "Size of the journal on disk.");
static const struct metric_desc journal_last =
    GAUGE_UNIT("fraiseql_collector_journal_last_commit_timestamp_seconds", "seconds",
               "When the journal last committed.");
static const struct metric_desc journal_time = GAUGE_UNIT(
    "fraiseql_collector_journal_commit_duration_seconds", "seconds", "Duration of the last commit.");
static const struct metric_desc sla_series =
    GAUGE("fraiseql_collector_sla_series", "Series of objectives, each with a history of its own.");
static const struct metric_desc sla_series_refused = COUNTER(
    "fraiseql_collector_sla_series_refused_total", "Times a series of an objective was refused by a limit.");
static const struct metric_desc sla_memory =
    GAUGE_UNIT("fraiseql_collector_sla_memory_bytes", "bytes", "Memory of the buckets of objectives.");
static const struct metric_desc sla_incidents =
    GAUGE("fraiseql_collector_sla_open_incidents", "Incidents that are open now.");
static const struct metric_desc sla_flushes =
    COUNTER("fraiseql_collector_sla_flushes_total", "Changes of the SLA engine stored in the journal.");
static const struct metric_desc sla_flush_failures = COUNTER(
    "fraiseql_collector_sla_flush_failures_total", "Changes that could not be stored and are tried again.");
static const struct metric_desc sla_damaged =
    GAUGE("fraiseql_collector_sla_damaged_blobs", "Stored hours of buckets that failed their check.");
static const struct metric_desc sla_queue_full = COUNTER(
    "fraiseql_collector_sla_queue_full_total",
    "What found the engine's queue full: probe events become unknown, spans and counters come later.");
static const struct metric_desc sla_counter_resets =
    COUNTER("fraiseql_collector_sla_resets_total", "Resets seen of counters that objectives use.");
static const struct metric_desc sla_cursors =
    GAUGE("fraiseql_collector_sla_cursors", "Counters whose last value is remembered.");
static const struct metric_desc sla_cursors_refused =
    COUNTER("fraiseql_collector_sla_cursors_refused_total", "Counters not followed because of the limit.");
static const struct metric_desc sla_late =
    COUNTER("fraiseql_collector_sla_late_events_total", "Events left out because they came too late.");
static const struct metric_desc sla_tick = GAUGE_UNIT("fraiseql_collector_sla_tick_duration_seconds",
                                                      "seconds", "Duration of the engine's last tick.");
static const struct metric_desc cpu =
    COUNTER_UNIT("process_cpu_seconds_total", "seconds", "User and system CPU time.");
static const struct metric_desc start_time =
    GAUGE_UNIT("process_start_time_seconds", "seconds", "When the process began, since 1970.");
static const struct metric_desc resident =
    GAUGE_UNIT("process_resident_memory_bytes", "bytes", "Resident memory.");
static const struct metric_desc virtual_memory =
    GAUGE_UNIT("process_virtual_memory_bytes", "bytes", "Virtual memory.");
static const struct metric_desc open_fds = GAUGE("process_open_fds", "Open file descriptors.");
static const struct metric_desc max_fds = GAUGE("process_max_fds", "Most file descriptors that may be open.");
static const struct metric_desc threads = GAUGE("process_threads", "Threads.");
static const struct metric_desc region_info =
    GAUGE("fraiseql_region_info", "A region and where it is; always 1.");

static void put(struct batch *batch, const struct metric_desc *desc, struct value value)
{
    batch_put(batch, desc, NULL, 0, value);
}

static void put_labelled(struct batch *batch, const struct metric_desc *desc, const char *name,
                         const char *text, struct value value)
{
    struct label label = {str_from(name), str_from(text)};
    batch_put(batch, desc, &label, 1, value);
}

static void put_loops(struct collector *collector)
{
    for (size_t i = 0; i < LOOP_COUNT; i++) {
        struct loop_stats stats;
        loop_stats(collector->loops[i], &stats);
        loop_reset_max_lag(collector->loops[i]);
        const char *name = loop_name(collector->loops[i]);
        put_labelled(collector->self_batch, &loop_lag, "loop", name,
                     VALUE_OF_F64((double)stats.max_lag_ns / 1e9));
        put_labelled(collector->self_batch, &loop_slow, "loop", name, VALUE_OF_U64(stats.slow_callbacks));
    }
}

static void put_server(struct batch *batch, const char *name, const struct http_server *server)
{
    static const char *const classes[] = {"0xx", "1xx", "2xx", "3xx", "4xx", "5xx"};
    struct http_server_stats stats = {0};
    http_server_stats(server, &stats);
    for (size_t i = 2; i < ARRAY_LEN(classes); i++) {
        struct label labels[] = {LABEL_TEXT("server", name), LABEL_TEXT("code", classes[i])};
        batch_put(batch, &http_requests, labels, ARRAY_LEN(labels), VALUE_OF_U64(stats.requests_by_class[i]));
    }
    const struct {
        const char *reason;
        uint64_t count;
    } refusals[] = {{"body_size", stats.refused_body},
                    {"inflight_bytes", stats.refused_inflight},
                    {"slow", stats.refused_slow},
                    {"connections", stats.refused_crowded}};
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        struct label labels[] = {LABEL_TEXT("server", name), LABEL_TEXT("reason", refusals[i].reason)};
        batch_put(batch, &http_refused, labels, ARRAY_LEN(labels), VALUE_OF_U64(refusals[i].count));
    }
    put_labelled(batch, &http_received, "server", name, VALUE_OF_U64(stats.received_bytes));
    put_labelled(batch, &http_sent, "server", name, VALUE_OF_U64(stats.sent_bytes));
    put_labelled(batch, &http_inflight, "server", name, VALUE_OF_U64(stats.inflight_bytes));
    put_labelled(batch, &http_connections, "server", name, VALUE_OF_U64(stats.connections));
}

static void put_journal(struct collector *collector)
{
    struct journal_stats stats = {0};
    journal_stats(collector->journal, &stats);
    struct batch *batch = collector->self_batch;
    put(batch, &journal_commits, VALUE_OF_U64(stats.commits));
    put(batch, &journal_failed, VALUE_OF_U64(stats.failed_commits));
    put(batch, &journal_waiting, VALUE_OF_U64(stats.waiting));
    put(batch, &journal_refused, VALUE_OF_U64(stats.refused));
    put(batch, &journal_size, VALUE_OF_U64(stats.bytes));
    put(batch, &journal_last, VALUE_OF_F64((double)(stats.last_commit_wall_ns / NS_PER_MS) / 1e3));
    put(batch, &journal_time, VALUE_OF_F64((double)stats.last_commit_duration_ns / 1e9));
}

static void put_sla(struct collector *collector)
{
    struct sla_stats stats = {0};
    sla_service_stats(collector->sla, &stats);
    struct batch *batch = collector->self_batch;
    put(batch, &sla_series, VALUE_OF_U64(stats.series));
    put(batch, &sla_series_refused, VALUE_OF_U64(stats.series_refused));
    put(batch, &sla_memory, VALUE_OF_U64(stats.memory_bytes));
    put(batch, &sla_incidents, VALUE_OF_U64(stats.open_incidents));
    put(batch, &sla_flushes, VALUE_OF_U64(stats.flushes));
    put(batch, &sla_flush_failures, VALUE_OF_U64(stats.flush_failures));
    put(batch, &sla_damaged, VALUE_OF_U64(stats.damaged_hours));
    put_labelled(batch, &sla_queue_full, "kind", "probe_events", VALUE_OF_U64(stats.probe_events_lost));
    put_labelled(batch, &sla_queue_full, "kind", "span_counts", VALUE_OF_U64(stats.span_counts_held));
    put_labelled(batch, &sla_queue_full, "kind", "snapshots", VALUE_OF_U64(stats.snapshots_lost));
    put(batch, &sla_counter_resets, VALUE_OF_U64(stats.counter_resets));
    put(batch, &sla_cursors, VALUE_OF_U64(stats.cursors));
    put(batch, &sla_cursors_refused, VALUE_OF_U64(stats.cursors_refused));
    put(batch, &sla_late, VALUE_OF_U64(stats.late_dropped));
    put(batch, &sla_tick, VALUE_OF_F64((double)stats.last_tick_duration_ns / 1e9));
}

static void put_limits(struct batch *batch, const struct config_limits *limits)
{
    put_labelled(batch, &limit, "limit", "memory_bytes", VALUE_OF_U64(limits->memory_bytes));
    put_labelled(batch, &limit, "limit", "body_bytes", VALUE_OF_U64(limits->body_bytes));
    put_labelled(batch, &limit, "limit", "series", VALUE_OF_I64(limits->series));
    put_labelled(batch, &limit, "limit", "series_per_target", VALUE_OF_I64(limits->series_per_target));
    put_labelled(batch, &limit, "limit", "otlp_series", VALUE_OF_I64(limits->otlp_series));
    put_labelled(batch, &limit, "limit", "connections", VALUE_OF_I64(limits->connections));
}

static void put_hub(struct collector *collector)
{
    struct hub_stats stats = {0};
    hub_stats(collector->hub, &stats);
    struct batch *batch = collector->self_batch;
    put(batch, &hub_series, VALUE_OF_U64(stats.series));
    put(batch, &hub_memory, VALUE_OF_U64(stats.bytes));
    put(batch, &hub_refused, VALUE_OF_U64(stats.refused));
    put(batch, &hub_conflict, VALUE_OF_U64(stats.conflicts));
}

static void put_process(struct batch *batch)
{
    struct process_stats stats;
    process_read_stats(&stats);
    put(batch, &cpu, VALUE_OF_F64(stats.cpu_seconds));
    put(batch, &start_time, VALUE_OF_F64(stats.start_time_seconds));
    put(batch, &resident, VALUE_OF_U64(stats.resident_bytes));
    put(batch, &virtual_memory, VALUE_OF_U64(stats.virtual_bytes));
    put(batch, &open_fds, VALUE_OF_U64(stats.open_fds));
    put(batch, &max_fds, VALUE_OF_U64(stats.max_fds));
    put(batch, &threads, VALUE_OF_U64(stats.threads));
}

static void put_state(struct collector *collector)
{
    struct batch *batch = collector->self_batch;
    put_labelled(batch, &build_info, "version", FRAISEQL_VERSION, VALUE_OF_U64(1));
    put(batch, &ready, VALUE_OF_BOOL(flag_get(&collector->ready)));
    put(batch, &uptime,
        VALUE_OF_F64((double)((clock_mono_ns() - collector->started_mono_ns) / NS_PER_MS) / 1e3));
    put(batch, &reload_ok, VALUE_OF_BOOL(flag_get(&collector->reload_ok)));
    put(batch, &reload_time, VALUE_OF_F64((double)(flag_get(&collector->reload_wall_ns) / NS_PER_MS) / 1e3));
    put(batch, &reloads, VALUE_OF_U64(counter_get(&collector->reloads)));
    put(batch, &reload_failures, VALUE_OF_U64(counter_get(&collector->reload_failures)));
    put(batch, &files_refused, VALUE_OF_I64(flag_get(&collector->files_refused)));
    put(batch, &memory_pressure, VALUE_OF_BOOL(flag_get(&collector->memory_pressure)));
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    for (size_t i = 0; i < ARRAY_LEN(levels); i++)
        put_labelled(batch, &log_line_count, "level", levels[i], VALUE_OF_U64(log_lines((enum log_level)i)));
}

void self_metrics_publish(struct collector *collector)
{
    static const char *const names[SERVER_COUNT] = {"http", "otlp_http", "otlp_grpc"};
    struct config *config = collector_config(collector);
    batch_begin(collector->self_batch);
    put_state(collector);
    put_limits(collector->self_batch, &config->all.collector.limits);
    put_loops(collector);
    put_hub(collector);
    for (size_t i = 0; i < SERVER_COUNT; i++) {
        if (collector->servers[i])
            put_server(collector->self_batch, names[i], collector->servers[i]);
    }
    put_journal(collector);
    put_sla(collector);
    put_process(collector->self_batch);
    (void)config_unref(config);
    struct error err = {0};
    if (hub_publish(collector->self_source,
                    batch_finish(collector->self_batch, clock_wall_ns(), clock_mono_ns()), &err))
        LOG_EVENT(LOG_WARN, "self.not_published", LF_ERROR(&err));
}

#define REGION_LABELS_MAX 32

void region_info_publish(struct collector *collector, const struct config *config)
{
    struct batch *batch = batch_new(&(struct batch_options){0});
    batch_begin(batch);
    const struct section_list *regions = &config->all.regions;
    for (size_t i = 0; i < regions->count; i++) {
        const struct config_region *region = SECTION_AT(const struct config_region, *regions, i);
        struct label labels[REGION_LABELS_MAX] = {LABEL_TEXT("region", region->name)};
        size_t count = 1;
        for (size_t j = 0; j < region->labels.count && count < REGION_LABELS_MAX; j++)
            labels[count++] = (struct label){str_from(region->labels.items[j].key),
                                             str_from(region->labels.items[j].value)};
        batch_put(batch, &region_info, labels, count, VALUE_OF_U64(1));
    }
    struct error err = {0};
    if (hub_publish(collector->region_source, batch_finish(batch, clock_wall_ns(), clock_mono_ns()), &err))
        LOG_EVENT(LOG_WARN, "self.not_published", LF_ERROR(&err));
    batch_free(batch);
}
