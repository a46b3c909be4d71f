/* The steps of a deployment in their order, each an exit status: 0 goes on. What went wrong has been printed.
 *
 *   validate -> credentials -> render -> plan -> (question) -> apply, a region each -> network ->
 *   replication -> smoke -> dns */
#ifndef FRAISEQL_PROVISIONER_RUN_FLOW_H
#define FRAISEQL_PROVISIONER_RUN_FLOW_H

#include "provisioner/run/run.h"

/* "AWS, GCP, Azure": the clouds of the regions, each once. */
const char *flow_clouds(const struct run *run);

/* flow_credentials.c: STATUS_CREDENTIALS where a cloud refuses us, or, when something is about to be made,
 * where we may not make it. A cloud that cannot be asked stops nothing. */
int flow_credentials(struct run *run);
int flow_render(struct run *run);
/* Plans every region and, when there is one, the global part; shows price and plan. A region whose plan
 * fails is marked `failed`; the status is then STATUS_FAILURE only if all have. So it is where all regions
 * stand as described and the global part cannot be planned. */
int flow_plan(struct run *run);
/* The part between the regions alone: `failed` where nothing of the regions explains why. */
void flow_plan_global(struct run *run);
/* What a plan that was taken from somewhere would do, and the price, as flow_plan() shows them. */
void flow_show_plans(struct run *run);
/* Real changes of all plans. */
int64_t flow_changes(const struct run *run);
/* True when the answer is yes. Without a terminal, or interrupted: *ret_status is the exit status. */
bool flow_ask(struct run *run, const char *question, const char *wanted, int *ret_status);

/* Notes of regions that have nothing to do that what was cut short is over. */
int flow_settle(struct run *run);
/* Applies what is planned, region by region in parallel, then the global part and what follows it. */
int flow_apply(struct run *run);

/* Where the remote state has no deployment id yet, puts it there before anything else is made, so that a
 * machine that has only the state finds what carries it. */
int flow_keep_identity(struct run *run);

/* replication.c: what is left of it when the regions and what lies between them stand. */
enum replication_left {
    REPLICATION_NOTHING_LEFT,
    REPLICATION_BY_GATEWAYS, /* not waited for */
    REPLICATION_BY_HAND,
    REPLICATION_NOT_SET_UP /* waited for in vain: said, and the status is STATUS_FAILURE */
};
/* Waits, where gateways do it and all of the deployment stands, until each says that it is set up. */
int flow_replication(struct run *run, bool all_stand, enum replication_left *ret_left);
/* The same of a run that has nothing else to do. *ret_left REPLICATION_NOTHING_LEFT and no word said: the
 * gateways have done all of it. */
int flow_replication_again(struct run *run, enum replication_left *ret_left);

/* verify.c: smoke tests. Regions that do not answer are marked `failed`. */
int flow_smoke(struct run *run);

/* destroy.c */
int flow_destroy(struct run *run, bool delete_data);
/* The deployment's name was typed, or given by --confirm with --yes. `doing` and `to`: "destroying" without a
 * terminal, "to destroy what is listed". False: *ret_status is the exit status. */
bool flow_confirmed(struct run *run, const char *doing, const char *to, int *ret_status);

#endif
