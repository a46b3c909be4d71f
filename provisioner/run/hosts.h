/* A run over own hosts: the same steps of a deployment as flow.h, without terraform. Each returns an exit
 * status; what went wrong has been printed.
 *
 *   validate -> hosts -> prepare -> plan -> (question) -> apply, stage by stage, regions side by side ->
 * smoke */
#ifndef FRAISEQL_PROVISIONER_RUN_HOSTS_H
#define FRAISEQL_PROVISIONER_RUN_HOSTS_H

#include "provisioner/run/run.h"

/* The plan's word for a step with data, in place of a resource's type. */
#define HOSTS_DATA_TYPE "own_data"

/* Whether the file is one of own hosts. ERR_CONFIG where it has clouds besides. */
int hosts_judge(const struct deployment *deployment, bool *ret_own, struct error *err) CHECK_RESULT;
int hosts_new(struct run *run, struct error *err) CHECK_RESULT;
void hosts_free(struct hosts *hosts);

/* Opens every host; a region of this run whose host cannot be worked on is `failed`. */
int hosts_reach(struct run *run);
/* Finds out which region writes, and makes the steps of all regions. */
int hosts_prepare(struct run *run);
int hosts_plan(struct run *run, bool data_may_go);
int hosts_plan_only(struct run *run); /* the three above */
int hosts_apply(struct run *run);
int hosts_destroy(struct run *run, bool delete_data);

/* What a region on own hosts offers, as far as its ledger says that it stands. */
struct root_outputs;
void hosts_outputs(struct run_root *root, struct root_outputs *ret);
/* look_at_regions() of own hosts. */
struct look;
int hosts_look(struct run *run, struct look **ret_looks) CHECK_RESULT;

/* The sites of a run whose hosts are open and whose steps are made, for verbs of their own (switchover,
 * backup): all regions on own hosts, in file order, with `host` NULL where it could not be reached. */
struct site;
const struct site *hosts_sites(const struct run *run, size_t *ret_count);

#endif
