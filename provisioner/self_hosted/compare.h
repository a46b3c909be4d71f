/* What is to be done on a host: the steps that are wanted against its ledger and what was found there. Pure.
 * Ownership: everything lives in the arena given. */
#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_COMPARE_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_COMPARE_H

#include "provisioner/self_hosted/ledger.h"

enum step_action { ACTION_NONE, ACTION_CREATE, ACTION_UPDATE };

struct step_verdict {
    enum step_action action;
    const char *reason; /* "" or why, for the plan */
};

struct comparison {
    struct step_verdict *verdicts; /* one a step */
    /* Of the ledger, no longer wanted, in the order in which they are to be undone. Those with data are only
     * among them when data may go. */
    const struct ledger_entry **removals;
    size_t removal_count, kept_data; /* kept_data: no longer wanted, and left */
    size_t create, update;
};

/* Whether a step with this ledger entry has to be asked on its host: nothing else says that it is due. */
bool compare_needs_probe(const struct host_step *step, const struct ledger_entry *entry);

/* found[i]: NULL, step i stands as far as was asked; else what is wrong with it. */
void compare_steps(const struct step_list *steps, const struct ledger *ledger, const char *const *found,
                   bool data_may_go, struct arena *arena, struct comparison *ret);

#endif
