#include "tracing/tracing.h"

#include "lib/core/clock.h"
#include "lib/core/limits.h"
#include "lib/core/log.h"
#include "tracing/config.h"
#include "tracing/tracing_internal.h"

#include <stdlib.h>

static uint64_t max_series(const struct tracing_options *options)
{
    return options->max_series ? options->max_series : LIMIT_SERIES_PER_TARGET;
}

static struct batch *new_span_batch(const struct span_metrics *metrics)
{
    uint64_t lines = span_metrics_max_lines(metrics);
    const struct batch_options options = {.max_series = lines < UINT32_MAX ? (uint32_t)lines : UINT32_MAX};
    return batch_new(&options);
}

/* --- settings */

static void settings_deinit(struct tracing_settings *settings)
{
    source_map_deinit(&settings->sources);
    arena_free(settings->arena);
}

static int settings_init(struct tracing_settings *settings, const struct tracing_options *options,
                         struct error *err)
{
    *settings = (struct tracing_settings){.arena = arena_new(0)};
    settings->max_body_bytes = options->max_body_bytes ? options->max_body_bytes : LIMIT_BODY_BYTES;
    if (options->region)
        settings->region = str_from(arena_strdup(settings->arena, str_from(options->region)));
    const struct section_list empty = {0};
    const struct section_list *sources = options->config ? &options->config->sources : &empty;
    for (size_t i = 0; i < sources->count; i++) {
        const struct tracing_source *source = SECTION_AT(struct tracing_source, *sources, i);
        struct source_prefix prefix;
        int rc = source_prefix_parse(source->address, &prefix, err);
        if (rc) {
            settings_deinit(settings);
            return error_prefix(err, "otlp.sources[%zu]", i);
        }
        prefix.region = arena_strdup(settings->arena, str_from(source->region));
        source_map_add(&settings->sources, &prefix);
    }
    return 0;
}

static void set_inflight(struct tracing *tracing, const struct tracing_options *options)
{
    uint64_t bytes = options->max_inflight_bytes;
    counter_set(&tracing->max_inflight_bytes, bytes ? bytes : 4 * (uint64_t)tracing->settings.max_body_bytes);
}

static int rules_of(const struct tracing_options *options, struct span_rules **ret_rules, struct error *err)
{
    int64_t bounds_ns[TRACING_MAX_BUCKETS];
    size_t count;
    int rc = tracing_config_bounds(options->config, bounds_ns, &count, err);
    if (rc)
        return rc;
    return span_rules_new(bounds_ns, count, options->selectors, options->selector_count, ret_rules, err);
}

/* --- life */

int tracing_new(struct hub *hub, const struct sli_sink *sink, const struct tracing_options *options,
                struct tracing **ret_tracing, struct error *err)
{
    struct span_rules *rules;
    int rc = rules_of(options, &rules, err);
    if (rc)
        return rc;
    struct tracing *tracing = xcalloc(1, sizeof *tracing);
    rc = settings_init(&tracing->settings, options, err);
    if (rc) {
        span_rules_free(rules);
        free(tracing);
        return rc;
    }
    if (sink)
        tracing->sink = *sink;
    set_inflight(tracing, options);
    tracing->metrics = span_metrics_new(TRACING_LANES, max_series(options), rules);
    for (size_t i = 0; i < TRACING_LANES; i++) {
        (void)pthread_mutex_init(&tracing->lanes[i].work, NULL);
        tracing->lanes[i].shard = span_metrics_shard(tracing->metrics, i);
    }
    tracing->span_batch = new_span_batch(tracing->metrics);
    tracing->self_batch = batch_new(&(struct batch_options){0});
    tracing->span_source = hub_register(hub, "otlp", "spans", options->hub_order);
    tracing->self_source = hub_register(hub, "otlp", "self", options->hub_order);
    *ret_tracing = tracing;
    return 0;
}

void tracing_free(struct tracing *tracing)
{
    if (!tracing)
        return;
    hub_unregister(tracing->span_source);
    hub_unregister(tracing->self_source);
    batch_free(tracing->span_batch);
    batch_free(tracing->self_batch);
    for (size_t i = 0; i < TRACING_LANES; i++) {
        decompressor_free(tracing->lanes[i].decompressor);
        buf_deinit(&tracing->lanes[i].plain);
        (void)pthread_mutex_destroy(&tracing->lanes[i].work);
    }
    span_metrics_free(tracing->metrics);
    settings_deinit(&tracing->settings);
    free(tracing);
}

/* Buckets need a restart: the totals are kept in them. */
static int check_buckets(const struct tracing *tracing, const struct span_rules *rules, struct error *err)
{
    const struct span_rules *old = span_metrics_rules(tracing->metrics);
    bool same = old->exposed_count == rules->exposed_count;
    for (size_t i = 0; same && i < old->exposed_count; i++)
        same = old->exposed_ms[i] >= rules->exposed_ms[i] && old->exposed_ms[i] <= rules->exposed_ms[i];
    return same ? 0 : error_set(err, ERR_CONFIG, "otlp.buckets cannot change without a restart");
}

int tracing_reconfigure(struct tracing *tracing, const struct tracing_options *options, struct error *err)
{
    struct span_rules *rules;
    struct tracing_settings settings;
    int rc = rules_of(options, &rules, err);
    if (rc)
        return rc;
    rc = check_buckets(tracing, rules, err);
    if (rc == 0)
        rc = settings_init(&settings, options, err);
    if (rc) {
        span_rules_free(rules);
        return rc;
    }
    for (size_t i = 0; i < TRACING_LANES; i++)
        (void)pthread_mutex_lock(&tracing->lanes[i].work);
    struct tracing_settings old = tracing->settings;
    tracing->settings = settings;
    span_metrics_set_rules(tracing->metrics, rules, max_series(options), &tracing->sink, clock_wall_ns(),
                           clock_mono_ns());
    for (size_t i = 0; i < TRACING_LANES; i++)
        (void)pthread_mutex_unlock(&tracing->lanes[i].work);
    set_inflight(tracing, options);
    settings_deinit(&old);
    batch_free(tracing->span_batch);
    tracing->span_batch = new_span_batch(tracing->metrics);
    return 0;
}

/* --- publishing */

static void publish(struct tracing *tracing, struct hub_source *source, struct snapshot *snapshot)
{
    struct error err = {0};
    if (hub_publish(source, snapshot, &err) == 0)
        return;
    if (!tracing->publish_failed) /* said once; the hub counts each */
        LOG_EVENT(LOG_ERROR, "otlp.publish_failed", LF_TEXT("target", hub_source_target(source)),
                  LF_ERROR(&err));
    tracing->publish_failed = true;
}

static void warn_sampled(struct tracing *tracing)
{
    if (tracing->warned_sampled || !counter_get(&tracing->stats.sampled))
        return;
    tracing->warned_sampled = true;
    LOG_EVENT(
        LOG_WARN, "otlp.sampled_spans",
        LF_TEXT("note",
                "senders sample their traces (tracestate ot=th), so span metrics and SLOs on spans count "
                "only what was kept; an error budget of 1 in 10,000 cannot be judged from a sample"));
}

static void warn_root(struct tracing *tracing)
{
    if (tracing->warned_root || !counter_get(&tracing->stats.root_requests))
        return;
    tracing->warned_root = true;
    LOG_EVENT(
        LOG_WARN, "otlp.posted_to_root",
        LF_TEXT("note",
                "a sender posts OTLP to / and is told by its bytes; its endpoint should end in /v1/traces"));
}

/* SDKs show little more of a refusal than "404 Not Found" (Python, Node.js), so what their set-up lacks is
 * said here. Other refusals come from damage or load, and pass. */
static void warn_refused(struct tracing *tracing)
{
    static const char *const advice[TRACING_REFUSED_COUNT] = {
        [TRACING_REFUSED_SIGNAL] =
            "a sender posts metrics or logs, and traces only are taken; set OTEL_METRICS_EXPORTER=none and "
            "OTEL_LOGS_EXPORTER=none there, or send them elsewhere",
        [TRACING_REFUSED_TYPE] =
            "a sender posts something else than application/x-protobuf; set "
            "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf there (in JavaScript: exporter-trace-otlp-proto)",
        [TRACING_REFUSED_ENCODING] =
            "a sender compresses in a way that is not taken; set OTEL_EXPORTER_OTLP_COMPRESSION=gzip there",
    };
    for (size_t i = 0; i < TRACING_REFUSED_COUNT; i++) {
        if (!advice[i] || tracing->warned_refused[i] || !counter_get(&tracing->stats.refused[i]))
            continue;
        tracing->warned_refused[i] = true;
        LOG_EVENT(LOG_WARN, "otlp.refused", LF_TEXT("reason", tracing_refusal_name((enum tracing_refusal)i)),
                  LF_TEXT("note", advice[i]));
    }
}

void tracing_publish(struct tracing *tracing, int64_t wall_ns, int64_t mono_ns)
{
    span_metrics_collect(tracing->metrics, &tracing->sink, wall_ns, mono_ns);
    batch_begin(tracing->span_batch);
    span_metrics_write(tracing->metrics, tracing->span_batch);
    publish(tracing, tracing->span_source, batch_finish(tracing->span_batch, wall_ns, mono_ns));
    batch_begin(tracing->self_batch);
    self_metrics_write(tracing, tracing->self_batch);
    publish(tracing, tracing->self_source, batch_finish(tracing->self_batch, wall_ns, mono_ns));
    warn_sampled(tracing);
    warn_root(tracing);
    warn_refused(tracing);
}
