/* Taking over what exists and is ours: a deploy that was killed may have made resources that no state knows.
 *
 * They are found in two ways: the provider lists what carries the deployment's UUID (its listing, a data
 * source in the first plan after a run that was cut short), or the cloud refuses to create what exists
 * already and the provider knows the id from the name that we chose (import_id). Either way the resource is
 * written as an `import` block, planned, and then looked at: what it was before must carry our UUID, or it is
 * somebody else's and nothing is touched.
 *
 * Ownership: texts live in the root's arena. Threads: the root's worker. */
#ifndef FRAISEQL_PROVISIONER_RUN_ADOPT_H
#define FRAISEQL_PROVISIONER_RUN_ADOPT_H

#include "provisioner/run/run.h"

/* Rounds of conflict, import, plan and apply before giving up. */
#define ADOPT_ROUNDS_MAX 8

/* "already exists", in the words of the clouds. Pure. */
bool adopt_is_conflict(const struct root_problem *problem);
/* What was to be imported is not there any more. Pure. */
bool adopt_is_gone(const struct root_problem *problem);
/* The id inside Azure's sentence `A resource with the ID "..." already exists`; NULL: it names none. */
const char *adopt_id_in_text(const char *text, struct arena *arena);
/* The import.tf.json of a list: a top-level array, as Terraform's JSON syntax wants it. */
void adopt_write(const struct adoptions *list, struct buf *out);
/* Who owns a resource, from its attributes before the import: 1 ours, 0 no way to tell (it carries neither
 * tags nor labels), -1 somebody else's. Pure. */
int adopt_owner(const struct node *before, const char *deployment_id);

/* Plans a root whose last run was cut short: what would be created and is listed with our UUID gets an import
 * block and a new plan. Where listing fails, root->unlisted says why and the plan is one without it. */
void adopt_plan(struct run_root *root);
/* After a failed apply: true when import blocks have been written for a conflict. Whatever else failed will
 * say so again. */
bool adopt_conflicts(struct run_root *root);
/* After a plan with import blocks; ERR_CONFLICT names what is somebody else's. */
int adopt_check(struct run_root *root);
/* Removes import.tf.json and listing.tf.json. */
void adopt_forget(const struct run_root *root);

#endif
