#include "tests/unit/scrapers/kube_rig.h"

/* As the API server writes one, shortened. */
static const char pods[] =
    "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[{"
    "\"metadata\":{"
    "\"name\":\"api-0\",\"namespace\":\"shop\",\"uid\":\"u1\",\"creationTimestamp\":\"1970-01-01T00:01:40Z\","
    "\"managedFields\":[{\"manager\":\"m\",\"fieldsV1\":{\"f:metadata\":{}}}],\"ownerReferences\":[{\"kind\":"
    "\"Other\","
    "\"name\":\"o\"},{\"kind\":\"ReplicaSet\",\"name\":\"api\",\"controller\":true}]},\"spec\":{\"nodeName\":"
    "\"n1\","
    "\"hostNetwork\":true,\"containers\":[{\"name\":\"c\",\"resources\":{\"requests\":{\"cpu\":\"250m\","
    "\"nvidia.com/"
    "gpu\":\"1\"},\"limits\":{\"memory\":\"64Mi\"}}}]},\"status\":{\"phase\":\"Running\",\"hostIP\":"
    "\"10.0.0.1\",\"podIP\":\"10.1.0.1\",\"startTime\":\"1970-01-01T00:02:00Z\",\"conditions\":[{\"type\":"
    "\"Ready\","
    "\"status\":\"False\"},{\"type\":\"PodScheduled\",\"status\":\"True\"},{\"type\":\"Initialized\","
    "\"status\":\"True\"}],"
    "\"containerStatuses\":[{\"name\":\"c\",\"ready\":false,\"restartCount\":7,\"image\":\"i:1\",\"imageID\":"
    "\"sha\","
    "\"containerID\":\"x\",\"state\":{\"waiting\":{\"reason\":\"CrashLoopBackOff\"}},\"lastState\":{"
    "\"terminated\":{"
    "\"reason\":\"OOMKilled\"}}}]}},{\"metadata\":{\"name\":\"api-1\",\"namespace\":\"shop\",\"uid\":\"u2\"},"
    "\"spec\":{},"
    "\"status\":{\"phase\":\"Failed\",\"reason\":\"Evicted\"}}]}";

#define POD       "namespace=\"shop\",pod=\"api-0\",uid=\"u1\""
#define CONTAINER "{container=\"c\"," POD "}"

START_TEST(a_pod_has_kube_state_metrics_names_and_labels)
{
    static const char *const lines[] = {
        "kube_pod_info{created_by_kind=\"ReplicaSet\",created_by_name=\"api\",host_ip=\"10.0.0.1\",host_"
        "network=\"true\","
        "namespace=\"shop\",node=\"n1\",pod=\"api-0\",pod_ip=\"10.1.0.1\",uid=\"u1\"} 1\n",
        "kube_pod_created{" POD "} 100\n",
        "kube_pod_start_time{" POD "} 120\n",
        "kube_pod_status_phase{namespace=\"shop\",phase=\"Running\",pod=\"api-0\",uid=\"u1\"} 1\n",
        "kube_pod_status_phase{namespace=\"shop\",phase=\"Pending\",pod=\"api-0\",uid=\"u1\"} 0\n",
        "kube_pod_status_ready{condition=\"false\"," POD "} 1\n",
        "kube_pod_status_ready{condition=\"true\"," POD "} 0\n",
        "kube_pod_status_scheduled{condition=\"true\"," POD "} 1\n",
        "kube_pod_container_info{container=\"c\",container_id=\"x\",image=\"i:1\",image_id=\"sha\"," POD
        "} 1\n",
        "kube_pod_container_status_ready" CONTAINER " 0\n",
        "kube_pod_container_status_running" CONTAINER " 0\n",
        "kube_pod_container_status_waiting" CONTAINER " 1\n",
        "kube_pod_container_status_terminated" CONTAINER " 0\n",
        "kube_pod_container_status_restarts_total" CONTAINER " 7\n",
        "kube_pod_container_status_waiting_reason{container=\"c\",namespace=\"shop\",pod=\"api-0\",reason="
        "\"CrashLoopBackOff\",uid=\"u1\"} 1\n",
        "kube_pod_container_status_last_terminated_reason{container=\"c\",namespace=\"shop\",pod=\"api-0\","
        "reason="
        "\"OOMKilled\",uid=\"u1\"} 1\n",
        "kube_pod_container_resource_requests{container=\"c\",namespace=\"shop\",node=\"n1\",pod=\"api-0\","
        "resource=\"cpu\""
        ",uid=\"u1\",unit=\"core\"} 0.25\n",
        "resource=\"nvidia_com_gpu\",uid=\"u1\",unit=\"integer\"} 1\n",
        "kube_pod_container_resource_limits{container=\"c\",namespace=\"shop\",node=\"n1\",pod=\"api-0\","
        "resource="
        "\"memory\",uid=\"u1\",unit=\"byte\"} 67108864\n",
        "kube_pod_status_reason{namespace=\"shop\",pod=\"api-1\",reason=\"Evicted\",uid=\"u2\"} 1\n",
        "kube_pod_info{host_network=\"false\",namespace=\"shop\",pod=\"api-1\",uid=\"u2\"} 1\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        kube_expect(&kube_pods, pods, lines[i]);
}
END_TEST

START_TEST(slices_do_not_change_what_is_read)
{
    char *whole = kube_lines(&kube_pods, pods, 1000, 1 << 20),
         *sliced = kube_lines(&kube_pods, pods, 1000, 1);
    ck_assert_str_eq(whole, sliced);
    free(whole);
    free(sliced);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("kubernetes_kinds_pod");
    TCase *tests = tcase_create("pod");
    tcase_add_test(tests, a_pod_has_kube_state_metrics_names_and_labels);
    tcase_add_test(tests, slices_do_not_change_what_is_read);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
