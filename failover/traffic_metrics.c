#include "failover/traffic_internal.h"

#include "lib/core/clock.h"
#include "lib/core/log.h"

static const struct metric_desc webhooks_desc = {
    .name = "fraiseql_traffic_webhooks_total",
    .type = METRIC_COUNTER,
    .help = "Webhooks taken (accepted), taken before (repeated), and refused for their signature, age or "
            "content (refused).",
};
static const struct metric_desc switches_desc = {
    .name = "fraiseql_traffic_switches_total",
    .type = METRIC_COUNTER,
    .help = "Changes that HAProxy was told and showed afterwards (done), and attempts that failed (failed).",
};
static const struct metric_desc duration_desc = {
    .name = "fraiseql_traffic_switch_duration_seconds",
    .type = METRIC_GAUGE,
    .unit = "seconds",
    .help = "Time from the webhook, or from what made it due, until HAProxy showed the last change.",
};
static const struct metric_desc incidents_desc = {
    .name = "fraiseql_traffic_incidents",
    .type = METRIC_GAUGE,
    .help = "Open incidents that a rule of traffic acts on.",
};
static const struct metric_desc servers_desc = {
    .name = "fraiseql_traffic_servers",
    .type = METRIC_GAUGE,
    .help = "Servers of HAProxy that incidents want out: those that are out, those left in as the last of "
            "their backend (held), those that HAProxy does not have (missing).",
};

static void put_result(struct traffic *traffic, const struct metric_desc *desc, const char *name,
                       const char *value, uint64_t count)
{
    struct label label = {str_from(name), str_from(value)};
    batch_put(traffic->batch, desc, &label, 1, VALUE_OF_U64(count));
}

static void put_rule(struct traffic *traffic, const struct traffic_rule *rule, int64_t now_wall_ns)
{
    uint64_t open = 0;
    for (size_t i = 0; i < traffic->state->hold_count; i++) {
        const struct traffic_hold *hold = &traffic->state->holds[i];
        open += strcmp(hold->trigger, rule->trigger) == 0 && strcmp(hold->region, rule->region) == 0 &&
                now_wall_ns - hold->since_wall_ns < traffic->config->max_hold_ns;
    }
    struct label labels[] = {LABEL_TEXT("trigger", rule->trigger), LABEL_TEXT("region", rule->region)};
    batch_put(traffic->batch, &incidents_desc, labels, ARRAY_LEN(labels), VALUE_OF_U64(open));
}

static void put_all(struct traffic *traffic, int64_t now_wall_ns)
{
    const struct traffic_stats *stats = &traffic->stats;
    put_result(traffic, &webhooks_desc, "result", "accepted", stats->accepted);
    put_result(traffic, &webhooks_desc, "result", "repeated", stats->repeated);
    put_result(traffic, &webhooks_desc, "result", "refused", stats->refused);
    put_result(traffic, &switches_desc, "result", "done", stats->done);
    put_result(traffic, &switches_desc, "result", "failed", stats->failed);
    put_result(traffic, &servers_desc, "state", "out", traffic->out);
    put_result(traffic, &servers_desc, "state", "held", traffic->held);
    put_result(traffic, &servers_desc, "state", "missing", traffic->missing);
    if (stats->done)
        batch_put(traffic->batch, &duration_desc, NULL, 0,
                  VALUE_OF_F64((double)(stats->last_duration_ns / NS_PER_US) / 1e6));
    for (size_t i = 0; i < traffic->config->rules.count; i++)
        put_rule(traffic, traffic_rule_at(traffic->config, i), now_wall_ns);
}

void traffic_publish(struct traffic *traffic)
{
    struct error err = {0};
    int64_t now_wall_ns = clock_wall_ns();
    batch_begin(traffic->batch);
    (void)pthread_mutex_lock(&traffic->lock);
    bool configured = traffic->config != NULL;
    if (configured)
        put_all(traffic, now_wall_ns);
    (void)pthread_mutex_unlock(&traffic->lock);
    struct snapshot *snapshot =
        configured ? batch_finish(traffic->batch, now_wall_ns, clock_mono_ns()) : NULL;
    if (hub_publish(traffic->source, snapshot, &err))
        LOG_EVENT(LOG_WARN, "traffic.metrics_refused", LF_ERROR(&err));
}
