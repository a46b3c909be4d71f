/* Hash table from byte strings to pointers: open addressing, stored hashes, linear probing, deletion by
 * shifting back (no tombstones).
 *
 * Ownership: keys are borrowed: the bytes must outlive the entry (usually they live in the value itself or
 * in an arena). Values are the caller's. Iteration order is that of the table: never expose it.
 * Threads: owned by its caller. */
#ifndef FRAISEQL_CORE_MAP_H
#define FRAISEQL_CORE_MAP_H

#include "lib/core/str.h"

struct map_entry {
    uint64_t hash;
    struct str key;
    void *value; /* NULL: free slot */
};

struct map {
    struct map_entry *entries;
    size_t capacity, count; /* capacity is 0 or a power of two */
};

void map_init(struct map *map);
void map_deinit(struct map *map);
void *map_get(const struct map *map, struct str key);
/* Adds or replaces; value must not be NULL. Returns the replaced value or NULL. */
void *map_put(struct map *map, struct str key, void *value);
/* Returns the removed value or NULL. Do not remove while iterating. */
void *map_remove(struct map *map, struct str key);

/* for-loop over used entries: MAP_EACH(entry, &map) { ... entry->value ... } */
#define MAP_EACH(entry, map)                                                                                 \
    for (struct map_entry *entry = (map)->entries; entry && entry < (map)->entries + (map)->capacity;        \
         entry++)                                                                                            \
        if (entry->value)

#endif
