/* What the scraper says of itself. Counters tell of the scrapes before, as everywhere. */
#include "scrapers/kubernetes/kubernetes_internal.h"

static const struct metric_desc up_desc = {
    .name = "fraiseql_kubernetes_resource_up",
    .type = METRIC_GAUGE,
    .help = "1 when the list of the resource was read in this scrape; 0 when it may not be, or is not there.",
};
static const struct metric_desc objects_desc = {
    .name = "fraiseql_kubernetes_objects",
    .type = METRIC_GAUGE,
    .help = "Objects of the resource that were read.",
};
static const struct metric_desc requests_desc = {
    .name = "fraiseql_kubernetes_requests_total",
    .type = METRIC_COUNTER,
    .help = "Requests to the API server up to the scrape before.",
};
static const struct metric_desc retries_desc = {
    .name = "fraiseql_kubernetes_retries_total",
    .type = METRIC_COUNTER,
    .help = "Requests that were sent again up to the scrape before.",
};
static const struct metric_desc expired_desc = {
    .name = "fraiseql_kubernetes_expired_lists_total",
    .type = METRIC_COUNTER,
    .help =
        "Lists whose snapshot had expired before their last page (HTTP 410): their rest is newer than their "
        "begin.",
};
static const struct metric_desc dropped_desc = {
    .name = "fraiseql_kubernetes_dropped_series_total",
    .type = METRIC_COUNTER,
    .help = "Series that were not taken over up to the scrape before, by reason (invalid, duplicate, limit, "
            "type).",
};
static const struct metric_desc samples_desc = {
    .name = "fraiseql_kubernetes_cadvisor_dropped_samples_total",
    .type = METRIC_COUNTER,
    .help = "Samples of cadvisor that were not taken over up to the scrape before, by reason (stale, future, "
            "out_of_order, syntax).",
};
static const struct metric_desc node_desc = {
    .name = "fraiseql_kubernetes_cadvisor_up",
    .type = METRIC_GAUGE,
    .help = "1 when the node's cadvisor page was read in this scrape.",
};

static void put_reason(struct kube_state *state, const struct metric_desc *desc, const char *reason,
                       uint64_t count)
{
    struct label label = LABEL_TEXT("reason", reason);
    batch_put(state->batch, desc, &label, 1, VALUE_OF_U64(count));
}

static void report_tasks(struct kube_state *state)
{
    for (size_t i = 0; i < state->task_count; i++) {
        const struct kube_task *task = &state->tasks[i];
        struct label labels[2] = {LABEL_TEXT("resource", task->resource)};
        size_t count = 1;
        if (task->namespace)
            labels[count++] = LABEL_TEXT("namespace", task->namespace);
        batch_put(state->batch, &up_desc, labels, count, VALUE_OF_BOOL(task->up));
        if (!task->up)
            continue;
        labels[0] = LABEL_TEXT("resource", task->resource);
        if (task->namespace)
            labels[1] = LABEL_TEXT("namespace", task->namespace);
        batch_put(state->batch, &objects_desc, labels, count, VALUE_OF_U64(task->objects));
    }
}

size_t kube_report_series(const struct kube_state *state)
{
    return 2 * state->task_count + state->node_count + 16;
}

void kube_report(struct kube_state *state)
{
    struct batch_counts counts;
    batch_counts(state->batch, &counts);
    report_tasks(state);
    batch_put(state->batch, &requests_desc, NULL, 0, VALUE_OF_U64(state->requests));
    batch_put(state->batch, &retries_desc, NULL, 0, VALUE_OF_U64(state->retries));
    batch_put(state->batch, &expired_desc, NULL, 0, VALUE_OF_U64(state->expired));
    put_reason(state, &dropped_desc, "duplicate", counts.dropped_duplicate);
    put_reason(state, &dropped_desc, "invalid", counts.dropped_invalid);
    put_reason(state, &dropped_desc, "limit", counts.dropped_limit + state->over_limit);
    put_reason(state, &dropped_desc, "type", counts.dropped_type);
    if (!state->config->cadvisor)
        return;
    put_reason(state, &samples_desc, "future", state->page_counts.future);
    put_reason(state, &samples_desc, "out_of_order", state->page_counts.out_of_order);
    put_reason(state, &samples_desc, "stale", state->page_counts.stale);
    put_reason(state, &samples_desc, "syntax", state->page_counts.bad);
    for (size_t i = 0; i < state->node_count; i++) {
        struct label label = LABEL_TEXT("node", state->nodes[i].name);
        batch_put(state->batch, &node_desc, &label, 1, VALUE_OF_BOOL(state->nodes[i].up));
    }
}
