#include "scrapers/prometheus/sample_clock.h"

#include "lib/core/arena.h"

#include <stdlib.h>

#define FIRST_CAPACITY 1024UL

void sample_clock_init(struct sample_clock *clock, int64_t max_age_ms)
{
    *clock = (struct sample_clock){.max_age_ms = max_age_ms};
}

void sample_clock_deinit(struct sample_clock *clock)
{
    free(TAKE(clock->entries));
    clock->capacity = clock->count = 0;
}

/* The entry of the key, or the free one where it belongs. Keys are hashes. */
static struct sample_clock_entry *find(const struct sample_clock *clock, uint64_t key)
{
    size_t i = (size_t)key & (clock->capacity - 1);
    while (clock->entries[i].key != 0 && clock->entries[i].key != key)
        i = (i + 1) & (clock->capacity - 1);
    return &clock->entries[i];
}

/* A table with room for more, without what is too old to matter. */
static void rebuild(struct sample_clock *clock, int64_t oldest_ms)
{
    struct sample_clock_entry *before = clock->entries;
    size_t old_capacity = clock->capacity, kept = 0;
    for (size_t i = 0; i < old_capacity; i++)
        kept += before[i].key != 0 && before[i].timestamp_ms >= oldest_ms;
    clock->capacity = FIRST_CAPACITY;
    while (clock->capacity < 4 * kept)
        clock->capacity *= 2;
    clock->entries = xcalloc(clock->capacity, sizeof *clock->entries);
    clock->count = kept;
    for (size_t i = 0; i < old_capacity; i++) {
        if (before[i].key != 0 && before[i].timestamp_ms >= oldest_ms)
            *find(clock, before[i].key) = before[i];
    }
    free(before);
}

enum sample_verdict sample_clock_judge(struct sample_clock *clock, uint64_t key, int64_t timestamp_ms,
                                       int64_t now_ms)
{
    int64_t oldest_ms = now_ms - clock->max_age_ms;
    if (timestamp_ms < oldest_ms)
        return SAMPLE_STALE;
    if (timestamp_ms > now_ms + SAMPLE_CLOCK_AHEAD_MS)
        return SAMPLE_FUTURE;
    key = key ? key : 1;
    if (2 * (clock->count + 1) > clock->capacity)
        rebuild(clock, oldest_ms);
    struct sample_clock_entry *entry = find(clock, key);
    if (entry->key == key && timestamp_ms < entry->timestamp_ms)
        return SAMPLE_OUT_OF_ORDER;
    if (entry->key == 0) {
        if (clock->count >= SAMPLE_CLOCK_MAX_SERIES)
            return SAMPLE_GOOD;
        clock->count++;
    }
    *entry = (struct sample_clock_entry){key, timestamp_ms};
    return SAMPLE_GOOD;
}
