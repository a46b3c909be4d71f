#include "scrapers/probe/probe_schedule.h"

/* A loop's timers resolve a millisecond: an answer that much behind the deadline was in time, and a heartbeat
 * that much late is not a stall. */
#define RESOLUTION_NS (1 * NS_PER_MS)

/* Between the deadline and the next interval the sockets are looked at once more. */
#define DRAIN_NS (2 * NS_PER_MS)

void probe_grid_init(struct probe_grid *grid, int64_t interval_ns, uint64_t hash, int64_t now_ns)
{
    /* Whole milliseconds, where timers can be on time. */
    int64_t slots = interval_ns / NS_PER_MS;
    int64_t offset_ns = slots > 0 ? (int64_t)(hash % (uint64_t)slots) * NS_PER_MS : 0;
    int64_t begin_ns = now_ns - now_ns % interval_ns + offset_ns;
    if (begin_ns <= now_ns)
        begin_ns += interval_ns;
    *grid = (struct probe_grid){.interval_ns = interval_ns, .next_due_ns = begin_ns};
}

struct probe_tick probe_grid_tick(struct probe_grid *grid, int64_t now_ns)
{
    struct probe_tick tick = {0};
    if (now_ns < grid->next_due_ns)
        return tick;
    uint64_t passed = (uint64_t)((now_ns - grid->next_due_ns) / grid->interval_ns);
    tick.due = true;
    tick.missed = passed;
    if (passed > PROBE_MAX_MISSED) {
        tick.lost = passed - PROBE_MAX_MISSED;
        tick.missed = PROBE_MAX_MISSED;
    }
    tick.due_ns = grid->next_due_ns + (int64_t)passed * grid->interval_ns;
    tick.first_missed_ns = tick.due_ns - (int64_t)tick.missed * grid->interval_ns;
    grid->next_due_ns = tick.due_ns + grid->interval_ns;
    return tick;
}

int64_t probe_deadline_ns(int64_t due_ns, int64_t started_ns, int64_t interval_ns, int64_t timeout_ns)
{
    int64_t by_timeout = started_ns + timeout_ns, by_interval = due_ns + interval_ns - DRAIN_NS;
    return by_timeout < by_interval ? by_timeout : by_interval;
}

bool probe_starts_too_late(int64_t due_ns, int64_t now_ns, int64_t interval_ns)
{
    return now_ns - due_ns > interval_ns / 2;
}

enum sli_outcome probe_judge(const struct probe_attempt_times *times, bool failed, bool timed_out)
{
    int64_t limit_ns = times->timeout_ns / 2;
    if (times->stalled_ns > limit_ns)
        return SLI_UNKNOWN;
    bool too_slow = timed_out || (!failed && times->ended_ns > times->deadline_ns + RESOLUTION_NS);
    if (too_slow) {
        int64_t cut_ns = times->timeout_ns - (times->deadline_ns - times->started_ns);
        return cut_ns + times->stalled_ns > limit_ns ? SLI_UNKNOWN : SLI_BAD;
    }
    return failed ? SLI_BAD : SLI_GOOD;
}

void probe_stalls_note(struct probe_stalls *stalls, int64_t now_ns, int64_t lateness_ns)
{
    if (lateness_ns <= RESOLUTION_NS)
        return;
    int64_t from_ns = now_ns - lateness_ns;
    size_t last = (stalls->next + PROBE_STALLS - 1) % PROBE_STALLS;
    if (from_ns <= stalls->items[last].to_ns) {
        /* Several timers tell of one stall. */
        if (from_ns < stalls->items[last].from_ns)
            stalls->items[last].from_ns = from_ns;
        stalls->items[last].to_ns = now_ns;
        return;
    }
    stalls->items[stalls->next].from_ns = from_ns;
    stalls->items[stalls->next].to_ns = now_ns;
    stalls->next = (stalls->next + 1) % PROBE_STALLS;
}

int64_t probe_stalls_within(const struct probe_stalls *stalls, int64_t from_ns, int64_t to_ns)
{
    int64_t sum_ns = 0;
    for (size_t i = 0; i < PROBE_STALLS; i++) {
        int64_t from = stalls->items[i].from_ns > from_ns ? stalls->items[i].from_ns : from_ns;
        int64_t to = stalls->items[i].to_ns < to_ns ? stalls->items[i].to_ns : to_ns;
        if (to > from)
            sum_ns += to - from;
    }
    return sum_ns;
}
