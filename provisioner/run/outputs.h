/* What a region's root says of itself (`terraform output -json`), and whether the region answers.
 * Ownership: texts live in the arena given. Threads: any, a root at a time. */
#ifndef FRAISEQL_PROVISIONER_RUN_OUTPUTS_H
#define FRAISEQL_PROVISIONER_RUN_OUTPUTS_H

#include "provisioner/run/run.h"

struct root_outputs {
    bool any; /* false: nothing stands, as far as the state knows */
    const char *url, *endpoint, *database_address, *database_port, *database_name, *gateway_address,
        *service_group, *replication_state; /* "" when there is none; never NULL */
};

/* Pure. */
int outputs_parse(struct arena *arena, struct str json, struct root_outputs *ret, struct error *err)
    CHECK_RESULT;
int root_outputs(struct run_root *root, struct root_outputs *ret, struct error *err) CHECK_RESULT;

/* Of the global root: digests of what each region's gateway is told to do, by the regions' names; NULL: it
 * has none. Texts live in the root's arena. */
int root_documents(struct run_root *global, const struct node **ret_documents, struct error *err)
    CHECK_RESULT;

struct probe_result {
    int status;       /* 0: no answer */
    const char *body; /* its first bytes, control characters made visible; "" */
    int64_t total_ns;
};

/* One GET; blocking, on a loop of its own. An answer with any status is 0. `server_name`: TLS and Host are
 * for this name though the URL has another host; NULL: the URL's own. */
int probe_get(const char *url, const char *server_name, int64_t deadline_mono_ns, struct arena *arena,
              struct probe_result *ret, struct error *err) CHECK_RESULT;
/* Whether a TCP connection can be made. */
int probe_connect(const char *host, const char *port, int64_t timeout_ns, struct error *err) CHECK_RESULT;
/* The region's readiness: at its endpoint with the domain's name, since DNS may not lead there yet. */
int probe_region(const struct run_root *root, const struct root_outputs *outputs, const char *path,
                 int64_t deadline_mono_ns, struct probe_result *ret, struct error *err) CHECK_RESULT;

#endif
