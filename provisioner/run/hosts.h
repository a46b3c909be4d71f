/* The regions of a run that are on own hosts: what flow.h does with those in clouds, without terraform. Each
 * function that returns an int returns an exit status; what went wrong has been printed. */
#ifndef FRAISEQL_PROVISIONER_RUN_HOSTS_H
#define FRAISEQL_PROVISIONER_RUN_HOSTS_H

#include "provisioner/run/run.h"

/* The plan's word for a step with data, in place of a resource's type. */
#define HOSTS_DATA_TYPE "own_data"

int hosts_new(struct run *run, struct error *err) CHECK_RESULT;
void hosts_free(struct hosts *hosts);

/* Opens every host; a region of this run whose host cannot be worked on is `failed`. */
int hosts_reach(struct run *run);
/* Finds out which region writes, and makes the steps of all regions. */
int hosts_prepare(struct run *run);
/* Whether its host could be reached; where not, hosts_reach() has said so. */
bool hosts_is_open(const struct run_root *root);
/* Work for run_each() and its like. */
void hosts_plan_region(struct run_root *root);
/* What is planned, a line a step in the order in which it is done: action, id, hash, and the hash of what
 * stands. The same lines are the same doing. */
void hosts_put_plan(const struct run_root *root, struct buf *out);
/* Journal, stages, and what the file no longer wants; one lane of run_lanes(). */
void hosts_begin(struct run *run);
void hosts_lane(struct run *run, struct run_lane *ret);
/* After it: closes what an interrupt left open. */
void hosts_end(struct run *run);
/* Whether anything of it was changed by this run. */
bool hosts_changed(const struct run_root *root);

/* What destroying would take back; true where data makes something stay. */
bool hosts_plan_destruction(struct run_root *root, bool delete_data);
void hosts_undo_region(struct run_root *root);

/* What a region on own hosts offers, as far as its ledger says that it stands. */
struct root_outputs;
void hosts_outputs(struct run_root *root, struct root_outputs *ret);
/* look_at_regions() of own hosts: fills looks[] where its root is on one. */
struct look;
int hosts_look(struct run *run, struct look *looks) CHECK_RESULT;

/* The sites of a run whose hosts are open and whose steps are made, for verbs of their own (switchover,
 * backup): all regions on own hosts, in file order, with `host` NULL where it could not be reached. */
struct site;
const struct site *hosts_sites(const struct run *run, size_t *ret_count);

#endif
