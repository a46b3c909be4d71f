/* A region's steps as files that do without this program: for `render`. Pure.
 *
 *   hosts/REGION/region.sh            the driver: files/region.sh of this folder
 *   hosts/REGION/region.conf          its values
 *   hosts/REGION/steps/order          a line a step: folder, stage, id, hash, what it has to do with data,
 * title hosts/REGION/steps/NN-ID/         apply.sh, undo.sh, check.sh, guard.sh where the step has one;
 * `files`, a line each: plain or secret, mode, owner, path; and what the ledger is told
 *   hosts/REGION/files/PATH           what is put, by its path on the host
 *   secrets/REGION/PATH               the same for what is secret, and nothing else is */
#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_BY_HAND_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_BY_HAND_H

#include "provisioner/self_hosted/component.h"

/* Takes one file, by its path below the folder. */
typedef int by_hand_put(void *ctx, const char *path, struct str bytes, bool secret, struct error *err);

/* `steps` in the order of the components; they are put in the order of their stages. */
int by_hand_region(const struct site *site, const struct step_list *steps, const char *deployment_id,
                   by_hand_put *put, void *ctx, struct error *err) CHECK_RESULT;

extern const char *const by_hand_stages[STAGE_COUNT]; /* the words of the driver */

#endif
