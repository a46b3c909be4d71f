/* What a host says of its processes and its database, as JSON. Pure; the bytes may be anything, and what is
 * not as it should be is not known. Ownership: the arena. */
#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_FACTS_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_FACTS_H

#include "lib/core/arena.h"
#include "lib/core/json.h"

#define FACT_UNKNOWN (-1) /* of a number below */

struct process_fact {
    const char *name, *state; /* state: "running", or the supervisor's or systemd's word for what it is */
    int64_t pid, restarts, up_s;
};

struct process_facts {
    struct process_fact *items;
    size_t count;
};

struct standby_fact {
    const char *name, *state; /* the region's name, and PostgreSQL's word */
    int64_t lag_bytes;
    double lag_s;
};

struct replication_facts {
    const char *role;    /* "primary", "standby" */
    const char *follows; /* the region's name; NULL: nobody */
    int64_t timeline, lag_bytes;
    double lag_s;
    struct standby_fact *standbys;
    size_t standby_count;
};

/* [{"name","state","pid","restarts","up_s"}] */
void facts_processes(struct arena *arena, struct str json, struct process_facts *ret);
/* {"timeline","follows","lag_bytes","lag_s","standbys":[{"name","state","lag_bytes","lag_s"}]} */
void facts_replication(struct arena *arena, const char *role, struct str json, struct replication_facts *ret);

/* "processes" and "replication" as members of an open object; what is not known is null. */
void facts_put_processes(struct json_writer *json, const struct process_facts *facts);
void facts_put_replication(struct json_writer *json, const struct replication_facts *facts);

#endif
