/* One child process with its input given and its outputs taken as they come, until a deadline.
 *
 * It gets a process group of its own, so that a terminal's Ctrl-C does not reach it; at the deadline the
 * group is killed. Blocking. Threads: any. */
#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_EXEC_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_EXEC_H

#include "lib/core/buf.h"
#include "lib/core/error.h"

typedef void exec_line_fn(void *ctx, struct str line);

struct exec_request {
    const char *const *argv; /* absolute program, or one of the PATH */
    struct str input;
    int64_t deadline_mono_ns;
    struct buf *out;    /* standard output, up to its maximum; NULL: dropped */
    exec_line_fn *line; /* each line of standard error, cut at 8 KiB; may be NULL */
    void *ctx;
};

/* *ret_status: exit status, 128 + n after signal n. ERR_TIMEOUT at the deadline. */
int exec_run(const struct exec_request *request, int *ret_status, struct error *err) CHECK_RESULT;

#endif
