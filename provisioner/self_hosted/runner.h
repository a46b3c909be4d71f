/* Steps on a host: asking how they stand, applying one, undoing one.
 *
 * Each is one script under the region's lock (layout_lock()), with everything it needs on its standard input,
 * so that a lost connection leaves either nothing or a begun step in the ledger, which the next run does
 * again. */
#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_RUNNER_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_RUNNER_H

#include "provisioner/self_hosted/compare.h"
#include "provisioner/self_hosted/host.h"
#include "provisioner/self_hosted/layout.h"

struct runner {
    struct host *host;
    const struct layout *layout;
    const char *deployment_id;
    struct arena *arena;
    host_note_fn *note; /* may be NULL */
    void *note_ctx;
};

/* The region's ledger. With `wait`, what a killed run left running there ends first. ERR_CONFLICT when it is
 * that of another deployment. `*ret` is empty where there is none. */
int runner_ledger(const struct runner *runner, bool wait, struct ledger *ret, struct error *err) CHECK_RESULT;
/* Fills found[] for compare_steps(). */
int runner_probe(const struct runner *runner, const struct step_list *steps, const struct ledger *ledger,
                 const char **found, struct error *err) CHECK_RESULT;
/* Whether this step stands; asked again after something before it has changed. */
int runner_stands(const struct runner *runner, const struct host_step *step, bool *ret, struct error *err)
    CHECK_RESULT;
/* `before`: its ledger entry; NULL: none. */
int runner_apply(const struct runner *runner, const struct host_step *step, const struct ledger_entry *before,
                 bool first, struct error *err) CHECK_RESULT;
int runner_undo(const struct runner *runner, const struct ledger_entry *entry, struct error *err)
    CHECK_RESULT;
/* After the last undo: the ledger and the folders of the deployment where they are empty. */
int runner_forget(const struct runner *runner, struct error *err) CHECK_RESULT;

#endif
