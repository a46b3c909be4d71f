/* metrics.k8s.io: CPU and working set of nodes and containers, as the kubelets told the metrics server. */
#include "scrapers/kubernetes/kube_kind.h"

#define GAUGE(text, words, of)                                                                               \
    {                                                                                                        \
        .name = (text), .type = METRIC_GAUGE, .help = (words), .unit = (of)                                  \
    }

/* What is older says nothing of now; the metrics server itself gives up after a few of its cycles. */
#define OLDEST_S 300

enum { USAGE_TIME = KUBE_META_COUNT, USAGE_CPU, USAGE_MEMORY };
enum { CPU, MEMORY, AGE };

/* --- nodes --- */

static const struct kube_field node_fields[] = {
    KUBE_META,
    {"timestamp", KUBE_TIME},
    {"usage.cpu", KUBE_QUANTITY},
    {"usage.memory", KUBE_QUANTITY},
};

static const struct metric_desc node_metrics[] = {
    [CPU] = GAUGE("fraiseql_kubernetes_node_cpu_usage_cores",
                  "Cores that the node uses, over the kubelet's window.", "cores"),
    [MEMORY] =
        GAUGE("fraiseql_kubernetes_node_memory_working_set_bytes", "Working set of the node.", "bytes"),
    [AGE] = GAUGE("fraiseql_kubernetes_node_usage_age_seconds", "Age of the node's usage when it was read.",
                  "seconds"),
};

/* The age is known of old values too; they themselves are not shown. */
static bool put_age(struct kube_emit *emit, const struct kube_value *time)
{
    if (time->type == KUBE_NONE)
        return true;
    int64_t age = emit->now_wall_s - time->number.i64;
    kube_put(emit, AGE, VALUE_OF_I64(age > 0 ? age : 0), NULL, 0);
    return age <= OLDEST_S;
}

static void emit_node(struct kube_emit *emit, const struct kube_value *values)
{
    if (!put_age(emit, &values[USAGE_TIME]))
        return;
    kube_put(emit, CPU, kube_number(&values[USAGE_CPU]), NULL, 0);
    kube_put(emit, MEMORY, kube_number(&values[USAGE_MEMORY]), NULL, 0);
    if (emit->on_node_usage)
        emit->on_node_usage(emit->ctx, values[KUBE_NAME].text, kube_number(&values[USAGE_CPU]),
                            kube_number(&values[USAGE_MEMORY]));
}

const struct kube_kind kube_node_usage = {
    .name = "nodes",
    .group = "metrics.k8s.io",
    .base = "/apis/metrics.k8s.io/v1beta1",
    .label = "node",
    .fields = node_fields,
    .field_count = ARRAY_LEN(node_fields),
    .metrics = node_metrics,
    .metric_count = ARRAY_LEN(node_metrics),
    .emit = emit_node,
};

/* --- pods --- */

static const struct kube_field pod_fields[] = {
    KUBE_META,
    {"timestamp", KUBE_TIME},
    {"containers", KUBE_RAW},
};

static const struct metric_desc pod_metrics[] = {
    [CPU] = GAUGE("fraiseql_kubernetes_container_cpu_usage_cores",
                  "Cores that the container uses, over the kubelet's window.", "cores"),
    [MEMORY] = GAUGE("fraiseql_kubernetes_container_memory_working_set_bytes",
                     "Working set of the container.", "bytes"),
    [AGE] = GAUGE("fraiseql_kubernetes_pod_usage_age_seconds", "Age of the pod's usage when it was read.",
                  "seconds"),
};

static const struct kube_field container_fields[] = {
    {"name", KUBE_TEXT}, {"usage.cpu", KUBE_QUANTITY}, {"usage.memory", KUBE_QUANTITY}};

static void put_container(struct kube_emit *emit, const struct kube_value *values, void *ctx)
{
    (void)ctx;
    struct label container = LABEL("container", values[0].text);
    kube_put(emit, CPU, kube_number(&values[1]), &container, 1);
    kube_put(emit, MEMORY, kube_number(&values[2]), &container, 1);
}

static void emit_pod(struct kube_emit *emit, const struct kube_value *values)
{
    if (put_age(emit, &values[USAGE_TIME]))
        kube_each(emit, &values[USAGE_TIME + 1], container_fields, ARRAY_LEN(container_fields), put_container,
                  NULL);
}

const struct kube_kind kube_pod_usage = {
    .name = "pods",
    .group = "metrics.k8s.io",
    .base = "/apis/metrics.k8s.io/v1beta1",
    .namespaced = true,
    .label = "pod",
    .fields = pod_fields,
    .field_count = ARRAY_LEN(pod_fields),
    .metrics = pod_metrics,
    .metric_count = ARRAY_LEN(pod_metrics),
    .emit = emit_pod,
};
