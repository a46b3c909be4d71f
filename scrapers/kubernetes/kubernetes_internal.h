/* One target's state. A scrape goes: access (kubernetes.c), lists one after the other (kube_lists.c), the
 * nodes' cadvisor pages some at a time (kube_cadvisor.c), the collector's own families (kube_report.c),
 * done().
 *
 * Threads: the scrape loop's. */
#ifndef FRAISEQL_SCRAPERS_KUBERNETES_INTERNAL_H
#define FRAISEQL_SCRAPERS_KUBERNETES_INTERNAL_H

#include "lib/core/arena.h"
#include "scrapers/kubernetes/kube_access.h"
#include "scrapers/kubernetes/kube_page.h"
#include "scrapers/kubernetes/kube_words.h"
#include "scrapers/kubernetes/kubernetes_config.h"
#include "scrapers/prometheus/exposition_reader.h"

#define KUBE_SLICE_BYTES  (256UL * 1024) /* read between two looks at the loop: about a millisecond */
#define KUBE_TRIES        4U             /* of one page */
#define KUBE_NODES_MAX    5000U          /* as many as Kubernetes supports in a cluster */
#define KUBE_NODE_SLOTS   8U             /* cadvisor pages under way or waiting for their turn */
#define KUBE_NAME_MAX     253U           /* of a node: a DNS subdomain */
#define KUBE_RESOURCE_MAX 64U

/* One list to read: a kind in a namespace, or in all. */
struct kube_task {
    const struct kube_kind *kind;
    const char *namespace;            /* NULL: all, or a kind without namespaces */
    bool optional;                    /* metrics.k8s.io: clusters without it are whole */
    char resource[KUBE_RESOURCE_MAX]; /* "pods", "deployments.apps" */
    /* Of the scrape under way, or the last. */
    bool up;
    uint64_t objects;
    int failed_code; /* as logged; 0: it was up */
};

struct kube_state;

struct kube_slot {
    struct kube_state *state;
    struct http_call *call;
    struct buf body;
    size_t node; /* index into nodes */
    bool busy, ready, failed;
};

struct kube_node {
    char name[KUBE_NAME_MAX + 1];
    bool up;
};

struct kube_state {
    const struct scraper_env *env;
    const struct kubernetes_config *config;
    struct batch *batch;
    struct kube_access *access;
    int64_t access_read_ns; /* 0: to be read */
    struct arena *arena;    /* of one object */
    struct buf path, url, body;
    struct kube_page page;
    struct kube_emit emit;
    struct kube_words *words;
    struct loop_timer retry;
    /* The plan. */
    struct kube_task *tasks;
    size_t task_count;
    uint64_t max_series;
    /* The scrape under way. */
    scraper_done_fn *done;
    void *done_ctx;
    int64_t deadline_mono_ns;
    struct http_call *call;
    bool cancelled, waiting; /* waiting: for the retry timer */
    size_t task;
    unsigned tries;
    bool asked_as_new; /* the access was read again for this page after a 401 */
    bool list_begun;   /* objects of this list are in the batch */
    bool restarted;
    int64_t page_size;
    struct buf next; /* continue token */
    struct error first_failure;
    /* Nodes and their cadvisor pages. */
    struct kube_node *nodes;
    size_t node_count, node_capacity, next_node, parse_node;
    struct kube_slot slots[KUBE_NODE_SLOTS];
    size_t slots_under_way;
    size_t pages_read;
    bool parsing;
    struct label node_label;
    struct exposition_reader *reader;
    struct selector **keep, *drop;
    size_t keep_count;
    /* Since create(). */
    struct exposition_counts page_counts;
    uint64_t requests, retries, expired, over_limit;
    loop_fn *destroyed;
    void *destroyed_ctx;
};

/* kubernetes.c */
int kube_send(struct kube_state *state, const char *path, const char *accept, size_t max_body,
              int64_t deadline_mono_ns, http_body_fn *body, http_done_fn *done, void *ctx,
              struct http_call **ret_call, struct error *err) CHECK_RESULT;
void kube_fail(struct kube_state *state, const struct error *err);
void kube_succeed(struct kube_state *state);

/* kube_lists.c; goes on with kube_cadvisor_begin() or ends the scrape. */
void kube_lists_begin(struct kube_state *state);
void kube_lists_init(struct kube_state *state);
void kube_timer_init(struct kube_state *state);
void kube_lists_deinit(struct kube_state *state);
void kube_list_path(const struct kube_task *task, int64_t page_size, struct str next, struct buf *path);

/* kube_cadvisor.c; ends the scrape. */
int kube_cadvisor_init(struct kube_state *state, struct error *err) CHECK_RESULT;
void kube_cadvisor_deinit(struct kube_state *state);
void kube_cadvisor_begin(struct kube_state *state);
void kube_cadvisor_cancel(struct kube_state *state);
bool kube_cadvisor_idle(const struct kube_state *state);
void kube_add_node(struct kube_state *state, struct str name);

/* kube_report.c */
size_t kube_report_series(const struct kube_state *state); /* room that the report wants */
void kube_report(struct kube_state *state);

#endif
