/* `network.topology: namespaces`: a network namespace a region, and the delayed links between them. */
#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_NETWORK_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_NETWORK_H

#include "provisioner/self_hosted/component.h"

/* Round trip between two regions as the file has it, in milliseconds; 0: not delayed. */
uint64_t network_latency_ms(const struct deployment *deployment, const char *a, const char *b);
/* Both do nothing where the topology is shared. The namespace comes before the region's supervisor, which
 * runs inside it; the relay is kept by that. */
void network_namespace(const struct site *site, struct step_list *list);
int network_relay(const struct site *site, struct step_list *list, struct error *err) CHECK_RESULT;

#endif
