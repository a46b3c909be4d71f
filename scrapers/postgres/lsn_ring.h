/* What WAL position the primary had when: the ring that replication lag is read from.
 *
 * Lag in seconds is the age, on our own monotonic clock, of the moment at which the primary first had the
 * position that the standby has now. No server's clock takes part, so skew and clock jumps do not matter; an
 * idle primary gives 0; a standby that stops receiving falls behind as soon as the primary writes one byte.
 *
 * Successive samples with the same position are one entry (from first_ns to last_ns). When the ring is full,
 * every second entry of its older half goes: old positions lose resolution, never existence. Forgetting an
 * entry makes the bound (evidence_ns) older, never younger: the newest entry at or below a position counts.
 *
 * Positions of different timelines are never compared: a sample of a higher timeline empties the ring, one of
 * a lower timeline is refused.
 *
 * Pure: no clock, no allocation. Ownership: a plain value. Threads: owned by its caller. Times in
 * nanoseconds. */
#ifndef FRAISEQL_SCRAPERS_POSTGRES_LSN_RING_H
#define FRAISEQL_SCRAPERS_POSTGRES_LSN_RING_H

#include "lib/core/compiler.h"

#define LSN_RING_CAPACITY 2048

struct lsn_entry {
    uint64_t lsn;
    int64_t first_ns, last_ns; /* the primary had exactly lsn at both */
};

struct lsn_ring {
    uint32_t timeline; /* 0: empty */
    uint64_t settled;  /* what was inserted up to here holds no commit beyond the newest entry */
    size_t count;
    struct lsn_entry entries[LSN_RING_CAPACITY]; /* lsn and times strictly ascending */
};

enum lsn_standing {
    LSN_UNKNOWN, /* the ring is empty */
    LSN_BEFORE,  /* below all that is remembered: lag is at least at_ns minus the oldest entry */
    LSN_BEHIND,
    LSN_CAUGHT_UP /* has all that the primary was seen to have */
};

struct lsn_lag {
    enum lsn_standing standing;
    int64_t lag_ns; /* estimate, interpolated between the two samples around the position; 0 when caught up */
    int64_t evidence_ns; /* the last moment at which the position was known to be all there was; 0: never */
    uint64_t bytes;      /* behind the newest sample taken by at_ns */
};

void lsn_ring_init(struct lsn_ring *ring);

/* The primary had `lsn` of `timeline` at t_ns. False when it was not taken: an older timeline or an older
 * time. A position below the newest one (a crash lost what was not flushed) forgets what is above it. */
bool lsn_ring_add(struct lsn_ring *ring, int64_t t_ns, uint32_t timeline, uint64_t lsn);

/* What was inserted by before_ns and is not flushed yet holds no acknowledged commit (an asynchronous commit
 * is flushed within three times wal_writer_delay): such positions become `flushed`. */
void lsn_ring_settle(struct lsn_ring *ring, int64_t before_ns, uint64_t flushed);

/* How a standby that had `lsn` at at_ns stands. Samples taken after at_ns are left out of the judgement. */
struct lsn_lag lsn_ring_lag(const struct lsn_ring *ring, int64_t at_ns, uint64_t lsn);

/* NULL when empty. */
const struct lsn_entry *lsn_ring_newest(const struct lsn_ring *ring);

/* WAL bytes per second from the first sample at or after since_ns to the newest; negative when there are not
 * two. */
double lsn_ring_rate(const struct lsn_ring *ring, int64_t since_ns);

#endif
