/* Which region of a deployment on own hosts writes, and telling all of them: what switchover and failover
 * share.
 *
 * Ownership: all is the run's arena's. Threads: the main thread's; the regions are asked side by side. */
#ifndef FRAISEQL_PROVISIONER_RUN_WRITES_H
#define FRAISEQL_PROVISIONER_RUN_WRITES_H

#include "provisioner/run/run.h"

struct site;

/* A region that replicates, as it was found. */
struct write_member {
    const struct site *site;
    const char *who;      /* as postgres_who() says; NULL: it could not be asked */
    const char *position; /* an LSN, of a standby; else "" */
    bool reached;         /* it could be asked */
    bool given_up;        /* the run does not count on it, and what it cannot be told is a warning */
    struct error err;     /* of the last thing that was asked of it */
    int code;
};

struct writes {
    struct run *run;
    struct write_member *members;
    size_t count;
    struct write_member *target; /* shall write */
    const char *order;           /* for writes_tell(): "close", "open REGION" */
    int64_t opened_ns;           /* monotonic: when writes were last opened */
};

/* Opens a run on the hosts of a deployment in which one region writes; on success the caller closes it. 0 or
 * an exit status; what went wrong has been printed. */
int writes_open_run(struct command_context *ctx, struct deployment *deployment, struct run *ret) CHECK_RESULT;

/* The regions that replicate, and the one called `target`. Exit statuses; what went wrong has been printed.
 */
int writes_find(struct writes *writes, const char *target);
/* Asks every region: `who`, `position` and `reached` of each. */
void writes_look(struct writes *writes);

/* Works on every member, side by side. */
typedef void write_member_fn(struct writes *writes, struct write_member *member);
void writes_each(struct writes *writes, write_member_fn *work);

/* fraiseql-write-target of every region. Exit statuses. */
int writes_tell(struct writes *writes, const char *order);
int writes_open(struct writes *writes, const struct write_member *member);
/* The target is promoted where it does not write yet, and writes are opened to it. Exit statuses. */
int writes_begin(struct writes *writes, int64_t closed_ns);

/* ERR_CONFLICT where another standby that counts has more of the log than the target: it would be lost. */
int writes_judge(const struct writes *writes, struct error *err) CHECK_RESULT;
/* "2/1A0000F8" as a number: the halves are 32 bits each. 0 where it is none. */
uint64_t writes_lsn(const char *text);

/* Every region's files say who writes: they are what a later deploy compares with. */
int writes_deploy(struct run *run);

/* Prints it; the exit status it stands for. */
int writes_complain(const struct writes *writes, const struct error *err);
/* A line of what is done, in the target's name. */
void writes_step(const struct writes *writes, enum step_mark mark, const char *name, const char *note,
                 const char *text);

#endif
