/* What `backup`, `backups` and `restore` have in common: the regions, each with a database and a worker's
 * arena, the deployment's lock and its journal.
 *
 * The journal's steps are "backup NAME" and "restore NAME WISH": begun before anything is sent and ended
 * after the cloud says that it is done, or that it failed. One that was not ended is gone on with. Ownership:
 * everything lives in the work's arenas. Threads: a job belongs to its worker. */
#ifndef FRAISEQL_PROVISIONER_COMMANDS_BACKUP_WORK_H
#define FRAISEQL_PROVISIONER_COMMANDS_BACKUP_WORK_H

#include "provisioner/backups.h"
#include "provisioner/run/run.h"

struct backup_work;

struct backup_job {
    struct backup_work *work;
    struct backup_place place; /* its arena is the job's */
    const char *name, *step;   /* take: of the backup; in the journal */
    const char *idle;          /* why nothing is taken there; NULL: it is */
    bool resumed;
    struct backup_list list;
    struct backup backup;
    struct error err;
};

struct backup_work {
    struct run run; /* for questions, progress and the journal: no root, no terraform */
    struct backup_job *jobs;
    size_t count;
};

#define BACKUP_WORK_LIST_S 60U
#define BACKUP_WORK_WAIT_S (4U * 3600U)

/* Loads the file and makes a job of each region chosen. `changing`: takes the lock, writes the journal. 0 or
 * an exit status; backup_work_close() in any case. */
int backup_work_open(struct command_context *ctx, bool changing, unsigned default_s, struct backup_work *ret)
    CHECK_RESULT;
void backup_work_close(struct backup_work *work);
/* Worst of the jobs: 77 where credentials are missing or refused, 65 where what is there is not ours, 1, 0.
 */
int backup_work_status(const struct backup_work *work);
/* A job's error on standard error, as that of its region. */
void backup_work_complain(const struct backup_work *work, const struct backup_job *job);

/* The provider's table; NULL, with job->err, where it has none. */
const struct provider_backups *backup_work_of(struct backup_job *job);
/* The rest of the newest step of that kind ("backup ") and region that was begun less than `most_ns` ago and
 * not ended; NULL: none. */
const char *backup_work_begun(const struct backup_job *job, const char *kind, int64_t most_ns);
/* Writes the end of a step, but for one that was left under way. */
void backup_work_end(struct backup_job *job, const char *step, int code);

/* Members of an object that is open: id, name, kind, state, at, size_bytes, size_means, verified. */
void backup_work_members(struct json_writer *json, const struct backup *backup);
/* "12.3 GiB", "-" */
const char *backup_work_size(const struct backup *backup, char text[32]);

#endif
