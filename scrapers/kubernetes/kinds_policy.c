/* Claims of storage, autoscalers and disruption budgets. */
#include "scrapers/kubernetes/kube_kind.h"

#define GAUGE(text, words)                                                                                   \
    {                                                                                                        \
        .name = (text), .type = METRIC_GAUGE, .help = (words)                                                \
    }

/* --- persistentvolumeclaims --- */

enum { CLAIM_CLASS = KUBE_META_COUNT, CLAIM_VOLUME, CLAIM_PHASE, CLAIM_STORAGE, CLAIM_MODE };
enum { CLAIM_INFO, CLAIM_STATUS, CLAIM_REQUESTED };

static const struct kube_field claim_fields[] = {
    KUBE_META,
    {"spec.storageClassName", KUBE_TEXT},
    {"spec.volumeName", KUBE_TEXT},
    {"status.phase", KUBE_TEXT},
    {"spec.resources.requests.storage", KUBE_QUANTITY},
    {"spec.volumeMode", KUBE_TEXT},
};

static const struct metric_desc claim_metrics[] = {
    GAUGE("kube_persistentvolumeclaim_info", "1; storage class, volume and mode of the claim."),
    GAUGE("kube_persistentvolumeclaim_status_phase", "1 for the phase that the claim is in."),
    {.name = "kube_persistentvolumeclaim_resource_requests_storage_bytes",
     .type = METRIC_GAUGE,
     .help = "Storage asked for.",
     .unit = "bytes"},
};

static const struct kube_row claim_rows[] = {{CLAIM_STORAGE, CLAIM_REQUESTED, false}};

static void emit_claim(struct kube_emit *emit, const struct kube_value *values)
{
    static const char *const phases[] = {"Lost", "Bound", "Pending", NULL};
    kube_put(emit, CLAIM_INFO, VALUE_OF_U64(1),
             KUBE_MORE(LABEL("storageclass", values[CLAIM_CLASS].text),
                       LABEL("volumename", values[CLAIM_VOLUME].text),
                       LABEL("volumemode", values[CLAIM_MODE].text)));
    kube_put_choice(emit, CLAIM_STATUS, "phase", phases, values[CLAIM_PHASE].text);
}

const struct kube_kind kube_claims = {
    .name = "persistentvolumeclaims",
    .group = "",
    .base = "/api/v1",
    .namespaced = true,
    .label = "persistentvolumeclaim",
    .fields = claim_fields,
    .field_count = ARRAY_LEN(claim_fields),
    .metrics = claim_metrics,
    .metric_count = ARRAY_LEN(claim_metrics),
    .rows = claim_rows,
    .row_count = ARRAY_LEN(claim_rows),
    .emit = emit_claim,
};

/* --- horizontalpodautoscalers --- */

static const struct kube_field autoscaler_fields[] = {
    KUBE_META,
    {"spec.minReplicas", KUBE_NUMBER},
    {"spec.maxReplicas", KUBE_NUMBER},
    {"status.currentReplicas", KUBE_NUMBER},
    {"status.desiredReplicas", KUBE_NUMBER},
};

static const struct metric_desc autoscaler_metrics[] = {
    GAUGE("kube_horizontalpodautoscaler_spec_min_replicas", "Fewest replicas."),
    GAUGE("kube_horizontalpodautoscaler_spec_max_replicas", "Most replicas."),
    GAUGE("kube_horizontalpodautoscaler_status_current_replicas", "Replicas that the autoscaler has seen."),
    GAUGE("kube_horizontalpodautoscaler_status_desired_replicas", "Replicas that the autoscaler wants."),
};

static const struct kube_row autoscaler_rows[] = {{3, 0, false}, {4, 1, false}, {5, 2, true}, {6, 3, true}};

const struct kube_kind kube_autoscalers = {
    .name = "horizontalpodautoscalers",
    .group = "autoscaling",
    .base = "/apis/autoscaling/v2",
    .namespaced = true,
    .label = "horizontalpodautoscaler",
    .fields = autoscaler_fields,
    .field_count = ARRAY_LEN(autoscaler_fields),
    .metrics = autoscaler_metrics,
    .metric_count = ARRAY_LEN(autoscaler_metrics),
    .rows = autoscaler_rows,
    .row_count = ARRAY_LEN(autoscaler_rows),
};

/* --- poddisruptionbudgets --- */

static const struct kube_field budget_fields[] = {
    KUBE_META,
    {"status.currentHealthy", KUBE_NUMBER},
    {"status.desiredHealthy", KUBE_NUMBER},
    {"status.disruptionsAllowed", KUBE_NUMBER},
    {"status.expectedPods", KUBE_NUMBER},
    {"status.observedGeneration", KUBE_NUMBER},
};

static const struct metric_desc budget_metrics[] = {
    GAUGE("kube_poddisruptionbudget_status_current_healthy", "Healthy pods."),
    GAUGE("kube_poddisruptionbudget_status_desired_healthy", "Fewest healthy pods that the budget allows."),
    GAUGE("kube_poddisruptionbudget_status_pod_disruptions_allowed", "Pods that may be evicted now."),
    GAUGE("kube_poddisruptionbudget_status_expected_pods", "Pods that the budget counts."),
    GAUGE("kube_poddisruptionbudget_status_observed_generation", "Generation that the controller has seen."),
};

static const struct kube_row budget_rows[] = {
    {3, 0, true}, {4, 1, true}, {5, 2, true}, {6, 3, true}, {7, 4, true}};

const struct kube_kind kube_budgets = {
    .name = "poddisruptionbudgets",
    .group = "policy",
    .base = "/apis/policy/v1",
    .namespaced = true,
    .label = "poddisruptionbudget",
    .fields = budget_fields,
    .field_count = ARRAY_LEN(budget_fields),
    .metrics = budget_metrics,
    .metric_count = ARRAY_LEN(budget_metrics),
    .rows = budget_rows,
    .row_count = ARRAY_LEN(budget_rows),
};
