/* Child processes: terraform, and short helpers whose output is wanted whole.
 *
 * A child gets a process group of its own, so that the terminal's Ctrl-C reaches us alone and we decide what
 * it means. What a long command writes goes to a file and not to a pipe: a child whose parent is killed goes
 * on and saves its state, where a broken pipe would kill it in the middle of its work.
 *
 * Threads: any; a struct process belongs to its caller. */
#ifndef FRAISEQL_PROVISIONER_TERRAFORM_PROCESS_H
#define FRAISEQL_PROVISIONER_TERRAFORM_PROCESS_H

#include "lib/core/buf.h"
#include "lib/core/error.h"

#include <sys/types.h>

struct process {
    pid_t pid;
    int pidfd;
};

struct process_request {
    const char *const *argv;      /* argv[0] is looked for on the PATH unless it has a slash */
    const char *const *variables; /* "NAME=value", set over the environment; ended by NULL; may be NULL */
    int output;                   /* descriptor for standard output and standard error */
    int errors;                   /* another one for standard error; -1: `output` */
};

/* The program's absolute path when it is on the PATH (or the text itself when it has a slash and can be
 * run), NULL when there is none. Lives in `path`. */
#define PROCESS_PATH_MAX 4096
const char *process_find(const char *program, char path[PROCESS_PATH_MAX]);

int process_start(const struct process_request *request, struct process *ret, struct error *err) CHECK_RESULT;
/* True when it has ended within the time; *ret_status is then its exit status, 128 + n after signal n. The
 * process is gone afterwards. */
bool process_wait(struct process *process, int timeout_ms, int *ret_status);
/* Runs to its end with both outputs into buffers (`errors` may be NULL: it is then dropped). */
int process_capture(const char *const *argv, const char *const *variables, struct buf *output,
                    struct buf *errors, int *ret_status, struct error *err) CHECK_RESULT;
/* SIGINT to each that runs now, for any thread: they end as they like. */
void process_interrupt_captures(void);

#endif
