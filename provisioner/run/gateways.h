/* What the regions' gateways say of replication: asked of the clouds, for `deploy`, which waits until all are
 * set up, and for `status`.
 *
 * Ownership: everything lives in the root's arena. Threads: gateways_find() the main thread's; the others
 * any, a gateway at a time. */
#ifndef FRAISEQL_PROVISIONER_RUN_GATEWAYS_H
#define FRAISEQL_PROVISIONER_RUN_GATEWAYS_H

#include "provisioner/gateway_report.h"
#include "provisioner/run/outputs.h"

struct gateway {
    const char *place; /* where it reports, as its region's module says */
    const char
        *document; /* digest of what it is told to do; "": of nothing, as far as the global state knows */
    struct gateway_state state;
    struct error err; /* why the report could not be had or read: state.standing is GATEWAY_UNKNOWN */
};

/* Whether rows are copied between regions of this deployment at all. */
bool gateways_wanted(const struct run *run);
/* The digest for each region, from the global root's outputs; NULL: it has none. */
int gateways_documents(struct run *run, const struct node **ret_documents, struct error *err) CHECK_RESULT;
/* A gateway that has not been asked yet. */
struct gateway *gateway_new(struct run_root *root, const char *place, const struct node *documents);
/* Asks; blocking, at most until the deadline. */
void gateway_ask(struct run_root *root, struct gateway *gateway, int64_t deadline_mono_ns);

#endif
