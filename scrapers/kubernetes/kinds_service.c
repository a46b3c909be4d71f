/* EndpointSlices: how many backends of a Service are ready. */
#include "scrapers/kubernetes/kube_kind.h"

enum { SLICE_LABELS = KUBE_META_COUNT, SLICE_ENDPOINTS, SLICE_ADDRESS_TYPE };
enum { ENDPOINTS };

static const struct kube_field fields[] = {
    KUBE_META,
    {"metadata.labels", KUBE_RAW},
    {"endpoints", KUBE_RAW},
    {"addressType", KUBE_TEXT},
};

static const struct metric_desc metrics[] = {
    [ENDPOINTS] = {.name = "fraiseql_kubernetes_endpoints",
                   .type = METRIC_GAUGE,
                   .help = "Endpoints of the slice by whether they are ready."},
};

/* What has no condition is ready by the API's definition. */
enum { ENDPOINT_READY, ENDPOINT_TERMINATING };

static const struct kube_field endpoint_fields[] = {{"conditions.ready", KUBE_BOOL},
                                                    {"conditions.terminating", KUBE_BOOL}};

static void count_endpoint(struct kube_emit *emit, const struct kube_value *values, void *ctx)
{
    struct kube_service_facts *facts = ctx;
    (void)emit;
    if (values[ENDPOINT_READY].type == KUBE_NONE || values[ENDPOINT_READY].number.u64)
        facts->ready++;
    else if (values[ENDPOINT_TERMINATING].type == KUBE_NONE || !values[ENDPOINT_TERMINATING].number.u64)
        facts->not_ready++; /* one that is being stopped is no backend any more */
}

static struct str service_of(struct kube_emit *emit, const struct kube_value *labels)
{
    struct json_pull pull = json_pull_from(labels->text);
    struct str key, name = {0};
    if (labels->type != KUBE_RAW || !json_pull_object(&pull))
        return name;
    while (json_pull_member(&pull, &key)) {
        if (str_equal(key, STR("kubernetes.io/service-name")))
            (void)json_pull_text(&pull, emit->arena, &name);
        else
            json_pull_skip(&pull);
    }
    return name;
}

static void emit_slice(struct kube_emit *emit, const struct kube_value *values)
{
    struct kube_service_facts facts = {
        .namespace = values[KUBE_NAMESPACE].text,
        .name = service_of(emit, &values[SLICE_LABELS]),
        .second_family = str_equal(values[SLICE_ADDRESS_TYPE].text, STR("IPv6")),
    };
    kube_each(emit, &values[SLICE_ENDPOINTS], endpoint_fields, ARRAY_LEN(endpoint_fields), count_endpoint,
              &facts);
    const struct label service = LABEL("service", facts.name);
    kube_put(emit, ENDPOINTS, VALUE_OF_U64(facts.ready), KUBE_MORE(service, LABEL("ready", STR("true"))));
    kube_put(emit, ENDPOINTS, VALUE_OF_U64(facts.not_ready),
             KUBE_MORE(service, LABEL("ready", STR("false"))));
    if (emit->on_service && facts.name.len > 0)
        emit->on_service(emit->ctx, &facts);
}

const struct kube_kind kube_slices = {
    .name = "endpointslices",
    .group = "discovery.k8s.io",
    .base = "/apis/discovery.k8s.io/v1",
    .namespaced = true,
    .label = "endpointslice",
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .metrics = metrics,
    .metric_count = ARRAY_LEN(metrics),
    .emit = emit_slice,
};
