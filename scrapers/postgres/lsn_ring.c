#include "scrapers/postgres/lsn_ring.h"

#include <string.h>

void lsn_ring_init(struct lsn_ring *ring)
{
    ring->timeline = 0;
    ring->settled = 0;
    ring->count = 0;
}

const struct lsn_entry *lsn_ring_newest(const struct lsn_ring *ring)
{
    return ring->count ? &ring->entries[ring->count - 1] : NULL;
}

/* Of the older half the odd entries go. An entry that stays keeps its own last_ns: between it and the next
 * one the position was somewhere between the two, which is what readers assume of any gap. */
static void thin_out(struct lsn_ring *ring)
{
    size_t half = LSN_RING_CAPACITY / 2, kept = 0;

    for (size_t i = 0; i < half; i += 2)
        ring->entries[kept++] = ring->entries[i];
    memmove(&ring->entries[kept], &ring->entries[half], (ring->count - half) * sizeof ring->entries[0]);
    ring->count -= half - kept;
}

bool lsn_ring_add(struct lsn_ring *ring, int64_t t_ns, uint32_t timeline, uint64_t lsn)
{
    if (timeline < ring->timeline)
        return false;
    if (timeline > ring->timeline) {
        lsn_ring_init(ring);
        ring->timeline = timeline;
    }
    if (ring->count && t_ns <= ring->entries[ring->count - 1].last_ns)
        return false;
    if (ring->count && lsn < ring->entries[ring->count - 1].lsn)
        ring->settled = 0;
    else if (ring->count && lsn <= ring->settled)
        lsn = ring->entries[ring->count - 1].lsn;
    while (ring->count && ring->entries[ring->count - 1].lsn > lsn)
        ring->count--;
    if (ring->count && ring->entries[ring->count - 1].lsn == lsn) {
        ring->entries[ring->count - 1].last_ns = t_ns;
        return true;
    }
    if (ring->count == LSN_RING_CAPACITY)
        thin_out(ring);
    ring->entries[ring->count++] = (struct lsn_entry){.lsn = lsn, .first_ns = t_ns, .last_ns = t_ns};
    return true;
}

void lsn_ring_settle(struct lsn_ring *ring, int64_t before_ns, uint64_t flushed)
{
    size_t from = ring->count, to;

    while (from > 0 && ring->entries[from - 1].lsn > flushed)
        from--;
    to = from;
    while (to < ring->count && ring->entries[to].first_ns <= before_ns)
        to++;
    if (from == to)
        return;
    struct lsn_entry *settled = &ring->entries[from];
    if (ring->entries[to - 1].lsn > ring->settled)
        ring->settled = ring->entries[to - 1].lsn;
    settled->lsn = flushed;
    settled->last_ns = ring->entries[to - 1].last_ns;
    size_t removed = to - from - 1;
    if (from > 0 && ring->entries[from - 1].lsn == flushed) {
        ring->entries[from - 1].last_ns = settled->last_ns;
        removed++;
        from--;
    }
    memmove(&ring->entries[from + 1], &ring->entries[to], (ring->count - to) * sizeof ring->entries[0]);
    ring->count -= removed;
}

/* Number of entries first seen by at_ns. */
static size_t count_until(const struct lsn_ring *ring, int64_t at_ns)
{
    size_t low = 0, high = ring->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ring->entries[middle].first_ns <= at_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Number of entries at or below lsn among the first `count`. */
static size_t count_below(const struct lsn_ring *ring, size_t count, uint64_t lsn)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ring->entries[middle].lsn <= lsn)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* When the primary passed lsn, which lies in [from->lsn, to->lsn): as if it had written evenly in between. */
static int64_t passed_at(const struct lsn_entry *from, const struct lsn_entry *to, uint64_t lsn)
{
    unsigned __int128 share = (unsigned __int128)(uint64_t)(to->first_ns - from->last_ns) * (lsn - from->lsn);

    return from->last_ns + (int64_t)(share / (to->lsn - from->lsn));
}

struct lsn_lag lsn_ring_lag(const struct lsn_ring *ring, int64_t at_ns, uint64_t lsn)
{
    size_t seen = count_until(ring, at_ns);

    if (seen == 0)
        return (struct lsn_lag){.standing = LSN_UNKNOWN};
    const struct lsn_entry *newest = &ring->entries[seen - 1];
    size_t below = count_below(ring, seen, lsn);
    if (below == 0)
        return (struct lsn_lag){
            .standing = LSN_BEFORE, .lag_ns = at_ns - ring->entries[0].first_ns, .bytes = newest->lsn - lsn};
    const struct lsn_entry *entry = &ring->entries[below - 1];
    int64_t evidence_ns = entry->last_ns < at_ns ? entry->last_ns : at_ns;
    if (entry == newest)
        return (struct lsn_lag){.standing = LSN_CAUGHT_UP, .evidence_ns = evidence_ns};
    int64_t lag_ns = at_ns - passed_at(entry, entry + 1, lsn);
    return (struct lsn_lag){.standing = LSN_BEHIND,
                            .lag_ns = lag_ns > 0 ? lag_ns : 0,
                            .evidence_ns = evidence_ns,
                            .bytes = newest->lsn - lsn};
}

double lsn_ring_rate(const struct lsn_ring *ring, int64_t since_ns)
{
    if (ring->count == 0)
        return -1;
    const struct lsn_entry *newest = &ring->entries[ring->count - 1];
    size_t index = count_until(ring, since_ns - 1);
    /* The entry that was still current at since_ns counts from its last sample. */
    if (index > 0 && ring->entries[index - 1].last_ns >= since_ns)
        index--;
    if (index >= ring->count)
        return -1;
    const struct lsn_entry *oldest = &ring->entries[index];
    int64_t from_ns = oldest->first_ns > since_ns ? oldest->first_ns : since_ns;
    if (newest->last_ns <= from_ns)
        return -1;
    return (double)(newest->lsn - oldest->lsn) * (double)NS_PER_S / (double)(newest->last_ns - from_ns);
}
