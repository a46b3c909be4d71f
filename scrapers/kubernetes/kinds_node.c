/* Nodes. */
#include "scrapers/kubernetes/kube_kind.h"

#define GAUGE(text, words)                                                                                   \
    {                                                                                                        \
        .name = (text), .type = METRIC_GAUGE, .help = (words)                                                \
    }
#define NODE_INFO "status.nodeInfo."
#define ROLE      "node-role.kubernetes.io/"

enum {
    NODE_CREATED = KUBE_META_COUNT,
    NODE_UNSCHEDULABLE,
    NODE_PROVIDER,
    NODE_POD_CIDR,
    NODE_KERNEL,
    NODE_OS_IMAGE,
    NODE_RUNTIME,
    NODE_KUBELET,
    NODE_SYSTEM_UUID,
    NODE_LABELS,
    NODE_TAINTS,
    NODE_CONDITIONS,
    NODE_ADDRESSES,
    NODE_CAPACITY,
    NODE_ALLOCATABLE
};

enum { INFO, CREATED, UNSCHEDULABLE, CONDITION, CAPACITY, ALLOCATABLE, TAINT, ROLES };

static const struct kube_field fields[] = {
    KUBE_META,
    {"metadata.creationTimestamp", KUBE_TIME},
    {"spec.unschedulable", KUBE_BOOL},
    {"spec.providerID", KUBE_TEXT},
    {"spec.podCIDR", KUBE_TEXT},
    {NODE_INFO "kernelVersion", KUBE_TEXT},
    {NODE_INFO "osImage", KUBE_TEXT},
    {NODE_INFO "containerRuntimeVersion", KUBE_TEXT},
    {NODE_INFO "kubeletVersion", KUBE_TEXT},
    {NODE_INFO "systemUUID", KUBE_TEXT},
    {"metadata.labels", KUBE_RAW},
    {"spec.taints", KUBE_RAW},
    {"status.conditions", KUBE_RAW},
    {"status.addresses", KUBE_RAW},
    {"status.capacity", KUBE_RAW},
    {"status.allocatable", KUBE_RAW},
};

static const struct metric_desc metrics[] = {
    [INFO] = GAUGE("kube_node_info", "1; versions and addresses of the node."),
    [CREATED] = GAUGE("kube_node_created", "When the node joined, seconds since 1970."),
    [UNSCHEDULABLE] = GAUGE("kube_node_spec_unschedulable", "1 while the node takes no new pods (cordoned)."),
    [CONDITION] = GAUGE("kube_node_status_condition", "1 for the status that a condition has."),
    [CAPACITY] = GAUGE("kube_node_status_capacity", "What the node has of a resource."),
    [ALLOCATABLE] = GAUGE("kube_node_status_allocatable", "What pods may have of a resource."),
    [TAINT] = GAUGE("kube_node_spec_taint", "1; a taint of the node."),
    [ROLES] = GAUGE("kube_node_role", "1; a role of the node."),
};

static const struct kube_row rows[] = {{NODE_CREATED, CREATED, false},
                                       {NODE_UNSCHEDULABLE, UNSCHEDULABLE, true}};

static const struct kube_field condition_fields[] = {{"type", KUBE_TEXT}, {"status", KUBE_TEXT}};
static const struct kube_field address_fields[] = {{"type", KUBE_TEXT}, {"address", KUBE_TEXT}};
static const struct kube_field taint_fields[] = {
    {"key", KUBE_TEXT}, {"value", KUBE_TEXT}, {"effect", KUBE_TEXT}};

static void put_condition(struct kube_emit *emit, const struct kube_value *values, void *ctx)
{
    struct kube_node_facts *facts = ctx;
    if (str_equal(values[0].text, STR("Ready")))
        facts->ready = VALUE_OF_BOOL(str_equal(values[1].text, STR("True")));

    kube_put_condition(emit, CONDITION, values[0].text, values[1].text);
}

static void find_internal(struct kube_emit *emit, const struct kube_value *values, void *ctx)
{
    struct str *address = ctx;
    (void)emit;
    if (address->len == 0 && str_equal(values[0].text, STR("InternalIP")))
        *address = values[1].text;
}

static void put_taint(struct kube_emit *emit, const struct kube_value *values, void *ctx)
{
    (void)ctx;
    kube_put(emit, TAINT, VALUE_OF_U64(1),
             KUBE_MORE(LABEL("key", values[0].text), LABEL("value", values[1].text),
                       LABEL("effect", values[2].text)));
}

static void put_roles(struct kube_emit *emit, const struct kube_value *labels)
{
    struct json_pull pull = json_pull_from(labels->text);
    struct str key;
    if (labels->type != KUBE_RAW || !json_pull_object(&pull))
        return;
    while (json_pull_member(&pull, &key)) {
        if (str_starts(key, STR(ROLE)) && key.len > sizeof ROLE - 1) {
            struct label role =
                LABEL("role", ((struct str){key.ptr + sizeof ROLE - 1, key.len - sizeof ROLE + 1}));
            kube_put(emit, ROLES, VALUE_OF_U64(1), &role, 1);
        }
        json_pull_skip(&pull);
    }
}

static void read_capacity(struct kube_emit *emit, const struct kube_value *capacity,
                          struct kube_node_facts *facts)
{
    static const struct kube_field capacity_fields[] = {{"cpu", KUBE_QUANTITY}, {"memory", KUBE_QUANTITY}};
    struct kube_value found[ARRAY_LEN(capacity_fields)];
    struct json_pull pull = json_pull_from(capacity->text);
    if (capacity->type != KUBE_RAW ||
        !kube_pick(&pull, capacity_fields, ARRAY_LEN(capacity_fields), emit->arena, found))
        return;
    facts->cpu_cores = kube_number(&found[0]);
    facts->memory_bytes = kube_number(&found[1]);
}

static void emit_node(struct kube_emit *emit, const struct kube_value *values)
{
    struct str internal = {0};
    struct kube_node_facts facts = {.name = values[KUBE_NAME].text};
    kube_each(emit, &values[NODE_ADDRESSES], address_fields, ARRAY_LEN(address_fields), find_internal,
              &internal);
    kube_put(emit, INFO, VALUE_OF_U64(1),
             KUBE_MORE(LABEL("kernel_version", values[NODE_KERNEL].text),
                       LABEL("os_image", values[NODE_OS_IMAGE].text),
                       LABEL("container_runtime_version", values[NODE_RUNTIME].text),
                       LABEL("kubelet_version", values[NODE_KUBELET].text),
                       LABEL("provider_id", values[NODE_PROVIDER].text),
                       LABEL("pod_cidr", values[NODE_POD_CIDR].text),
                       LABEL("system_uuid", values[NODE_SYSTEM_UUID].text), LABEL("internal_ip", internal)));
    kube_each(emit, &values[NODE_CONDITIONS], condition_fields, ARRAY_LEN(condition_fields), put_condition,
              &facts);
    kube_each(emit, &values[NODE_TAINTS], taint_fields, ARRAY_LEN(taint_fields), put_taint, NULL);
    put_roles(emit, &values[NODE_LABELS]);
    kube_put_resources(emit, CAPACITY, &values[NODE_CAPACITY], NULL, 0);
    kube_put_resources(emit, ALLOCATABLE, &values[NODE_ALLOCATABLE], NULL, 0);
    if (emit->on_node) {
        read_capacity(emit, &values[NODE_CAPACITY], &facts);
        emit->on_node(emit->ctx, &facts);
    }
}

const struct kube_kind kube_nodes = {
    .name = "nodes",
    .group = "",
    .base = "/api/v1",
    .label = "node",
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .metrics = metrics,
    .metric_count = ARRAY_LEN(metrics),
    .rows = rows,
    .row_count = ARRAY_LEN(rows),
    .emit = emit_node,
};
