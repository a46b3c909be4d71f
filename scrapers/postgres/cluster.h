/* The members of one database cluster, compared with each other: replication lag and the loss of a failover
 * now.
 *
 * Every member's sampler hands in what its server said and when (bracketed by our own monotonic clock). The
 * primary of the highest timeline feeds two rings (lsn_ring.h): `durable` for lag and `inserted` for loss.
 * They differ where commits are acknowledged before they are flushed (synchronous_commit=off): then lag too
 * is read from `inserted`.
 *
 * What is published of a standby:
 *  - lag known: the ring's estimate at its last sample. Seconds are right to one sampling period.
 *  - otherwise a bound that grows: now minus the last moment at which the standby was known to have
 * everything. It is unknown while the primary or the standby cannot be seen, while their timelines differ,
 * and when the standby is behind all that the ring remembers. Never 0 because a source went away.
 *  - loss: the same with what the standby has on disk instead of what it has replayed, and as an upper bound
 *    (no interpolation).
 *
 * Ownership: clusters are shared by their members, counted, found by name and loop; the last leave frees.
 * Threads: the scrape loop's; no lock. Pure but for that list: times come in. */
#ifndef FRAISEQL_SCRAPERS_POSTGRES_CLUSTER_H
#define FRAISEQL_SCRAPERS_POSTGRES_CLUSTER_H

#include "lib/core/error.h"

struct cluster;
struct cluster_member;

#define CLUSTER_ADDRESS_MAX 128

struct cluster_sample {
    int64_t sent_ns, received_ns; /* monotonic; the server spoke in between */
    bool standby;
    uint32_t timeline;                /* 0: the server could not say */
    uint64_t insert_lsn, flush_lsn;   /* of a primary */
    uint64_t receive_lsn, replay_lsn; /* of a standby; receive at least replay */
    bool early_commits;               /* primary: commits may be acknowledged before their flush */
    int64_t commit_delay_ns;          /* primary: three times wal_writer_delay; 0: the default's 600 ms */
    int64_t replay_age_ns; /* standby: since its last replayed commit by the servers' clocks; 0: unknown */
};

struct cluster_lag {
    bool standby; /* false: nothing else is set */
    bool known;
    int64_t lag_ns, loss_ns;
    uint64_t lag_bytes, loss_bytes; /* when known */
};

/* Joins the cluster `name` among those of `domain` (the loop; anything unique). */
struct cluster_member *cluster_join(const void *domain, const char *name, const char *target,
                                    int64_t interval_ns, int64_t now_ns);
void cluster_leave(struct cluster_member *member); /* accepts NULL */

/* ERR_CONFLICT when the member belongs to another database cluster than the others; it names both. Such a
 * member is left out of every comparison. */
int cluster_identify(struct cluster_member *member, const char *system_identifier, struct error *err)
    CHECK_RESULT;
/* Own addresses ("host:port"; how we reach it, and what the server calls itself), for naming upstreams. */
void cluster_set_address(struct cluster_member *member, unsigned which, const char *address);
/* Whom a standby receives from, as its WAL receiver says; NULL or "" keeps what was known. */
void cluster_set_upstream(struct cluster_member *member, const char *address);
/* The label `upstream`: the target's name of the member it streams from, else host:port, else "unknown". */
const char *cluster_upstream(const struct cluster_member *member);

void cluster_sample(struct cluster_member *member, const struct cluster_sample *sample);
/* The member stopped answering: what depends on it becomes unknown at once, not after the staleness bound. */
void cluster_lost(struct cluster_member *member);
struct cluster_lag cluster_lag(const struct cluster_member *member, int64_t now_ns);
/* WAL bytes per second over the last window_ns when this member is the cluster's primary; else negative. */
double cluster_wal_rate(const struct cluster_member *member, int64_t window_ns, int64_t now_ns);

/* pg_current_wal_insert_lsn() points behind a page header that is not there yet when the last record ends on
 * a page's end; pg_current_wal_flush_lsn() does not. Gives the latter's form (xlogdefs.h: pages of 8 KiB, a
 * short header of 24 bytes, a long one of 40 on a segment's first page). */
uint64_t cluster_normalize_insert(uint64_t lsn, uint64_t segment_bytes);

#endif
