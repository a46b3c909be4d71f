/* How a run looks on a terminal: one line a region while they are under way, never wider than the terminal.
 *
 *   us-east  deploying   12/34  1m02s  aws_db_instance.this (48s)
 *   eu-west  testing            15.0s  answers 503
 *
 * Pure: rows and a width in, lines out. */
#ifndef FRAISEQL_PROVISIONER_RUN_VIEW_H
#define FRAISEQL_PROVISIONER_RUN_VIEW_H

#include "lib/core/buf.h"

struct view_row {
    const char *name;       /* of the region */
    const char *doing;      /* "planning", "deploying", "done", "failed", "waiting" */
    uint64_t done, planned; /* resources; planned 0: not known */
    int64_t elapsed_ns;     /* 0: not begun */
    const char *slowest;    /* address of what is in flight longest; NULL: nothing */
    int64_t slowest_ns;
    const char *heard; /* while nothing is in flight: what was answered last; NULL: nothing */
};

#define VIEW_MIN_WIDTH 20U

/* One line without its end, at most `width` columns (at least VIEW_MIN_WIDTH): what does not fit is cut with
 * an ellipsis, the address first. `name_width` is that of the longest name. */
void view_line(const struct view_row *row, unsigned name_width, unsigned width, struct buf *out);
/* A resource that a plan changes. */
struct view_change {
    const char *address, *reason; /* reason "": none */
    const char *const *attributes;
    size_t attribute_count;
};

/* "aws_db_instance.this (cannot_update): engine, tags.team, 3 more", at most `width` columns: names give way
 * first, then the reason, then the address. */
void view_change(const struct view_change *change, unsigned width, struct buf *out);
/* Columns a text takes, each code point counted as one. */
unsigned view_columns(struct str text);
/* "8 minutes 42 seconds", as the last line of a deployment says it. */
#define VIEW_DURATION_MAX 64
const char *view_duration(int64_t ns, char text[VIEW_DURATION_MAX]);
/* "module.region.aws_subnet.public[0]" is "aws_subnet.public[0]" to a reader. */
const char *view_address(const char *address);

#endif
