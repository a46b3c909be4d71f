/* `plan --out P` and `deploy --plan P`: a folder with the plans of the roots and a manifest that says what
 * they were made from. A plan file of terraform holds values in the clear, so the folder is 0700 and its
 * files 0600.
 *
 *   P/manifest.json
 * {"format":3,"name","deployment_id","inputs":SHA-256,
 *   "roots":[{"name","sha256","create",...,"lineage","serial","changes":[...]}],
 *   "between":["update aws_route53_record.region[0]"]}
 *   P/<region>.tfplan  of a region in a cloud
 *   P/<region>.steps   of one on own hosts: hosts_put_plan(); hashes, no values
 *
 * What moved since is found before anything is done: by the digest of everything that was rendered, and by
 * lineage and serial of each region's state, of which the manifest has those that the plan was made from.
 * What moves after that, terraform refuses, region by region. On own hosts the plan is made again, and must
 * come out the same; so is that of what lies between the regions, where no region changes. Where one does, it
 * follows from what the regions then are.
 */
#ifndef FRAISEQL_PROVISIONER_RUN_SAVED_PLAN_H
#define FRAISEQL_PROVISIONER_RUN_SAVED_PLAN_H

#include "provisioner/run/run.h"

/* Digest of every rendered file below the folder, states and .terraform left out; hexadecimal. */
int saved_plan_inputs(const char *folder, struct arena *arena, const char **ret_digest, struct error *err)
    CHECK_RESULT;
int saved_plan_write(struct run *run, const char *folder, struct error *err) CHECK_RESULT;
/* The first line in which two plans of steps differ, in words; NULL: they are the same. Pure. */
const char *saved_plan_difference(struct str saved, struct str now, struct arena *arena);
/* Checks the manifest against what is rendered now and puts the plan files in their places: roots in clouds
 * that it names are `planned`; those on own hosts are so already, and are compared. ERR_CONFLICT says what
 * moved, ERR_PARSE where the manifest is damaged. */
int saved_plan_read(struct run *run, const char *folder, struct error *err) CHECK_RESULT;
/* After it: whether every state in a cloud is the one that its plan was made from. An exit status; a region
 * for which it is not, or that cannot be asked, is `failed`. Nothing is printed. */
int saved_plan_check(struct run *run);
/* After flow_plan_global(). ERR_CONFLICT. */
int saved_plan_check_between(struct run *run, struct error *err) CHECK_RESULT;

#endif
