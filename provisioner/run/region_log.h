/* The last lines of a region's service log, for a region that does not answer well: shown beside the answer.
 * That they cannot be read is a note, never a failure.
 *
 * Ownership: texts live in the root's arena. Threads: any, a root at a time. */
#ifndef FRAISEQL_PROVISIONER_RUN_REGION_LOG_H
#define FRAISEQL_PROVISIONER_RUN_REGION_LOG_H

#include "provisioner/output.h"
#include "provisioner/run/run.h"

#define REGION_LOG_LINES 10U
#define REGION_LOG_NS    (10 * INT64_C(1000000000))

struct region_log {
    bool read;                /* the cloud answered */
    struct string_list lines; /* oldest first */
    const char *note;         /* one sentence where there is no line; NULL: nothing to say */
};

/* At most `most` lines, blocking for REGION_LOG_NS or patience_ns, whichever is less. With `most` 0 nothing
 * is asked. */
void region_log_read(const struct run_root *root, size_t most, int64_t patience_ns, struct region_log *ret);
/* Indented lines on standard output; nothing with --json. */
void region_log_show(const struct output *out, const struct region_log *log);
/* Members "log", a list or null, and "log_problem", a text or null. */
void region_log_members(struct json_writer *json, const struct region_log *log);

#endif
