/* The folder of one deployment: `.fraiseql/<name>/` beside its file, or below `state.path`. 0700.
 *
 *   id             the deployment's UUID, made once
 *   lock           held by whoever changes something
 *   journal.jsonl  see journal.h
 *   regions/       the file as it was when each region was last deployed: known.h
 *   render/        the Terraform folder; with local state the states are in it
 *   plans/         plan files while they are needed (0600: a plan holds values in the clear)
 *   logs/          what terraform said (0600)
 *
 * Ownership: texts live in the arena. Threads: owned by the caller. */
#ifndef FRAISEQL_PROVISIONER_RUN_WORKSPACE_H
#define FRAISEQL_PROVISIONER_RUN_WORKSPACE_H

#include "provisioner/deployment.h"

struct workspace {
    const char *folder, *regions, *render, *plans, *logs, *journal; /* absolute */
    const char *id;
    bool new_id; /* made by this run, so nothing can carry it yet */
    int lock_fd; /* -1: not locked */
};

/* Makes what is missing. With `exclusive` ERR_CONFLICT when another process is at work here. */
int workspace_open(const struct deployment *deployment, bool exclusive, struct arena *arena,
                   struct workspace *ret, struct error *err) CHECK_RESULT;
/* An id that was found in the state replaces ours. */
int workspace_set_id(struct workspace *workspace, const char *id, struct arena *arena, struct error *err)
    CHECK_RESULT;
/* Plans that runs, this one or one that was killed, have left: they hold values in the clear. */
void workspace_clear_plans(const struct workspace *workspace, struct arena *arena);
void workspace_close(struct workspace *workspace);

#endif
