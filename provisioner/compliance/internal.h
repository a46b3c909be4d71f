/* What joins rules.csv to the functions that judge. Ownership and threads: as compliance.h. */
#ifndef FRAISEQL_PROVISIONER_COMPLIANCE_INTERNAL_H
#define FRAISEQL_PROVISIONER_COMPLIANCE_INTERNAL_H

#include "provisioner/compliance/compliance.h"

struct judging {
    const struct deployment *deployment;
    const struct region *region; /* NULL for a rule of the whole deployment */
    const struct findings *loaded;
    struct arena *arena;
    const char *rule;
};

/* Fills in outcome, node and evidence (and mend, where the rule's own does not do). False: the rule says
 * nothing about this region or deployment. */
typedef bool judge_fn(const struct judging *judging, struct compliance_result *result);

struct predicate {
    const char *rule;
    bool each_region;
    judge_fn *judge;
};

/* Ended by a NULL rule. */
extern const struct predicate compliance_predicates[];
judge_fn compliance_judge_residency, compliance_judge_telemetry, compliance_judge_alerts,
    compliance_judge_keys, compliance_judge_state, compliance_judge_transfer;
/* Takes back what the setting alone does not settle on the providers that are judged. */
void compliance_go_beyond(const struct judging *judging, struct compliance_result *result);

bool compliance_has_standard(const struct deployment *deployment, const char *standard);
/* " (line 7)" or " (default)". */
const char *compliance_origin(const struct judging *judging, const char *section, const char *key,
                              struct compliance_result *result);

#endif
