/* What a cluster tells in the vocabulary that all clouds share (scrapers/cloud/vocabulary.h): its nodes are
 * the region's machines.
 *
 * machine_up is the node's condition Ready, machine_cpu_ratio its usage over its capacity, and
 * machine_memory_free_bytes its capacity without the working set; the latter two want metrics.k8s.io.
 * `resource` is the node's name. Services are load balancers:
 * load_balancer_healthy_backends and _unhealthy_backends are their ready and other endpoints, `resource` is
 * "namespace/service"; of a service with two address families the larger count holds. They have the
 * vocabulary's labels and no more, so they are a hub source of their own.
 *
 * Ownership: kube_words_free() withdraws what is published. Threads: the scrape loop's. */
#ifndef FRAISEQL_SCRAPERS_KUBERNETES_KUBE_WORDS_H
#define FRAISEQL_SCRAPERS_KUBERNETES_KUBE_WORDS_H

#include "lib/metrics/hub.h"
#include "scrapers/kubernetes/kube_kind.h"

struct kube_words;

/* hub NULL: nothing is published. */
struct kube_words *kube_words_new(struct hub *hub, const char *region, const char *target);
void kube_words_free(struct kube_words *words); /* accepts NULL */

/* Forgets the scrape before. */
void kube_words_begin(struct kube_words *words);
void kube_words_node(struct kube_words *words, const struct kube_node_facts *facts);
void kube_words_usage(struct kube_words *words, struct str node, struct value cpu_cores,
                      struct value memory_bytes);
void kube_words_service(struct kube_words *words, const struct kube_service_facts *facts);
/* Publishes what was told since kube_words_begin(), in the order of the nodes. */
void kube_words_publish(struct kube_words *words);
/* Silence is not health: a scrape has failed. */
void kube_words_withdraw(struct kube_words *words);

#endif
