/* The buckets of one series in memory, and exact sums over windows that move with time.
 *
 * The newest five minutes are dense; older ones are encoded (bucket_codec.h) a segment of five minutes each,
 * and an hour each in the width the journal keeps once they age (buckets_width_s). A sum is the total of all
 * that is held less what lies before the window, and each window keeps its place in the encoded buckets: a
 * second costs O(1) however long the window is. Late events rewrite one segment.
 *
 * A window of w seconds ending at now holds every bucket that ends after now - w: at its far edge it is
 * rounded outwards to the width kept there (1 s within 6 h, 10 s within 3 days, else 1 min).
 *
 * Pure; arithmetic wraps modulo 2^64, so a sum is exact whenever it fits. Threads: owned by its caller. */
#ifndef FRAISEQL_SLA_HISTORY_H
#define FRAISEQL_SLA_HISTORY_H

#include "lib/journal/bucket_codec.h"
#include "lib/journal/buckets.h"

struct history;

/* windows_s: what will be asked for, each at most keep_s. */
struct history *history_new(const int64_t *windows_s, size_t count);
void history_free(struct history *history); /* accepts NULL */
/* Replaces the windows; the buckets stay, as far as they are still held. */
void history_set_windows(struct history *history, const int64_t *windows_s, size_t count);

void history_add(struct history *history, int64_t second, const struct bucket_counts *counts, int64_t now_s);
/* From the journal: a block of buckets of one width, ascending, in one hour (or 1 s wide, anywhere). */
void history_load(struct history *history, unsigned width_s, const struct bucket *buckets, size_t count,
                  int64_t now_s);

/* Moves every window to end at now_s and ages what is old. now_s never falls. */
void history_advance(struct history *history, int64_t now_s);
/* Of window `index`, as of the last advance (later seconds are in it). */
struct bucket_counts history_sum(const struct history *history, size_t index);
/* The last second that holds an event; INT64_MIN when none does. */
int64_t history_last_s(const struct history *history);
size_t history_bytes(const struct history *history);

#endif
