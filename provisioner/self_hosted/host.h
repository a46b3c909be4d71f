/* A machine to work on: this one, or one behind the OpenSSH client.
 *
 * "local" or ssh://[user@]host[:port]. SSH goes by one control connection a host (ControlMaster), host keys
 * are checked as the user's ssh does (StrictHostKeyChecking is never weakened), and where the user is not
 * root, `sudo -n`. Nothing stays behind but what the steps put.
 *
 * Blocking, with deadlines; output is bounded. Threads: one thread a host at a time. */
#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_HOST_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_HOST_H

#include "lib/core/buf.h"
#include "lib/core/error.h"

struct host;

/* Each line that a script notes, while it runs; may be NULL. */
typedef void host_note_fn(void *ctx, const char *line);

struct host_script {
    const char *text;   /* sh; the prelude of step.h is put before it */
    const char *netns;  /* for `region`; NULL: none */
    const char *lock;   /* file whose lock is held meanwhile, so that what a killed run left running and we do
                         * not   meet; NULL: none */
    struct str input;   /* standard input of the script */
    int64_t timeout_ns; /* 0: 120 s */
    host_note_fn *note;
    void *note_ctx;
};

/* `control_folder`: where the control connection's socket lies, 0700. Checks the address, the host's key, and
 * that we are root there or may become it: each failure is an error that says what to do. */
int host_open(const char *url, const char *control_folder, struct host **ret, struct error *err) CHECK_RESULT;
void host_close(struct host *host);
DEFINE_CLEANUP(struct host, host_close)
const char *host_name(const struct host *host); /* for messages: "local", "ops@db1:22" */

/* 0 when the script could be run: its status is in *ret_status, standard output in `out` (may be NULL), and
 * when the status is not 0 the text of `fail` or its last lines are the message in err as well. */
int host_run(struct host *host, const struct host_script *script, struct buf *out, int *ret_status,
             struct error *err) CHECK_RESULT;
/* host_run() that takes a status other than 0 for the error it is. */
int host_do(struct host *host, const struct host_script *script, struct buf *out, struct error *err)
    CHECK_RESULT;
/* Atomically: a temporary file beside it, owner and mode set, fsync, rename. Folders are made (0755). */
int host_put(struct host *host, const char *path, struct str content, unsigned mode, const char *owner,
             struct error *err) CHECK_RESULT;
/* ERR_NOT_FOUND where there is none; at most `max_bytes`. */
int host_get(struct host *host, const char *path, size_t max_bytes, struct buf *out, struct error *err)
    CHECK_RESULT;

#endif
