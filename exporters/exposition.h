/* The page of /metrics: a view of the hub as text 0.0.4 or OpenMetrics, pulled in pieces.
 *
 * Text is copied, not formatted again: a line is its family's name, the label text that the shape keeps and
 * one number. Series and label order are the same from page to page. Nothing that could break a scrape is
 * written: no timestamps, no exemplars, names of the old character set, each HELP and TYPE once and only
 * above a line, no series twice (the hub's parts list what to skip), no family whose name is a line of a
 * histogram's or summary's. In OpenMetrics a counter without _total is typed unknown, and so is one whose
 * name without _total is another family's; an info likewise becomes a gauge.
 *
 * Ownership: exposition_new() takes over the caller's reference on the view.
 * Threads: owned by one thread at a time; any number of pages may be rendered beside each other. */
#ifndef FRAISEQL_EXPORTERS_EXPOSITION_H
#define FRAISEQL_EXPORTERS_EXPOSITION_H

#include "exporters/exposition_negotiate.h"
#include "lib/metrics/hub.h"

#include <sys/types.h>

struct exposition;

struct exposition_options {
    enum exposition_format format;
    int gzip_level;           /* 1 to 9; 0: plain */
    const char *const *names; /* families to give, by their name in either format; borrowed for the call */
    size_t name_count;        /* 0: all families */
};

struct exposition_stats {
    uint64_t families, lines;
    uint64_t families_left_out; /* their name is a line of another family's */
    uint64_t plain_bytes;
};

/* A good size of the pieces to ask for. */
#define EXPOSITION_CHUNK_BYTES (128UL * 1024)

struct exposition *exposition_new(struct hub_view *view, const struct exposition_options *options);
void exposition_free(struct exposition *exposition); /* accepts NULL; at any time */

/* The next bytes of the page, at most max (at least 1): how many, 0 at the end. Never fails. */
size_t exposition_pull(struct exposition *exposition, char *out, size_t max);

/* So far; whole once exposition_pull() has returned 0. */
void exposition_stats(const struct exposition *exposition, struct exposition_stats *ret_stats);

DEFINE_CLEANUP(struct exposition, exposition_free)

#endif
