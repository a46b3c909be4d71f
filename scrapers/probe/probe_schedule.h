/* The grid of a probe's intervals and the judgement of an attempt. Pure: times go in, decisions come out.
 *
 * Interval i begins at origin + i * interval and has exactly one outcome. Rule of the failure detector: what
 * we may have missed ourselves is never held against the service. An attempt is *unknown* when
 *   - it could not start within half the interval (or not at all: our loop slept through the interval), or
 *   - our loop stood still, while it was under way, for more than half the timeout, or
 *   - it ran out of time and our late start had taken more than half the timeout from it.
 *
 * Threads: owned by its caller. */
#ifndef FRAISEQL_SCRAPERS_PROBE_SCHEDULE_H
#define FRAISEQL_SCRAPERS_PROBE_SCHEDULE_H

#include "lib/metrics/sli.h"

/* Intervals that one long stall may turn into unknown outcomes; the grid skips what is beyond (a gap without
 * data, as if the collector had not run), so that waking from a long sleep does not flood the sink. */
#define PROBE_MAX_MISSED 10000

struct probe_grid {
    int64_t interval_ns;
    int64_t next_due_ns; /* when the next interval begins */
};

/* Spreads probes by `hash` over the interval; the first interval begins after now. The phase depends on hash
 * and interval only, so that it outlives restarts. */
void probe_grid_init(struct probe_grid *grid, int64_t interval_ns, uint64_t hash, int64_t now_ns);

struct probe_tick {
    bool due;        /* an interval begins; false: the tick came early */
    int64_t due_ns;  /* when it began */
    uint64_t missed; /* intervals before it that were slept through: unknown, one each */
    int64_t first_missed_ns;
    uint64_t lost; /* older ones beyond PROBE_MAX_MISSED */
};

/* What a tick at now has to do; moves the grid on. */
struct probe_tick probe_grid_tick(struct probe_grid *grid, int64_t now_ns);

/* The end of an attempt's time: its whole timeout, and over shortly before the next interval begins. */
int64_t probe_deadline_ns(int64_t due_ns, int64_t started_ns, int64_t interval_ns, int64_t timeout_ns);
/* True when the tick came so late that the attempt must not be made. */
bool probe_starts_too_late(int64_t due_ns, int64_t now_ns, int64_t interval_ns);

struct probe_attempt_times {
    int64_t started_ns, ended_ns, deadline_ns;
    int64_t timeout_ns;
    int64_t stalled_ns; /* how long our loop stood still in between */
};

/* failed: the attempt ended by itself with a failure; timed_out: it had to be ended. An answer that came
 * after the deadline is a failure. */
enum sli_outcome probe_judge(const struct probe_attempt_times *times, bool failed, bool timed_out);

/* The latest stalls of a loop, fed by the lateness of a heartbeat. */
#define PROBE_STALLS 16

struct probe_stalls {
    struct {
        int64_t from_ns, to_ns;
    } items[PROBE_STALLS];
    size_t next;
};

/* A timer ran at now, lateness_ns later than due. */
void probe_stalls_note(struct probe_stalls *stalls, int64_t now_ns, int64_t lateness_ns);
/* Sum of the stalls' parts within [from, to]. */
int64_t probe_stalls_within(const struct probe_stalls *stalls, int64_t from_ns, int64_t to_ns);

#endif
