/* Lists of the Kubernetes API: CPU and memory for 10,000 pods as the API server writes them (managedFields
 * included), in pages of 500, to a snapshot; the first time, and again with the same pods. */
#include "lib/core/arena.h"
#include "lib/core/json.h"
#include "scrapers/kubernetes/kube_page.h"

#include <stdio.h>
#include <time.h>

#define PODS      10000U
#define PAGE_PODS 500U
#define ROUNDS    5

static void write_managed_fields(struct buf *page)
{
    buf_append_text(
        page, "\"managedFields\":[{\"manager\":\"kube-controller-manager\",\"operation\":\"Update\","
              "\"apiVersion\":\"v1\",\"time\":\"2026-11-26T10:00:00Z\",\"fieldsType\":\"FieldsV1\","
              "\"fieldsV1\":{\"f:metadata\":{\"f:labels\":{\".\":{},\"f:app\":{},\"f:pod-template-hash\":{}},"
              "\"f:ownerReferences\":{\".\":{},\"k:{\\\"uid\\\":\\\"81d69437\\\"}\":{}}},\"f:spec\":{");
    for (unsigned i = 0; i < 40; i++)
        buf_printf(page, "%s\"f:aFieldOfThePodSpecNumber%u\":{\".\":{},\"f:name\":{},\"f:value\":{}}",
                   i ? "," : "", i);
    buf_append_text(page, "}}}],");
}

static void write_pod(struct buf *page, unsigned i)
{
    buf_printf(page,
               "{\"metadata\":{\"name\":\"web-69c9c646d5-%05u\",\"generateName\":\"web-69c9c646d5-\","
               "\"namespace\":\"ns-%u\","
               "\"uid\":\"81d69437-52a8-4bff-b364-%012u\",\"resourceVersion\":\"%u\",\"creationTimestamp\":"
               "\"2026-11-26T10:00:00Z\",\"labels\":{\"app\":\"web\",\"pod-template-hash\":\"69c9c646d5\"},"
               "\"ownerReferences\":[{\"apiVersion\":\"apps/"
               "v1\",\"kind\":\"ReplicaSet\",\"name\":\"web-69c9c646d5\",\"uid\":"
               "\"81d69437\",\"controller\":true,\"blockOwnerDeletion\":true}],",
               i, i % 20, i, 1000 + i);
    write_managed_fields(page);
    buf_append_text(
        page,
        "\"annotations\":{\"a\":\"b\"}},\"spec\":{\"volumes\":[{\"name\":\"kube-api-access\",\"projected\":{"
        "\"sources\":[{\"serviceAccountToken\":{\"expirationSeconds\":3607,\"path\":\"token\"}}]}}],"
        "\"containers\":[");
    for (unsigned c = 0; c < 2; c++)
        buf_printf(
            page,
            "%s{\"name\":\"c%u\",\"image\":\"registry.example/"
            "web:1.2.%u\",\"env\":[{\"name\":\"A\",\"value\":\"some "
            "value of an environment variable\"},{\"name\":\"B\",\"value\":\"another one\"}],\"resources\":{"
            "\"limits\":{\"memory\":\"256Mi\"},\"requests\":{\"cpu\":\"250m\",\"memory\":\"128Mi\"}},"
            "\"livenessProbe\":{\"httpGet\":{\"path\":\"/"
            "health\",\"port\":8080,\"scheme\":\"HTTP\"},\"timeoutSeconds\":"
            "1,\"periodSeconds\":10,\"successThreshold\":1,\"failureThreshold\":3},"
            "\"terminationMessagePath\":"
            "\"/dev/termination-log\",\"imagePullPolicy\":\"IfNotPresent\"}",
            c ? "," : "", c, c);
    buf_printf(page,
               "],\"restartPolicy\":\"Always\",\"nodeName\":\"node-%u\",\"schedulerName\":\"default-"
               "scheduler\"},\"status\":{"
               "\"phase\":\"Running\",\"conditions\":[{\"type\":\"PodReadyToStartContainers\",\"status\":"
               "\"True\"},{\"type\":"
               "\"Initialized\",\"status\":\"True\"},{\"type\":\"Ready\",\"status\":\"True\"},{\"type\":"
               "\"ContainersReady\","
               "\"status\":\"True\"},{\"type\":\"PodScheduled\",\"status\":\"True\"}],\"hostIP\":\"10.0.0.%"
               "u\",\"podIP\":"
               "\"10.1.%u.%u\",\"startTime\":\"2026-11-26T10:00:01Z\",\"containerStatuses\":[",
               i % 100, i % 100, i / 250, i % 250);
    for (unsigned c = 0; c < 2; c++)
        buf_printf(
            page,
            "%s{\"name\":\"c%u\",\"state\":{\"running\":{\"startedAt\":\"2026-11-26T10:00:02Z\"}},"
            "\"lastState\":{},"
            "\"ready\":true,\"restartCount\":%u,\"image\":\"registry.example/web:1.2.%u\",\"imageID\":"
            "\"registry.example/web@sha256:%064u\",\"containerID\":\"containerd://%064u\",\"started\":true}",
            c ? "," : "", c, i % 3, c, c, i);
    buf_append_text(page, "],\"qosClass\":\"Burstable\"}}");
}

static void write_page(struct buf *page, unsigned first)
{
    buf_append_text(
        page,
        "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[");
    for (unsigned i = 0; i < PAGE_PODS; i++) {
        if (i)
            buf_append_byte(page, ',');
        write_pod(page, first + i);
    }
    buf_append_text(page, "]}");
}

static double cpu_seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct snapshot *read_all(struct kube_emit *emit, struct kube_page *reader, const struct buf *pages)
{
    struct error err;
    batch_begin(emit->batch);
    emit->budget = 10000000;
    kube_emit_begin(emit, &kube_pods);
    for (unsigned p = 0; p < PODS / PAGE_PODS; p++) {
        int rc;
        kube_page_begin(reader, buf_str(&pages[p]));
        while ((rc = kube_page_step(reader, emit, 256UL * 1024, &err)) > 0)
            continue;
        if (rc < 0)
            (void)fprintf(stderr, "%s\n", err.message);
    }
    return batch_finish(emit->batch, 1, 1);
}

static void print(const char *what, size_t bytes, double seconds, uint32_t series)
{
    printf("%-34s %7.1f MB/s %7.0f k pods/s %7.1f ms CPU for %u pods, %.1f MB, %u series\n", what,
           (double)bytes / 1e6 / seconds, PODS / 1e3 / seconds, seconds * 1e3, PODS, (double)bytes / 1e6,
           series);
}

static void bench_tree(const struct buf *pages, size_t bytes)
{
    struct node *root;
    struct error err;
    double begin = cpu_seconds();
    for (unsigned p = 0; p < PODS / PAGE_PODS; p++) {
        struct arena *arena = arena_new(0);
        if (json_parse(arena, buf_str(&pages[p]), &root, &err) != 0)
            (void)fprintf(stderr, "%s\n", err.message);
        arena_free(arena);
    }
    print("for comparison: as trees, unread", bytes, cpu_seconds() - begin, 0);
}

int main(void)
{
    static struct buf pages[PODS / PAGE_PODS];
    const struct batch_options options = {.max_series = 1000000};
    struct kube_emit emit = {.batch = batch_new(&options), .arena = arena_new(0)};
    struct kube_page reader;
    size_t bytes = 0;
    kube_page_init(&reader);
    for (unsigned p = 0; p < PODS / PAGE_PODS; p++) {
        buf_init(&pages[p], 64UL << 20);
        write_page(&pages[p], p * PAGE_PODS);
        bytes += pages[p].len;
    }
    double begin = cpu_seconds();
    struct snapshot *snapshot = read_all(&emit, &reader, pages);
    print("to a snapshot, first", bytes, cpu_seconds() - begin, snapshot->shape->series_count);
    begin = cpu_seconds();
    for (unsigned round = 0; round < ROUNDS; round++) {
        snapshot_unref(snapshot);
        snapshot = read_all(&emit, &reader, pages);
    }
    print("to a snapshot, again", bytes, (cpu_seconds() - begin) / ROUNDS, snapshot->shape->series_count);
    printf("%-34s %7.1f MB for the snapshot and its shape; a page of %.1f MB is held besides\n", "memory",
           (double)(snapshot->bytes + snapshot->shape->bytes) / 1e6, (double)pages[0].len / 1e6);
    snapshot_unref(snapshot);
    bench_tree(pages, bytes);
    for (unsigned p = 0; p < PODS / PAGE_PODS; p++)
        buf_deinit(&pages[p]);
    kube_page_deinit(&reader);
    arena_free(emit.arena);
    batch_free(emit.batch);
    return 0;
}
