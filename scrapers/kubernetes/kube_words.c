#include "scrapers/kubernetes/kube_words.h"

#include "lib/core/arena.h"
#include "lib/core/clock.h"
#include "lib/core/log.h"
#include "lib/core/map.h"
#include "scrapers/cloud/vocabulary.h"

#include <stdio.h>
#include <stdlib.h>

#define NODES_MAX    5000U  /* as many as Kubernetes supports in a cluster */
#define SERVICES_MAX 10000U /* as many */

struct node {
    struct str name;
    struct value ready, cpu_capacity, memory_capacity, cpu_used, memory_used;
};

struct service {
    struct str name; /* "namespace/service" */
    uint64_t ready[2], not_ready[2];
};

struct kube_words {
    struct hub_source *source; /* NULL: there is no hub */
    struct batch *batch;
    struct arena *arena; /* of one scrape */
    struct map by_name, services_by_name;
    struct service **services;
    size_t service_count, service_capacity;
    struct node **nodes;
    size_t count, capacity;
    const char *target;
};

struct kube_words *kube_words_new(struct hub *hub, const char *region, const char *target)
{
    struct kube_words *words = xcalloc(1, sizeof *words);
    const struct label common[] = {LABEL_TEXT("region", region), LABEL_TEXT("target", target)};
    const struct batch_options options = {
        .common = common, .common_count = ARRAY_LEN(common), .max_series = 3 * NODES_MAX + 2 * SERVICES_MAX};
    words->batch = batch_new(&options);
    words->arena = arena_new(0); /* bounded by NODES_MAX */
    words->target = target;
    map_init(&words->by_name);
    map_init(&words->services_by_name);
    if (hub)
        words->source = hub_register(hub, "kubernetes", target, 0);
    return words;
}

void kube_words_free(struct kube_words *words)
{
    if (!words)
        return;
    if (words->source)
        hub_unregister(words->source);
    batch_free(words->batch);
    map_deinit(&words->by_name);
    map_deinit(&words->services_by_name);
    free(words->services);
    arena_free(words->arena);
    free(words->nodes);
    free(words);
}

void kube_words_begin(struct kube_words *words)
{
    map_deinit(&words->by_name);
    map_init(&words->by_name);
    map_deinit(&words->services_by_name);
    map_init(&words->services_by_name);
    words->service_count = 0;
    arena_reset(words->arena);
    words->count = 0;
}

void kube_words_node(struct kube_words *words, const struct kube_node_facts *facts)
{
    if (words->count == NODES_MAX || map_get(&words->by_name, facts->name))
        return;
    if (words->count == words->capacity) {
        words->capacity = words->capacity ? 2 * words->capacity : 64;
        words->nodes = xrealloc(words->nodes, words->capacity * sizeof *words->nodes);
    }
    struct node *node = arena_zalloc(words->arena, sizeof *node);
    node->name = (struct str){arena_strdup(words->arena, facts->name), facts->name.len};
    node->ready = facts->ready;
    node->cpu_capacity = facts->cpu_cores;
    node->memory_capacity = facts->memory_bytes;
    words->nodes[words->count++] = node;
    map_put(&words->by_name, node->name, node);
}

void kube_words_usage(struct kube_words *words, struct str name, struct value cpu_cores,
                      struct value memory_bytes)
{
    struct node *node = map_get(&words->by_name, name);
    if (!node)
        return;
    node->cpu_used = cpu_cores;
    node->memory_used = memory_bytes;
}

static struct service *find_service(struct kube_words *words, const struct kube_service_facts *facts)
{
    char *name = arena_printf(words->arena, "%.*s/%.*s", STR_ARGS(facts->namespace), STR_ARGS(facts->name));
    struct service *service = map_get(&words->services_by_name, str_from(name));
    if (service || words->service_count == SERVICES_MAX)
        return service;
    if (words->service_count == words->service_capacity) {
        words->service_capacity = words->service_capacity ? 2 * words->service_capacity : 64;
        words->services = xrealloc(words->services, words->service_capacity * sizeof *words->services);
    }
    service = arena_zalloc(words->arena, sizeof *service);
    service->name = str_from(name);
    words->services[words->service_count++] = service;
    map_put(&words->services_by_name, service->name, service);
    return service;
}

void kube_words_service(struct kube_words *words, const struct kube_service_facts *facts)
{
    struct service *service = find_service(words, facts);
    if (!service)
        return;
    service->ready[facts->second_family] += facts->ready;
    service->not_ready[facts->second_family] += facts->not_ready;
}

static void put(struct kube_words *words, const char *word, struct str of, struct value value)
{
    const struct cloud_common *common = cloud_common_find(word);
    char name[96];
    (void)snprintf(name, sizeof name, "fraiseql_region_%s", word);
    const struct metric_desc desc = {
        .name = name, .type = METRIC_GAUGE, .help = common->help, .unit = common->unit};
    struct label resource = LABEL("resource", of);
    batch_put(words->batch, &desc, &resource, 1, value);
}

static void put_node(struct kube_words *words, const struct node *node)
{
    double cores = value_to_double(node->cpu_capacity), bytes = value_to_double(node->memory_capacity);
    put(words, "machine_up", node->name, node->ready);
    if (node->cpu_used.kind != VALUE_ABSENT && cores > 0)
        put(words, "machine_cpu_ratio", node->name, VALUE_OF_F64(value_to_double(node->cpu_used) / cores));
    if (node->memory_used.kind != VALUE_ABSENT && bytes > 0)
        put(words, "machine_memory_free_bytes", node->name,
            VALUE_OF_F64(bytes - value_to_double(node->memory_used)));
}

static uint64_t larger(const uint64_t counts[2])
{
    return counts[0] > counts[1] ? counts[0] : counts[1];
}

static void put_service(struct kube_words *words, const struct service *service)
{
    put(words, "load_balancer_healthy_backends", service->name, VALUE_OF_U64(larger(service->ready)));
    put(words, "load_balancer_unhealthy_backends", service->name, VALUE_OF_U64(larger(service->not_ready)));
}

void kube_words_publish(struct kube_words *words)
{
    struct error err = {0};
    batch_begin(words->batch);
    for (size_t i = 0; i < words->count; i++)
        put_node(words, words->nodes[i]);
    for (size_t i = 0; i < words->service_count; i++)
        put_service(words, words->services[i]);
    struct snapshot *snapshot = batch_finish(words->batch, clock_wall_ns(), clock_mono_ns());
    if (!words->source)
        snapshot_unref(snapshot);
    else if (hub_publish(words->source, snapshot, &err) != 0)
        LOG_EVENT(LOG_WARN, "kubernetes.words_refused", LF_TEXT("target", words->target), LF_ERROR(&err));
}

void kube_words_withdraw(struct kube_words *words)
{
    if (words->source)
        (void)!hub_publish(words->source, NULL, NULL);
}
