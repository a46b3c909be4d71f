/* What stands, from the states and the journal, for `status` and `health`: changes nothing and takes no lock.
 */
#ifndef FRAISEQL_PROVISIONER_RUN_LOOK_H
#define FRAISEQL_PROVISIONER_RUN_LOOK_H

#include "provisioner/run/outputs.h"
#include "provisioner/self_hosted/facts.h"

struct look_component {
    const char *name, *state, *detail; /* detail NULL: nothing to say */
    size_t steps, standing;            /* that it has, and that stand */
    struct process_facts processes;
    const struct replication_facts *replication; /* NULL: it is no database, or does not answer */
};

struct look {
    struct run_root *root;
    struct root_outputs outputs;
    const char *state;                       /* absent, standing, incomplete, deploying, unknown */
    const char *detail;                      /* "" or a sentence */
    const struct look_component *components; /* own hosts */
    size_t component_count;
    const struct gateway *gateway; /* of status, where rows are copied between regions; NULL: none */
};

/* One for each region of the run, in the run's arena. 0 or an exit status. */
int look_at_regions(struct run *run, struct look **ret_looks) CHECK_RESULT;

#endif
