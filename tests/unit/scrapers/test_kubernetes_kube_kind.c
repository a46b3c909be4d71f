/* The tables of all kinds but pods. */
#include "tests/unit/scrapers/kube_rig.h"

#define ITEMS(text) "{\"items\":[{" text "}]}"
#define META                                                                                                 \
    "\"metadata\":{\"name\":\"x\",\"namespace\":\"ns\",\"generation\":4,\"creationTimestamp\":\"1970-01-"    \
    "01T00:00:09Z\"}"

static void check_kind(const struct kube_kind *kind)
{
    ck_assert_uint_le(kind->metric_count, KUBE_METRICS_MAX);
    ck_assert_uint_le(kind->field_count, KUBE_FIELDS_MAX);
    ck_assert_str_eq(kind->fields[KUBE_NAME].path, "metadata.name");
    for (size_t m = 0; m < kind->metric_count; m++) {
        ck_assert_msg(kind->metrics[m].name != NULL, "%s: metric %zu", kind->name, m);
        ck_assert(metric_name_valid(str_from(kind->metrics[m].name)));
    }
    for (size_t r = 0; r < kind->row_count; r++)
        ck_assert(kind->rows[r].field < kind->field_count && kind->rows[r].metric < kind->metric_count);
}

START_TEST(every_kind_is_found_by_its_name_and_is_well_formed)
{
    static const struct kube_kind *const more[] = {&kube_node_usage, &kube_pod_usage};
    for (size_t i = 0; kube_kinds[i]; i++)
        check_kind(kube_kinds[i]);
    ck_assert_ptr_eq(kube_kind_find("pods"), &kube_pods);
    ck_assert_ptr_null(kube_kind_find("secrets"));
    for (size_t i = 0; i < ARRAY_LEN(more); i++)
        check_kind(more[i]);
}
END_TEST

START_TEST(workloads)
{
    static const char deployment[] = ITEMS(
        META ",\"spec\":{\"replicas\":3,\"paused\":true},\"status\":{\"replicas\":3,\"updatedReplicas\":2,"
             "\"unavailableReplicas\":3,\"observedGeneration\":3,\"conditions\":[{\"type\":\"Available\","
             "\"status\":\"False\"}]}");
#define D "{deployment=\"x\",namespace=\"ns\"} "
    kube_expect(&kube_deployments, deployment, "kube_deployment_spec_replicas" D "3\n");
    kube_expect(&kube_deployments, deployment, "kube_deployment_created" D "9\n");
    kube_expect(&kube_deployments, deployment, "kube_deployment_metadata_generation" D "4\n");
    kube_expect(&kube_deployments, deployment, "kube_deployment_status_observed_generation" D "3\n");
    kube_expect(&kube_deployments, deployment, "kube_deployment_status_replicas" D "3\n");
    kube_expect(&kube_deployments, deployment, "kube_deployment_status_replicas_ready" D "0\n");
    kube_expect(&kube_deployments, deployment, "kube_deployment_status_replicas_available" D "0\n");
    kube_expect(&kube_deployments, deployment, "kube_deployment_status_replicas_unavailable" D "3\n");
    kube_expect(&kube_deployments, deployment, "kube_deployment_status_replicas_updated" D "2\n");
    kube_expect(&kube_deployments, deployment, "kube_deployment_spec_paused" D "1\n");
    kube_expect(
        &kube_deployments, deployment,
        "kube_deployment_status_condition{condition=\"Available\",deployment=\"x\",namespace=\"ns\",status="
        "\"false\"} 1\n");
    static const char set[] =
        ITEMS(META ",\"spec\":{\"replicas\":2},\"status\":{\"readyReplicas\":1,\"currentReplicas\":2}");
#define S "{namespace=\"ns\",statefulset=\"x\"} "
    kube_expect(&kube_statefulsets, set, "kube_statefulset_replicas" S "2\n");
    kube_expect(&kube_statefulsets, set, "kube_statefulset_status_replicas_ready" S "1\n");
    kube_expect(&kube_statefulsets, set, "kube_statefulset_status_replicas_current" S "2\n");
    kube_expect(&kube_statefulsets, set, "kube_statefulset_status_replicas_updated" S "0\n");
    static const char daemons[] = ITEMS(META ",\"status\":{\"desiredNumberScheduled\":5,\"numberReady\":4}");
    kube_expect(&kube_daemonsets, daemons,
                "kube_daemonset_status_desired_number_scheduled{daemonset=\"x\",namespace=\"ns\"} 5\n");
    kube_expect(&kube_daemonsets, daemons,
                "kube_daemonset_status_number_ready{daemonset=\"x\",namespace=\"ns\"} 4\n");
    static const char job[] =
        ITEMS(META ",\"status\":{\"succeeded\":1,\"completionTime\":\"1970-01-01T00:01:00Z\"}");
    kube_expect(&kube_jobs, job, "kube_job_status_succeeded{job_name=\"x\",namespace=\"ns\"} 1\n");
    kube_expect(&kube_jobs, job, "kube_job_status_failed{job_name=\"x\",namespace=\"ns\"} 0\n");
    kube_expect(&kube_jobs, job, "kube_job_status_completion_time{job_name=\"x\",namespace=\"ns\"} 60\n");
}
END_TEST

START_TEST(claims_autoscalers_and_budgets)
{
    static const char claim[] =
        ITEMS(META ",\"spec\":{\"storageClassName\":\"fast\",\"volumeName\":\"pv\",\"resources\":{"
                   "\"requests\":{\"storage\":\"10Gi\"}}},\"status\":{\"phase\":\"Bound\"}");
#define C "namespace=\"ns\",persistentvolumeclaim=\"x\""
    kube_expect(&kube_claims, claim,
                "kube_persistentvolumeclaim_info{" C ",storageclass=\"fast\",volumename=\"pv\"} 1\n");
    kube_expect(&kube_claims, claim, "kube_persistentvolumeclaim_status_phase{" C ",phase=\"Bound\"} 1\n");
    kube_expect(&kube_claims, claim, "kube_persistentvolumeclaim_status_phase{" C ",phase=\"Lost\"} 0\n");
    kube_expect(&kube_claims, claim,
                "kube_persistentvolumeclaim_resource_requests_storage_bytes{" C "} 10737418240\n");
    static const char scaler[] =
        ITEMS(META ",\"spec\":{\"minReplicas\":2,\"maxReplicas\":9},\"status\":{\"currentReplicas\":3}");
#define H "{horizontalpodautoscaler=\"x\",namespace=\"ns\"} "
    kube_expect(&kube_autoscalers, scaler, "kube_horizontalpodautoscaler_spec_min_replicas" H "2\n");
    kube_expect(&kube_autoscalers, scaler, "kube_horizontalpodautoscaler_spec_max_replicas" H "9\n");
    kube_expect(&kube_autoscalers, scaler, "kube_horizontalpodautoscaler_status_current_replicas" H "3\n");
    kube_expect(&kube_autoscalers, scaler, "kube_horizontalpodautoscaler_status_desired_replicas" H "0\n");
    static const char budget[] = ITEMS(META ",\"status\":{\"disruptionsAllowed\":1,\"currentHealthy\":3}");
#define B "{namespace=\"ns\",poddisruptionbudget=\"x\"} "
    kube_expect(&kube_budgets, budget, "kube_poddisruptionbudget_status_pod_disruptions_allowed" B "1\n");
    kube_expect(&kube_budgets, budget, "kube_poddisruptionbudget_status_current_healthy" B "3\n");
}
END_TEST

START_TEST(endpoints_of_services)
{
    static const char slice[] = ITEMS("\"metadata\":{\"name\":\"web-1\",\"namespace\":\"ns\",\"labels\":{"
                                      "\"kubernetes.io/service-name\":\"web\"}},"
                                      "\"addressType\":\"IPv4\",\"endpoints\":[{\"conditions\":{\"ready\":"
                                      "true}},{\"conditions\":{\"ready\":false}},"
                                      "{},{\"conditions\":{\"ready\":false,\"terminating\":true}}]");
    kube_expect(&kube_slices, slice,
                "fraiseql_kubernetes_endpoints{endpointslice=\"web-1\",namespace=\"ns\",ready=\"true\","
                "service=\"web\"} 2\n");
    kube_expect(&kube_slices, slice,
                "fraiseql_kubernetes_endpoints{endpointslice=\"web-1\",namespace=\"ns\",ready=\"false\","
                "service=\"web\"} 1\n");
}
END_TEST

START_TEST(the_nodes)
{
    static const char node[] = ITEMS("\"metadata\":{\"name\":\"n1\",\"labels\":{\"node-role.kubernetes.io/"
                                     "control-plane\":\"\",\"a\":\"b\"}},"
                                     "\"spec\":{\"unschedulable\":true,\"providerID\":\"aws:///"
                                     "i\",\"taints\":[{\"key\":\"k\",\"value\":\"v\","
                                     "\"effect\":\"NoSchedule\"}]},\"status\":{\"nodeInfo\":{"
                                     "\"kubeletVersion\":\"v1.34.4\"},\"addresses\":[{"
                                     "\"type\":\"Hostname\",\"address\":\"h\"},{\"type\":\"InternalIP\","
                                     "\"address\":\"10.0.0.1\"}],\"capacity\":{"
                                     "\"cpu\":\"4\",\"ephemeral-storage\":\"1Ki\"},\"allocatable\":{\"cpu\":"
                                     "\"3920m\"},\"conditions\":[{\"type\":"
                                     "\"Ready\",\"status\":\"Unknown\"}]}");
    kube_expect(&kube_nodes, node,
                "kube_node_info{internal_ip=\"10.0.0.1\",kubelet_version=\"v1.34.4\",node=\"n1\",provider_id="
                "\"aws:///i\"} 1\n");
    kube_expect(&kube_nodes, node, "kube_node_spec_unschedulable{node=\"n1\"} 1\n");
    kube_expect(&kube_nodes, node, "kube_node_role{node=\"n1\",role=\"control-plane\"} 1\n");
    kube_expect(&kube_nodes, node,
                "kube_node_spec_taint{effect=\"NoSchedule\",key=\"k\",node=\"n1\",value=\"v\"} 1\n");
    kube_expect(&kube_nodes, node,
                "kube_node_status_condition{condition=\"Ready\",node=\"n1\",status=\"unknown\"} 1\n");
    kube_expect(&kube_nodes, node,
                "kube_node_status_capacity{node=\"n1\",resource=\"cpu\",unit=\"core\"} 4\n");
    kube_expect(&kube_nodes, node,
                "kube_node_status_capacity{node=\"n1\",resource=\"ephemeral_storage\",unit=\"byte\"} 1024\n");
    kube_expect(&kube_nodes, node,
                "kube_node_status_allocatable{node=\"n1\",resource=\"cpu\",unit=\"core\"} 3.92\n");
}
END_TEST

START_TEST(usage_that_is_old_shows_its_age_only)
{
    static const char usage[] =
        "{\"items\":[{\"metadata\":{\"name\":\"n1\"},\"timestamp\":\"1970-01-01T00:16:30Z\",\"window\":"
        "\"10s\",\"usage\":{\"cpu\":\"250000000n\",\"memory\":\"1Mi\"}},{\"metadata\":{\"name\":\"n2\"},"
        "\"timestamp\":\"1970-01-01T00:00:10Z\",\"usage\":{\"cpu\":\"1\",\"memory\":\"1\"}}]}";
    char *lines = kube_lines(&kube_node_usage, usage, 1000, 100);
    ck_assert_str_eq(lines, "fraiseql_kubernetes_node_cpu_usage_cores{node=\"n1\"} 0.25\n"
                            "fraiseql_kubernetes_node_memory_working_set_bytes{node=\"n1\"} 1048576\n"
                            "fraiseql_kubernetes_node_usage_age_seconds{node=\"n1\"} 10\n"
                            "fraiseql_kubernetes_node_usage_age_seconds{node=\"n2\"} 990\n");
    free(lines);
    static const char pods[] = ITEMS("\"metadata\":{\"name\":\"p\",\"namespace\":\"ns\"},\"timestamp\":"
                                     "\"1970-01-01T00:16:40Z\",\"containers\":[{"
                                     "\"name\":\"c\",\"usage\":{\"cpu\":\"1500u\",\"memory\":\"2Ki\"}}]");
    kube_expect(
        &kube_pod_usage, pods,
        "fraiseql_kubernetes_container_cpu_usage_cores{container=\"c\",namespace=\"ns\",pod=\"p\"} 0.0015\n");
    kube_expect(&kube_pod_usage, pods,
                "fraiseql_kubernetes_container_memory_working_set_bytes{container=\"c\",namespace=\"ns\",pod="
                "\"p\"} 2048\n");
}
END_TEST

START_TEST(a_budget_of_series_is_kept)
{
    const struct batch_options options = {.max_series = 1000};
    struct kube_emit emit = {.batch = batch_new(&options), .arena = arena_new(0), .budget = 3};
    struct json_pull pull = json_pull_from(STR("{\"metadata\":{\"name\":\"x\",\"namespace\":\"ns\"}}"));
    batch_begin(emit.batch);
    kube_emit_begin(&emit, &kube_budgets);
    ck_assert(kube_emit_object(&emit, &pull));
    struct snapshot *snapshot = batch_finish(emit.batch, 1, 1);
    ck_assert_uint_eq(snapshot->shape->series_count, 3);
    ck_assert_uint_eq(emit.over_limit, 2);
    snapshot_unref(snapshot);
    arena_free(emit.arena);
    batch_free(emit.batch);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("kubernetes_kube_kind");
    TCase *tests = tcase_create("kind");
    tcase_add_test(tests, every_kind_is_found_by_its_name_and_is_well_formed);
    tcase_add_test(tests, workloads);
    tcase_add_test(tests, claims_autoscalers_and_budgets);
    tcase_add_test(tests, the_nodes);
    tcase_add_test(tests, endpoints_of_services);
    tcase_add_test(tests, usage_that_is_old_shows_its_age_only);
    tcase_add_test(tests, a_budget_of_series_is_kept);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
