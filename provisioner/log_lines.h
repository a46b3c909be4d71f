/* The last lines of a log, gathered from what a cloud answers: only so many and so long, without escape
 * sequences, and with secrets masked.
 *
 * Ownership: the struct owns its lines; log_lines_give() copies them. Threads: owned by the caller. */
#ifndef FRAISEQL_PROVISIONER_LOG_LINES_H
#define FRAISEQL_PROVISIONER_LOG_LINES_H

#include "provisioner/deployment.h"

#define LOG_LINES_MAX  1000U
#define LOG_LINE_BYTES 2000U /* a longer line is cut, and ends with "..." */

struct log_line {
    int64_t order;
    char *text;
};

struct log_lines {
    size_t most, count;     /* count <= most <= LOG_LINES_MAX */
    struct log_line *lines; /* by order, in equal ones as they were added */
};

void log_lines_init(struct log_lines *lines, size_t most);
void log_lines_deinit(struct log_lines *lines);
/* An entry of one or more lines; empty ones are left out. `order` is a time in any unit, or the same for all
 * where they come oldest first. */
void log_lines_add(struct log_lines *lines, int64_t order, struct str text);
void log_lines_give(const struct log_lines *lines, struct arena *arena, struct string_list *ret_list);

/* One line of foreign text as it may be shown: control characters are left out, what is no UTF-8 is "?". */
const char *log_line_shown(struct str text, struct arena *arena);

#endif
