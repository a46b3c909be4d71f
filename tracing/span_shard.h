/* Where one receiving thread counts spans: a dictionary of keys that only grows, and the counts since the
 * last hand-over.
 *
 * A key is (service, region, span name, kind, status, entry). Counts lie in a flat array by key index; the
 * publisher swaps that array for an empty one under the shard's lock (span_shard_take) and then reads keys
 * and counts without it, for a key once made never changes. So a publish never holds up receiving for longer
 * than the swap, and receiving allocates only when it meets a new key.
 *
 * Bounds: max_keys and max_groups. Beyond them a span counts under the name SPAN_OVERFLOW with its service,
 * region, kind, status and entry kept, so that SLOs without a span name stay exact; names and services that
 * an SLO asks for are always admitted.
 *
 * Lock: one a shard, taken by the receiving thread for a body and by the publisher for the swap. It is fair:
 * who waits gets it before who gave it up asks again, so a long body that gives it up now and then
 * (span_shard_yield) cannot keep the publisher out. */
#ifndef FRAISEQL_TRACING_SPAN_SHARD_H
#define FRAISEQL_TRACING_SPAN_SHARD_H

#include "lib/core/arena.h"
#include "tracing/otlp_decode.h"
#include "tracing/span_rules.h"

#define SPAN_OVERFLOW       "otel.metric.overflow"
#define SPAN_TEXT_MAX_BYTES 1024U /* longer services, regions and names are cut at a character */

/* Whatever is configured, so that MAX_CHUNKS holds these, the named ones and an overflow for each group. */
#define SPAN_SHARD_MAX_KEYS (1024U * 1024)

struct span_group {
    uint64_t hash;
    struct str service, region;
};

struct span_key {
    uint64_t hash;
    const struct span_group *group;
    const char *name;
    uint32_t name_len;
    uint8_t kind, status;
    bool entry;
    bool overflow; /* the name stands for others */
};

/* Counts of keys by index: stride words each, zero unless touched. */
enum { SPAN_CALLS, SPAN_SUM_LOW, SPAN_SUM_HIGH, SPAN_BUCKETS };
struct span_deltas {
    const struct span_rules *rules; /* whose buckets these are */
    size_t stride;
    uint64_t *words;
    uint32_t capacity; /* keys */
    uint32_t *touched;
    uint32_t touched_count;
};

void span_deltas_init(struct span_deltas *deltas, const struct span_rules *rules);
void span_deltas_deinit(struct span_deltas *deltas);
/* Zeroes what was touched and readies it for `rules`. */
void span_deltas_reset(struct span_deltas *deltas, const struct span_rules *rules);

struct span_shard;

struct span_shard *span_shard_new(uint32_t max_keys, uint32_t max_groups, const struct span_rules *rules);
void span_shard_free(struct span_shard *shard); /* accepts NULL */

void span_shard_lock(struct span_shard *shard);
void span_shard_unlock(struct span_shard *shard);
/* With the lock held: lets a waiting publisher in. Groups stay valid. */
void span_shard_yield(struct span_shard *shard);
/* With the lock held. The texts are copied when new; the group lives as long as the shard. */
const struct span_group *span_shard_group(struct span_shard *shard, struct str service, struct str region);
void span_shard_count(struct span_shard *shard, const struct span_group *group, const struct otlp_span *span,
                      bool entry, uint64_t duration_ns);

/* Takes the lock: hands the counts over in exchange for the (reset) ones given, whose rules hold from now on.
 * Keys below *ret_keys may be read afterwards without the lock, until the shard is freed. */
void span_shard_take(struct span_shard *shard, struct span_deltas *deltas, uint32_t *ret_keys);
const struct span_key *span_shard_key(const struct span_shard *shard, uint32_t index);

#endif
