#include "lib/core/map.h"

#include "lib/core/arena.h"
#include "lib/core/hash.h"

#include <assert.h>
#include <stdlib.h>

void map_init(struct map *map)
{
    *map = (struct map){0};
}

void map_deinit(struct map *map)
{
    free(map->entries);
    *map = (struct map){0};
}

/* The slot of the key, or the free slot where it would go. Needs capacity > count. */
static struct map_entry *find_slot(const struct map *map, uint64_t hash, struct str key)
{
    size_t mask = map->capacity - 1;
    for (size_t i = (size_t)hash & mask;; i = (i + 1) & mask) {
        struct map_entry *entry = &map->entries[i];
        if (!entry->value || (entry->hash == hash && str_equal(entry->key, key)))
            return entry;
    }
}

static void grow(struct map *map)
{
    struct map old = *map;
    map->capacity = old.capacity ? old.capacity * 2 : 16;
    map->entries = xcalloc(map->capacity, sizeof *map->entries);
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.entries[i].value)
            *find_slot(map, old.entries[i].hash, old.entries[i].key) = old.entries[i];
    }
    free(old.entries);
}

void *map_get(const struct map *map, struct str key)
{
    return map->count ? find_slot(map, hash_str(key), key)->value : NULL;
}

void *map_put(struct map *map, struct str key, void *value)
{
    assert(value);
    if ((map->count + 1) * 4 > map->capacity * 3)
        grow(map);
    uint64_t hash = hash_str(key);
    struct map_entry *entry = find_slot(map, hash, key);
    void *old = entry->value;
    *entry = (struct map_entry){.hash = hash, .key = key, .value = value};
    map->count += old ? 0 : 1;
    return old;
}

void *map_remove(struct map *map, struct str key)
{
    if (!map->count)
        return NULL;
    struct map_entry *entry = find_slot(map, hash_str(key), key);
    void *old = entry->value;
    if (!old)
        return NULL;
    size_t mask = map->capacity - 1;
    size_t hole = (size_t)(entry - map->entries);
    for (size_t i = (hole + 1) & mask; map->entries[i].value; i = (i + 1) & mask) {
        size_t home = (size_t)map->entries[i].hash & mask;
        /* An entry may fill the hole when the hole lies on its probe path (home .. i, cyclically). */
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            map->entries[hole] = map->entries[i];
            hole = i;
        }
    }
    map->entries[hole].value = NULL;
    map->count--;
    return old;
}
