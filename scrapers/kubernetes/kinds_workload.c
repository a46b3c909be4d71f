/* Deployments, StatefulSets, DaemonSets and Jobs. */
#include "scrapers/kubernetes/kube_kind.h"

#define GAUGE(text, words)                                                                                   \
    {                                                                                                        \
        .name = (text), .type = METRIC_GAUGE, .help = (words)                                                \
    }

/* --- deployments --- */

enum {
    DEPLOYMENT_REPLICAS = KUBE_META_COUNT,
    DEPLOYMENT_CREATED,
    DEPLOYMENT_GENERATION,
    DEPLOYMENT_OBSERVED,
    DEPLOYMENT_ALL,
    DEPLOYMENT_READY,
    DEPLOYMENT_AVAILABLE,
    DEPLOYMENT_UNAVAILABLE,
    DEPLOYMENT_UPDATED,
    DEPLOYMENT_PAUSED,
    DEPLOYMENT_CONDITIONS
};

static const struct kube_field deployment_fields[] = {
    KUBE_META,
    {"spec.replicas", KUBE_NUMBER},
    {"metadata.creationTimestamp", KUBE_TIME},
    {"metadata.generation", KUBE_NUMBER},
    {"status.observedGeneration", KUBE_NUMBER},
    {"status.replicas", KUBE_NUMBER},
    {"status.readyReplicas", KUBE_NUMBER},
    {"status.availableReplicas", KUBE_NUMBER},
    {"status.unavailableReplicas", KUBE_NUMBER},
    {"status.updatedReplicas", KUBE_NUMBER},
    {"spec.paused", KUBE_BOOL},
    {"status.conditions", KUBE_RAW},
};

static const struct metric_desc deployment_metrics[] = {
    GAUGE("kube_deployment_spec_replicas", "Replicas wanted."),
    GAUGE("kube_deployment_created", "When the Deployment was created, seconds since 1970."),
    GAUGE("kube_deployment_metadata_generation", "Generation of the wanted state."),
    GAUGE("kube_deployment_status_observed_generation", "Generation that the controller has seen."),
    GAUGE("kube_deployment_status_replicas", "Replicas that exist."),
    GAUGE("kube_deployment_status_replicas_ready", "Replicas that are ready."),
    GAUGE("kube_deployment_status_replicas_available", "Replicas that have been ready for minReadySeconds."),
    GAUGE("kube_deployment_status_replicas_unavailable", "Replicas still missing for full strength."),
    GAUGE("kube_deployment_status_replicas_updated", "Replicas of the newest template."),
    GAUGE("kube_deployment_spec_paused", "1 while the Deployment is paused."),
    GAUGE("kube_deployment_status_condition", "1 for the status that a condition has."),
};

static const struct kube_row deployment_rows[] = {
    {DEPLOYMENT_REPLICAS, 0, true},  {DEPLOYMENT_CREATED, 1, false},    {DEPLOYMENT_GENERATION, 2, false},
    {DEPLOYMENT_OBSERVED, 3, true},  {DEPLOYMENT_ALL, 4, true},         {DEPLOYMENT_READY, 5, true},
    {DEPLOYMENT_AVAILABLE, 6, true}, {DEPLOYMENT_UNAVAILABLE, 7, true}, {DEPLOYMENT_UPDATED, 8, true},
    {DEPLOYMENT_PAUSED, 9, true},
};

static const struct kube_field condition_fields[] = {{"type", KUBE_TEXT}, {"status", KUBE_TEXT}};

static void put_condition(struct kube_emit *emit, const struct kube_value *values, void *ctx)
{
    kube_put_condition(emit, *(const unsigned *)ctx, values[0].text, values[1].text);
}

static void emit_deployment(struct kube_emit *emit, const struct kube_value *values)
{
    unsigned metric = 10;
    kube_each(emit, &values[DEPLOYMENT_CONDITIONS], condition_fields, ARRAY_LEN(condition_fields),
              put_condition, &metric);
}

const struct kube_kind kube_deployments = {
    .name = "deployments",
    .group = "apps",
    .base = "/apis/apps/v1",
    .namespaced = true,
    .label = "deployment",
    .fields = deployment_fields,
    .field_count = ARRAY_LEN(deployment_fields),
    .metrics = deployment_metrics,
    .metric_count = ARRAY_LEN(deployment_metrics),
    .rows = deployment_rows,
    .row_count = ARRAY_LEN(deployment_rows),
    .emit = emit_deployment,
};

/* --- statefulsets --- */

static const struct kube_field statefulset_fields[] = {
    KUBE_META,
    {"spec.replicas", KUBE_NUMBER},
    {"metadata.creationTimestamp", KUBE_TIME},
    {"metadata.generation", KUBE_NUMBER},
    {"status.observedGeneration", KUBE_NUMBER},
    {"status.replicas", KUBE_NUMBER},
    {"status.readyReplicas", KUBE_NUMBER},
    {"status.availableReplicas", KUBE_NUMBER},
    {"status.currentReplicas", KUBE_NUMBER},
    {"status.updatedReplicas", KUBE_NUMBER},
};

static const struct metric_desc statefulset_metrics[] = {
    GAUGE("kube_statefulset_replicas", "Replicas wanted."),
    GAUGE("kube_statefulset_created", "When the StatefulSet was created, seconds since 1970."),
    GAUGE("kube_statefulset_metadata_generation", "Generation of the wanted state."),
    GAUGE("kube_statefulset_status_observed_generation", "Generation that the controller has seen."),
    GAUGE("kube_statefulset_status_replicas", "Replicas that exist."),
    GAUGE("kube_statefulset_status_replicas_ready", "Replicas that are ready."),
    GAUGE("kube_statefulset_status_replicas_available", "Replicas that have been ready for minReadySeconds."),
    GAUGE("kube_statefulset_status_replicas_current", "Replicas of the current revision."),
    GAUGE("kube_statefulset_status_replicas_updated", "Replicas of the update revision."),
};

static const struct kube_row statefulset_rows[] = {
    {3, 0, true}, {4, 1, false}, {5, 2, false}, {6, 3, true},  {7, 4, true},
    {8, 5, true}, {9, 6, true},  {10, 7, true}, {11, 8, true},
};

const struct kube_kind kube_statefulsets = {
    .name = "statefulsets",
    .group = "apps",
    .base = "/apis/apps/v1",
    .namespaced = true,
    .label = "statefulset",
    .fields = statefulset_fields,
    .field_count = ARRAY_LEN(statefulset_fields),
    .metrics = statefulset_metrics,
    .metric_count = ARRAY_LEN(statefulset_metrics),
    .rows = statefulset_rows,
    .row_count = ARRAY_LEN(statefulset_rows),
};

/* --- daemonsets --- */

static const struct kube_field daemonset_fields[] = {
    KUBE_META,
    {"metadata.creationTimestamp", KUBE_TIME},
    {"status.desiredNumberScheduled", KUBE_NUMBER},
    {"status.currentNumberScheduled", KUBE_NUMBER},
    {"status.numberMisscheduled", KUBE_NUMBER},
    {"status.numberReady", KUBE_NUMBER},
    {"status.numberAvailable", KUBE_NUMBER},
    {"status.numberUnavailable", KUBE_NUMBER},
    {"status.updatedNumberScheduled", KUBE_NUMBER},
};

static const struct metric_desc daemonset_metrics[] = {
    GAUGE("kube_daemonset_created", "When the DaemonSet was created, seconds since 1970."),
    GAUGE("kube_daemonset_status_desired_number_scheduled", "Nodes that should run the daemon."),
    GAUGE("kube_daemonset_status_current_number_scheduled", "Nodes that run the daemon and should."),
    GAUGE("kube_daemonset_status_number_misscheduled", "Nodes that run the daemon and should not."),
    GAUGE("kube_daemonset_status_number_ready", "Nodes whose daemon is ready."),
    GAUGE("kube_daemonset_status_number_available", "Nodes whose daemon has been ready for minReadySeconds."),
    GAUGE("kube_daemonset_status_number_unavailable", "Nodes whose daemon is missing or not available."),
    GAUGE("kube_daemonset_status_updated_number_scheduled", "Nodes that run the newest template."),
};

static const struct kube_row daemonset_rows[] = {
    {3, 0, false}, {4, 1, true}, {5, 2, true}, {6, 3, true},
    {7, 4, true},  {8, 5, true}, {9, 6, true}, {10, 7, true},
};

const struct kube_kind kube_daemonsets = {
    .name = "daemonsets",
    .group = "apps",
    .base = "/apis/apps/v1",
    .namespaced = true,
    .label = "daemonset",
    .fields = daemonset_fields,
    .field_count = ARRAY_LEN(daemonset_fields),
    .metrics = daemonset_metrics,
    .metric_count = ARRAY_LEN(daemonset_metrics),
    .rows = daemonset_rows,
    .row_count = ARRAY_LEN(daemonset_rows),
};

/* --- jobs --- */

static const struct kube_field job_fields[] = {
    KUBE_META,
    {"metadata.creationTimestamp", KUBE_TIME},
    {"status.active", KUBE_NUMBER},
    {"status.succeeded", KUBE_NUMBER},
    {"status.startTime", KUBE_TIME},
    {"status.completionTime", KUBE_TIME},
    {"status.failed", KUBE_NUMBER},
};

static const struct metric_desc job_metrics[] = {
    GAUGE("kube_job_created", "When the Job was created, seconds since 1970."),
    GAUGE("kube_job_status_active", "Pods of the Job that run."),
    GAUGE("kube_job_status_succeeded", "Pods of the Job that have ended well."),
    GAUGE("kube_job_status_start_time", "When the Job began, seconds since 1970."),
    GAUGE("kube_job_status_completion_time", "When the Job was completed, seconds since 1970."),
    GAUGE("kube_job_status_failed", "Pods of the Job that have failed."),
};

static const struct kube_row job_rows[] = {
    {3, 0, false}, {4, 1, true}, {5, 2, true}, {6, 3, false}, {7, 4, false}, {8, 5, true},
};

const struct kube_kind kube_jobs = {
    .name = "jobs",
    .group = "batch",
    .base = "/apis/batch/v1",
    .namespaced = true,
    .label = "job_name",
    .fields = job_fields,
    .field_count = ARRAY_LEN(job_fields),
    .metrics = job_metrics,
    .metric_count = ARRAY_LEN(job_metrics),
    .rows = job_rows,
    .row_count = ARRAY_LEN(job_rows),
};
