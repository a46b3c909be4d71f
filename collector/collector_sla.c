/* The SLA engine and span metrics: what they are given of the configuration. */
#include "collector/collector_internal.h"

#include "collector/config_internal.h"
#include "collector/loop_call.h"

/* --- configuration, as the SLA sees it
 * ------------------------------------------------------------------------ */

struct sla_probe *config_sla_probes(const struct config_file *all, struct arena *arena)
{
    struct sla_probe *probes = arena_alloc(arena, all->probes.count * sizeof *probes + 1);
    for (size_t i = 0; i < all->probes.count; i++) {
        const struct probe_config *probe = config_element(&all->probes, &probe_section, i);
        const char *region = probe_config_region(probe);
        int64_t interval_ns = probe_config_interval_ns(probe);
        probes[i] = (struct sla_probe){.name = probe_config_name(probe),
                                       .target = probe_config_target(probe),
                                       .region = region ? region : all->collector.region,
                                       .interval_ns = interval_ns ? interval_ns : all->defaults.interval_ns};
    }
    return probes;
}

static const char **receiver_names(const struct config_file *all, struct arena *arena)
{
    const char **names = arena_alloc(arena, all->notify.count * sizeof *names + 1);
    for (size_t i = 0; i < all->notify.count; i++)
        names[i] = notify_config_name(config_element(&all->notify, &notify_section, i));
    return names;
}

#define SOURCES_PER_KIND 8

/* How often the metrics of one prefix come from the slowest target. */
static int64_t slowest_interval(const struct config_file *all, size_t kind, size_t prefix)
{
    int64_t slowest_ns = 0;
    for (size_t i = 0; i < all->scrapers[kind].count; i++) {
        const struct scraper_target *target =
            config_element(&all->scrapers[kind], scraper_kinds[kind]->section, i);
        int64_t interval_ns = target->interval_ns ? target->interval_ns : all->defaults.interval_ns;
        int64_t own_ns = scraper_kinds[kind]->publish_interval_ns
                             ? scraper_kinds[kind]->publish_interval_ns(target, prefix)
                             : 0;
        interval_ns = own_ns ? own_ns : interval_ns;
        slowest_ns = interval_ns > slowest_ns ? interval_ns : slowest_ns;
    }
    return slowest_ns;
}

/* How often metrics come at worst: an objective cannot be finer. */
static struct sla_metric_source *metric_sources(const struct config_file *all, struct arena *arena,
                                                size_t *ret_count)
{
    struct sla_metric_source *sources =
        arena_alloc(arena, sizeof(struct sla_metric_source[CONFIG_MAX_SCRAPER_KINDS * SOURCES_PER_KIND]));
    size_t count = 0;
    for (size_t k = 0; scraper_kinds[k]; k++) {
        const char *const *prefixes = scraper_kinds[k]->prefixes;
        for (size_t p = 0; prefixes && prefixes[p] && p < SOURCES_PER_KIND; p++) {
            int64_t slowest_ns = slowest_interval(all, k, p);
            if (slowest_ns)
                sources[count++] = (struct sla_metric_source){prefixes[p], slowest_ns};
        }
    }
    *ret_count = count;
    return sources;
}

void config_check_sla(const struct config_file *all, struct arena *arena, struct diag *diag)
{
    size_t source_count;
    struct sla_metric_source *sources = metric_sources(all, arena, &source_count);
    const struct sla_check_input input = {.slos = &all->slos,
                                          .triggers = &all->triggers,
                                          .probes = config_sla_probes(all, arena),
                                          .probe_count = all->probes.count,
                                          .receivers = receiver_names(all, arena),
                                          .receiver_count = all->notify.count,
                                          .sources = sources,
                                          .source_count = source_count};
    sla_config_check(&input, diag);
    sla_config_warn(&input, diag);
}

/* --- the parts
 * ------------------------------------------------------------------------------------------------ */

static struct sla_settings settings_of(const struct config *config)
{
    return (struct sla_settings){.slos = &config->all.slos,
                                 .triggers = &config->all.triggers,
                                 .probes = config_sla_probes(&config->all, config->arena),
                                 .probe_count = config->all.probes.count};
}

static int store_alert(void *ctx, struct journal_txn *txn, const struct alert *alert, const char *receiver,
                       struct error *err)
{
    struct collector *collector = ctx;
    (void)pthread_mutex_lock(&collector->notifier_lock);
    int code = collector->notifier ? notifier_store(collector->notifier, txn, alert, receiver, err)
                                   : error_set(err, ERR_CANCELLED, "the collector is stopping");
    (void)pthread_mutex_unlock(&collector->notifier_lock);
    return code;
}

static void wake_notifier(void *ctx)
{
    struct collector *collector = ctx;
    (void)pthread_mutex_lock(&collector->notifier_lock);
    if (collector->notifier)
        notifier_wake(collector->notifier);
    (void)pthread_mutex_unlock(&collector->notifier_lock);
}

static void encode_alert(void *ctx, const struct alert *alert, struct buf *out)
{
    (void)ctx;
    notifier_encode_alert(alert, out);
}

int collector_make_sla(struct collector *collector, struct error *err)
{
    const struct sla_options options = {
        .observer = collector->config->all.collector.name,
        .journal = collector->journal,
        .hub = collector->hub,
        .notifier = {
            .ctx = collector, .store = store_alert, .committed = wake_notifier, .encode = encode_alert}};
    const struct sla_settings settings = settings_of(collector->config);
    return sla_service_new(&options, &settings, &collector->sla, err);
}

static struct tracing_options tracing_options_of(const struct config *config)
{
    const struct config_limits *limits = &config->all.collector.limits;
    struct tracing_options options = {.config = config->all.otlp,
                                      .region = config->all.collector.region,
                                      .max_series = (uint64_t)limits->otlp_series,
                                      .max_body_bytes = limits->body_bytes,
                                      .max_inflight_bytes = limits->memory_bytes / 4,
                                      .hub_order = 2};
    options.selectors = sla_config_span_selectors(&config->all.slos, config->arena, &options.selector_count);
    return options;
}

int collector_make_tracing(struct collector *collector, struct error *err)
{
    const struct tracing_options options = tracing_options_of(collector->config);
    const struct sli_sink sink = sla_service_sink(collector->sla);
    return tracing_new(collector->hub, &sink, &options, &collector->tracing, err);
}

struct reconfigure {
    struct tracing *tracing;
    const struct tracing_options *options;
};

/* On the scrape loop, where tracing_publish() runs: the two must not meet. */
static int reconfigure_tracing(void *arg, struct error *err)
{
    struct reconfigure *reconfigure = arg;
    return tracing_reconfigure(reconfigure->tracing, reconfigure->options, err);
}

/* Span metrics first: they may refuse (buckets are fixed), and an SLO that is taken away and given back would
 * begin anew. */
int collector_reconfigure_sla(struct collector *collector, const struct config *config, struct error *err)
{
    const struct tracing_options options = tracing_options_of(config);
    struct reconfigure reconfigure = {collector->tracing, &options};
    int code = loop_call(collector->loops[LOOP_SCRAPE], "tracing_reconfigure", reconfigure_tracing,
                         &reconfigure, err);
    if (code)
        return code;
    const struct sla_settings settings = settings_of(config);
    return sla_service_configure(collector->sla, &settings, err);
}
