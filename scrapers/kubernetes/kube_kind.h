/* What of the Kubernetes API becomes which metric: one table a kind, with kube-state-metrics' names and
 * labels where it has the metric, so that dashboards made for it work.
 *
 * A kind reads each object of a list into the values of its fields and puts samples for it. Ownership: texts
 * live until the object is done; the batch keeps its own. Threads: owned by the caller. */
#ifndef FRAISEQL_SCRAPERS_KUBERNETES_KUBE_KIND_H
#define FRAISEQL_SCRAPERS_KUBERNETES_KUBE_KIND_H

#include "lib/metrics/batch.h"
#include "scrapers/kubernetes/kube_field.h"

#define KUBE_METRICS_MAX 24U
#define KUBE_LABELS_MAX  16U

struct kube_emit;

/* A number of the object that is a metric of its own, without further labels. */
struct kube_row {
    uint8_t field, metric;
    bool zero; /* the API leaves a 0 out */
};

struct kube_kind {
    const char *name;  /* as in the path and in RBAC rules: "statefulsets" */
    const char *group; /* of RBAC rules: "apps"; "" is the core group */
    const char *base;  /* "/apis/apps/v1" */
    bool namespaced;
    const char *label; /* of the object's name: "statefulset" */
    bool uid;          /* a label too */
    /* Its first three are KUBE_META. */
    const struct kube_field *fields;
    size_t field_count;
    const struct metric_desc *metrics;
    size_t metric_count;
    const struct kube_row *rows;
    size_t row_count;
    void (*emit)(struct kube_emit *emit, const struct kube_value *values); /* may be NULL */
};

enum { KUBE_NAME, KUBE_NAMESPACE, KUBE_UID, KUBE_META_COUNT };

#define KUBE_META                                                                                            \
    {"metadata.name", KUBE_TEXT}, {"metadata.namespace", KUBE_TEXT},                                         \
    {                                                                                                        \
        "metadata.uid", KUBE_TEXT                                                                            \
    }

struct kube_node_facts {
    struct str name;
    struct value ready, cpu_cores, memory_bytes; /* the condition Ready as 0 or 1; the capacity */
};

struct kube_service_facts {
    struct str namespace, name;
    uint64_t ready, not_ready;
    bool second_family; /* the IPv6 half of a service that may have both */
};

struct kube_emit {
    struct batch *batch;
    struct arena *arena; /* of the object */
    const struct kube_kind *kind;
    struct batch_family
        *families[KUBE_METRICS_MAX]; /* of the kind, in this scrape; NULL: not asked for yet */
    struct label base[3];
    size_t base_count;
    int64_t now_wall_s;
    uint64_t budget, over_limit; /* series that may still be put; those that might not */
    /* Called with what is wanted of each node besides; may be NULL. */
    void (*on_node)(void *ctx, const struct kube_node_facts *facts);
    void (*on_node_usage)(void *ctx, struct str node, struct value cpu_cores, struct value memory_bytes);
    void (*on_service)(void *ctx, const struct kube_service_facts *facts);
    void *ctx;
};

/* Begins the objects of a kind; batch, arena and hooks are the caller's. */
void kube_emit_begin(struct kube_emit *emit, const struct kube_kind *kind);
/* Reads one object at the cursor and puts its samples. False for damage. */
bool kube_emit_object(struct kube_emit *emit, struct json_pull *pull);

/* For kinds: a sample of the object. An absent value puts nothing. */
void kube_put(struct kube_emit *emit, unsigned metric, struct value value, const struct label *more,
              size_t count);
/* One series a status of a condition: "true", "false", "unknown". */
void kube_put_condition(struct kube_emit *emit, unsigned metric, struct str type, struct str status);
/* One series a choice, 1 for the one that holds. */
void kube_put_choice(struct kube_emit *emit, unsigned metric, const char *label, const char *const *choices,
                     struct str actual);
/* One series a resource of a map from resources to quantities; `more` holds the labels before them. */
void kube_put_resources(struct kube_emit *emit, unsigned metric, const struct kube_value *map,
                        const struct label *more, size_t count);
/* Calls fn with the picked values of each element of a raw list. */
typedef void kube_element_fn(struct kube_emit *emit, const struct kube_value *values, void *ctx);
void kube_each(struct kube_emit *emit, const struct kube_value *list, const struct kube_field *fields,
               size_t count, kube_element_fn *fn, void *ctx);

#define KUBE_MORE(...) (const struct label[]){__VA_ARGS__}, ARRAY_LEN(((const struct label[]){__VA_ARGS__}))

/* Ended by NULL. */
extern const struct kube_kind *const kube_kinds[];
const struct kube_kind *kube_kind_find(const char *name);

extern const struct kube_kind kube_nodes, kube_pods, kube_deployments, kube_statefulsets, kube_daemonsets,
    kube_jobs, kube_claims, kube_autoscalers, kube_budgets, kube_slices, kube_node_usage, kube_pod_usage;

#endif
