/* Pods and their containers. */
#include "scrapers/kubernetes/kube_kind.h"

#define GAUGE(text, words)                                                                                   \
    {                                                                                                        \
        .name = (text), .type = METRIC_GAUGE, .help = (words)                                                \
    }

enum {
    POD_CREATED = KUBE_META_COUNT,
    POD_OWNERS,
    POD_NODE,
    POD_PRIORITY,
    POD_HOST_NETWORK,
    POD_CONTAINERS,
    POD_PHASE,
    POD_REASON,
    POD_HOST_IP,
    POD_IP,
    POD_STARTED,
    POD_CONDITIONS,
    POD_STATUSES
};

enum {
    INFO,
    CREATED,
    STARTED,
    PHASE,
    READY,
    SCHEDULED,
    REASON,
    CONTAINER_INFO,
    CONTAINER_READY,
    CONTAINER_RUNNING,
    CONTAINER_WAITING,
    CONTAINER_TERMINATED,
    CONTAINER_RESTARTS,
    CONTAINER_WAITING_REASON,
    CONTAINER_LAST_REASON,
    REQUESTS,
    LIMITS
};

static const struct kube_field fields[] = {
    KUBE_META,
    {"metadata.creationTimestamp", KUBE_TIME},
    {"metadata.ownerReferences", KUBE_RAW},
    {"spec.nodeName", KUBE_TEXT},
    {"spec.priorityClassName", KUBE_TEXT},
    {"spec.hostNetwork", KUBE_BOOL},
    {"spec.containers", KUBE_RAW},
    {"status.phase", KUBE_TEXT},
    {"status.reason", KUBE_TEXT},
    {"status.hostIP", KUBE_TEXT},
    {"status.podIP", KUBE_TEXT},
    {"status.startTime", KUBE_TIME},
    {"status.conditions", KUBE_RAW},
    {"status.containerStatuses", KUBE_RAW},
};

static const struct metric_desc metrics[] = {
    [INFO] = GAUGE("kube_pod_info", "1; where the pod runs and what made it."),
    [CREATED] = GAUGE("kube_pod_created", "When the pod was created, seconds since 1970."),
    [STARTED] = GAUGE("kube_pod_start_time", "When the node took the pod, seconds since 1970."),
    [PHASE] = GAUGE("kube_pod_status_phase", "1 for the phase that the pod is in."),
    [READY] = GAUGE("kube_pod_status_ready", "1 for the status of the pod's condition Ready."),
    [SCHEDULED] = GAUGE("kube_pod_status_scheduled", "1 for the status of the pod's condition PodScheduled."),
    [REASON] = GAUGE("kube_pod_status_reason", "1; why the pod is in its phase (Evicted, NodeLost ...)."),
    [CONTAINER_INFO] = GAUGE("kube_pod_container_info", "1; image of the container."),
    [CONTAINER_READY] = GAUGE("kube_pod_container_status_ready", "1 while the container is ready."),
    [CONTAINER_RUNNING] = GAUGE("kube_pod_container_status_running", "1 while the container runs."),
    [CONTAINER_WAITING] = GAUGE("kube_pod_container_status_waiting", "1 while the container waits to run."),
    [CONTAINER_TERMINATED] =
        GAUGE("kube_pod_container_status_terminated", "1 while the container has ended."),
    [CONTAINER_RESTARTS] = {.name = "kube_pod_container_status_restarts_total",
                            .type = METRIC_COUNTER,
                            .help = "Restarts of the container."},
    [CONTAINER_WAITING_REASON] = GAUGE("kube_pod_container_status_waiting_reason",
                                       "1; why the container waits (CrashLoopBackOff ...)."),
    [CONTAINER_LAST_REASON] = GAUGE("kube_pod_container_status_last_terminated_reason",
                                    "1; why the container ended the last time (OOMKilled ...)."),
    [REQUESTS] = GAUGE("kube_pod_container_resource_requests", "What the container asks for of a resource."),
    [LIMITS] = GAUGE("kube_pod_container_resource_limits", "What the container may use of a resource."),
};

static const struct kube_row rows[] = {{POD_CREATED, CREATED, false}, {POD_STARTED, STARTED, false}};

struct owner {
    struct str kind, name;
};

static const struct kube_field owner_fields[] = {
    {"kind", KUBE_TEXT}, {"name", KUBE_TEXT}, {"controller", KUBE_BOOL}};

static void find_owner(struct kube_emit *emit, const struct kube_value *values, void *ctx)
{
    struct owner *owner = ctx;
    (void)emit;
    if (owner->kind.len == 0 && values[2].number.u64 == 1)
        *owner = (struct owner){values[0].text, values[1].text};
}

static const struct kube_field condition_fields[] = {{"type", KUBE_TEXT}, {"status", KUBE_TEXT}};

static void put_condition(struct kube_emit *emit, const struct kube_value *values, void *ctx)
{
    static const char *const statuses[] = {"True", "False", "Unknown"}, *const labels[] = {"true", "false",
                                                                                           "unknown"};
    (void)ctx;
    bool ready = str_equal(values[0].text, STR("Ready"));
    if (!ready && !str_equal(values[0].text, STR("PodScheduled")))
        return;
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        struct label label = LABEL_TEXT("condition", labels[i]);
        kube_put(emit, ready ? READY : SCHEDULED, VALUE_OF_BOOL(str_equal_text(values[1].text, statuses[i])),
                 &label, 1);
    }
}

static const struct kube_field container_fields[] = {
    {"name", KUBE_TEXT}, {"resources.requests", KUBE_RAW}, {"resources.limits", KUBE_RAW}};

static void put_resources(struct kube_emit *emit, const struct kube_value *values, void *ctx)
{
    const struct str *node = ctx;
    const struct label labels[] = {LABEL("container", values[0].text), LABEL("node", *node)};
    kube_put_resources(emit, REQUESTS, &values[1], labels, ARRAY_LEN(labels));
    kube_put_resources(emit, LIMITS, &values[2], labels, ARRAY_LEN(labels));
}

enum { STATUS_NAME, STATUS_READY, STATUS_RESTARTS, STATUS_RUNNING, STATUS_WAITING, STATUS_WAITING_REASON };
enum {
    STATUS_TERMINATED = STATUS_WAITING_REASON,
    STATUS_LAST_REASON,
    STATUS_IMAGE,
    STATUS_IMAGE_ID,
    STATUS_ID
};

static const struct kube_field status_fields[] = {
    {"name", KUBE_TEXT},
    {"ready", KUBE_BOOL},
    {"restartCount", KUBE_NUMBER},
    {"state.running", KUBE_RAW},
    {"state.waiting.reason", KUBE_TEXT},
    {"state.terminated", KUBE_RAW},
    {"lastState.terminated.reason", KUBE_TEXT},
    {"image", KUBE_TEXT},
    {"imageID", KUBE_TEXT},
    {"containerID", KUBE_TEXT},
};

static void put_reason(struct kube_emit *emit, unsigned metric, struct label container,
                       const struct kube_value *reason)
{
    if (reason->text.len > 0)
        kube_put(emit, metric, VALUE_OF_U64(1), KUBE_MORE(container, LABEL("reason", reason->text)));
}

static void put_status(struct kube_emit *emit, const struct kube_value *values, void *ctx)
{
    (void)ctx;
    struct label container = LABEL("container", values[STATUS_NAME].text);
    bool running = values[STATUS_RUNNING].type == KUBE_RAW,
         terminated = values[STATUS_TERMINATED].type == KUBE_RAW;
    kube_put(emit, CONTAINER_INFO, VALUE_OF_U64(1),
             KUBE_MORE(container, LABEL("image", values[STATUS_IMAGE].text),
                       LABEL("image_id", values[STATUS_IMAGE_ID].text),
                       LABEL("container_id", values[STATUS_ID].text)));
    kube_put(emit, CONTAINER_READY, kube_number(&values[STATUS_READY]), &container, 1);
    kube_put(emit, CONTAINER_RUNNING, VALUE_OF_BOOL(running), &container, 1);
    kube_put(emit, CONTAINER_WAITING, VALUE_OF_BOOL(!running && !terminated), &container, 1);
    kube_put(emit, CONTAINER_TERMINATED, VALUE_OF_BOOL(terminated), &container, 1);
    kube_put(emit, CONTAINER_RESTARTS, kube_number(&values[STATUS_RESTARTS]), &container, 1);
    put_reason(emit, CONTAINER_WAITING_REASON, container, &values[STATUS_WAITING]);
    put_reason(emit, CONTAINER_LAST_REASON, container, &values[STATUS_LAST_REASON]);
}

static void emit_pod(struct kube_emit *emit, const struct kube_value *values)
{
    static const char *const phases[] = {"Pending", "Succeeded", "Failed", "Unknown", "Running", NULL};
    struct owner owner = {0};
    struct str node = values[POD_NODE].text;
    kube_each(emit, &values[POD_OWNERS], owner_fields, ARRAY_LEN(owner_fields), find_owner, &owner);
    kube_put(emit, INFO, VALUE_OF_U64(1),
             KUBE_MORE(LABEL("node", node), LABEL("host_ip", values[POD_HOST_IP].text),
                       LABEL("pod_ip", values[POD_IP].text), LABEL("created_by_kind", owner.kind),
                       LABEL("created_by_name", owner.name),
                       LABEL("priority_class", values[POD_PRIORITY].text),
                       LABEL_TEXT("host_network", values[POD_HOST_NETWORK].number.u64 ? "true" : "false")));
    kube_put_choice(emit, PHASE, "phase", phases, values[POD_PHASE].text);
    if (values[POD_REASON].text.len > 0)
        kube_put(emit, REASON, VALUE_OF_U64(1), KUBE_MORE(LABEL("reason", values[POD_REASON].text)));
    kube_each(emit, &values[POD_CONDITIONS], condition_fields, ARRAY_LEN(condition_fields), put_condition,
              NULL);
    kube_each(emit, &values[POD_STATUSES], status_fields, ARRAY_LEN(status_fields), put_status, NULL);
    kube_each(emit, &values[POD_CONTAINERS], container_fields, ARRAY_LEN(container_fields), put_resources,
              &node);
}

const struct kube_kind kube_pods = {
    .name = "pods",
    .group = "",
    .base = "/api/v1",
    .namespaced = true,
    .label = "pod",
    .uid = true,
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .metrics = metrics,
    .metric_count = ARRAY_LEN(metrics),
    .rows = rows,
    .row_count = ARRAY_LEN(rows),
    .emit = emit_pod,
};
