#include "tracing/span_shard.h"

#include "lib/core/hash.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#define CHUNK_KEYS                                                                                           \
    1024U /* keys lie in chunks that never move, so that the publisher may read them unlocked */
#define MAX_CHUNKS 4096U
#define NAMED_KEYS (512U * 1024) /* beyond max_keys, for span names that an SLO asks for */

struct slot {
    uint32_t tag;   /* upper half of the hash */
    uint32_t index; /* of the key, plus one; 0: free */
};

struct span_shard {
    pthread_mutex_t gate; /* held while waiting for `lock`, which makes that one fair */
    pthread_mutex_t lock; /* everything below; chunks' contents below a handed-out key count are immutable */
    struct arena *arena;  /* texts and groups */
    const struct span_group **groups;
    uint32_t group_mask, group_count, max_groups;
    struct slot *slots;
    uint32_t slot_mask, key_count, max_keys;
    struct span_deltas deltas;
    struct span_key *chunks[MAX_CHUNKS];
};

/* --- deltas */

void span_deltas_init(struct span_deltas *deltas, const struct span_rules *rules)
{
    *deltas = (struct span_deltas){.rules = rules, .stride = SPAN_BUCKETS + rules->bucket_count};
}

void span_deltas_deinit(struct span_deltas *deltas)
{
    free(deltas->words);
    free(deltas->touched);
    *deltas = (struct span_deltas){0};
}

void span_deltas_reset(struct span_deltas *deltas, const struct span_rules *rules)
{
    if (deltas->rules != rules) {
        span_deltas_deinit(deltas);
        span_deltas_init(deltas, rules);
        return;
    }
    for (uint32_t i = 0; i < deltas->touched_count; i++)
        memset(deltas->words + deltas->touched[i] * deltas->stride, 0,
               deltas->stride * sizeof *deltas->words);
    deltas->touched_count = 0;
}

static COLD void deltas_grow(struct span_deltas *deltas, uint32_t index)
{
    uint32_t capacity = deltas->capacity ? deltas->capacity : 64;
    while (capacity <= index)
        capacity *= 2;
    size_t old_words = deltas->capacity * deltas->stride, words = capacity * deltas->stride;
    deltas->words = xrealloc(deltas->words, words * sizeof *deltas->words);
    memset(deltas->words + old_words, 0, (words - old_words) * sizeof *deltas->words);
    deltas->capacity = capacity;
    deltas->touched = xrealloc(deltas->touched, capacity * sizeof *deltas->touched);
}

static inline void deltas_add(struct span_deltas *deltas, uint32_t index, uint64_t duration_ns)
{
    if (unlikely(index >= deltas->capacity))
        deltas_grow(deltas, index);
    uint64_t *words = deltas->words + index * deltas->stride;
    if (words[SPAN_CALLS]++ == 0)
        deltas->touched[deltas->touched_count++] = index;
    words[SPAN_SUM_LOW] += duration_ns;
    words[SPAN_SUM_HIGH] += words[SPAN_SUM_LOW] < duration_ns;
    words[SPAN_BUCKETS + span_rules_bucket(deltas->rules, duration_ns)]++;
}

/* --- life */

struct span_shard *span_shard_new(uint32_t max_keys, uint32_t max_groups, const struct span_rules *rules)
{
    struct span_shard *shard = xcalloc(1, sizeof *shard);
    (void)pthread_mutex_init(&shard->gate, NULL);
    (void)pthread_mutex_init(&shard->lock, NULL);
    shard->arena = arena_new(0);
    shard->max_keys = max_keys < SPAN_SHARD_MAX_KEYS ? max_keys : SPAN_SHARD_MAX_KEYS;
    shard->max_groups = max_groups;
    shard->group_mask = 15;
    shard->groups = xcalloc(shard->group_mask + 1, sizeof *shard->groups);
    shard->slot_mask = 63;
    shard->slots = xcalloc(shard->slot_mask + 1, sizeof *shard->slots);
    span_deltas_init(&shard->deltas, rules);
    return shard;
}

void span_shard_free(struct span_shard *shard)
{
    if (!shard)
        return;
    for (size_t i = 0; i < MAX_CHUNKS && shard->chunks[i]; i++)
        free(shard->chunks[i]);
    span_deltas_deinit(&shard->deltas);
    free(shard->groups);
    free(shard->slots);
    arena_free(shard->arena);
    (void)pthread_mutex_destroy(&shard->lock);
    (void)pthread_mutex_destroy(&shard->gate);
    free(shard);
}

void span_shard_lock(struct span_shard *shard)
{
    (void)pthread_mutex_lock(&shard->gate);
    (void)pthread_mutex_lock(&shard->lock);
    (void)pthread_mutex_unlock(&shard->gate);
}

void span_shard_unlock(struct span_shard *shard)
{
    (void)pthread_mutex_unlock(&shard->lock);
}

void span_shard_yield(struct span_shard *shard)
{
    span_shard_unlock(shard);
    span_shard_lock(shard);
}

/* --- groups */

/* Cuts at a character, so that what was UTF-8 stays so. */
static struct str cut_text(struct str text)
{
    if (likely(text.len <= SPAN_TEXT_MAX_BYTES))
        return text;
    text.len = SPAN_TEXT_MAX_BYTES;
    while (text.len && ((unsigned char)text.ptr[text.len] & 0xC0) == 0x80)
        text.len--;
    return text;
}

static struct str copy_text(struct span_shard *shard, struct str text)
{
    return text.len ? (struct str){arena_strdup(shard->arena, text), text.len} : STR("");
}

static const struct span_group **find_group(struct span_shard *shard, uint64_t hash, struct str service,
                                            struct str region)
{
    uint32_t at = (uint32_t)hash & shard->group_mask;
    for (; shard->groups[at]; at = (at + 1) & shard->group_mask) {
        const struct span_group *group = shard->groups[at];
        if (group->hash == hash && str_equal(group->service, service) && str_equal(group->region, region))
            break;
    }
    return &shard->groups[at];
}

static void grow_groups(struct span_shard *shard)
{
    const struct span_group **old = shard->groups;
    uint32_t old_mask = shard->group_mask;
    shard->group_mask = old_mask * 2 + 1;
    shard->groups = xcalloc(shard->group_mask + 1, sizeof *shard->groups);
    for (uint32_t i = 0; i <= old_mask; i++)
        if (old[i])
            *find_group(shard, old[i]->hash, old[i]->service, old[i]->region) = old[i];
    free(old);
}

static const struct span_group *intern_group(struct span_shard *shard, struct str service, struct str region,
                                             bool always)
{
    uint64_t hash = hash_mix(hash_str(service), hash_str(region));
    const struct span_group **place = find_group(shard, hash, service, region);
    if (likely(*place))
        return *place;
    if (shard->group_count >= shard->max_groups && !always)
        return NULL;
    if (shard->group_count + 1 > shard->group_mask / 2) {
        grow_groups(shard);
        place = find_group(shard, hash, service, region);
    }
    struct span_group *group = arena_zalloc(shard->arena, sizeof *group);
    group->hash = hash;
    group->service = copy_text(shard, service);
    group->region = copy_text(shard, region);
    shard->group_count++;
    *place = group;
    return group;
}

const struct span_group *span_shard_group(struct span_shard *shard, struct str service, struct str region)
{
    service = cut_text(service);
    region = cut_text(region);
    const struct span_group *group = intern_group(shard, service, region, false);
    if (likely(group))
        return group;
    /* Only services that an SLO names pass the bound, so these are few. */
    bool named = span_rules_name_service(shard->deltas.rules, service);
    return intern_group(shard, named ? service : STR(SPAN_OVERFLOW), STR(""), true);
}

/* --- keys */

static inline struct span_key *key_at(const struct span_shard *shard, uint32_t index)
{
    return &shard->chunks[index / CHUNK_KEYS][index % CHUNK_KEYS];
}

const struct span_key *span_shard_key(const struct span_shard *shard, uint32_t index)
{
    return key_at(shard, index);
}

static inline uint64_t hash_key(const struct span_key *key)
{
    uint64_t rest = key->group->hash ^ ((uint64_t)key->kind << 16 | (uint64_t)key->status << 8 |
                                        (uint64_t)key->entry << 1 | (uint64_t)key->overflow);
    return hash_mix(hash_bytes(key->name, key->name_len), rest);
}

static inline bool same_key(const struct span_key *a, const struct span_key *b)
{
    return a->hash == b->hash && a->group == b->group && a->name_len == b->name_len && a->kind == b->kind &&
           a->status == b->status && a->entry == b->entry && a->overflow == b->overflow &&
           memcmp(a->name, b->name, a->name_len) == 0;
}

static inline uint32_t find_slot(const struct span_shard *shard, const struct span_key *key)
{
    uint32_t at = (uint32_t)key->hash & shard->slot_mask;
    for (; shard->slots[at].index; at = (at + 1) & shard->slot_mask)
        if (shard->slots[at].tag == (uint32_t)(key->hash >> 32) &&
            same_key(key_at(shard, shard->slots[at].index - 1), key))
            break;
    return at;
}

static void grow_slots(struct span_shard *shard)
{
    struct slot *old = shard->slots;
    uint32_t old_mask = shard->slot_mask;
    shard->slot_mask = old_mask * 2 + 1;
    shard->slots = xcalloc(shard->slot_mask + 1, sizeof *shard->slots);
    for (uint32_t i = 0; i <= old_mask; i++)
        if (old[i].index) {
            uint32_t at = (uint32_t)key_at(shard, old[i].index - 1)->hash & shard->slot_mask;
            while (shard->slots[at].index)
                at = (at + 1) & shard->slot_mask;
            shard->slots[at] = old[i];
        }
    free(old);
}

/* Index of a key that is not there yet. */
static COLD uint32_t add_key(struct span_shard *shard, const struct span_key *key)
{
    uint32_t index = shard->key_count++;
    assert(index / CHUNK_KEYS < MAX_CHUNKS);
    struct span_key **chunk = &shard->chunks[index / CHUNK_KEYS];
    if (!*chunk)
        *chunk = xcalloc(CHUNK_KEYS, sizeof **chunk);
    struct span_key *added = key_at(shard, index);
    *added = *key;
    added->name = copy_text(shard, (struct str){key->name, key->name_len}).ptr;
    if (shard->key_count > shard->slot_mask / 2)
        grow_slots(shard);
    shard->slots[find_slot(shard, added)] = (struct slot){(uint32_t)(key->hash >> 32), index + 1};
    return index;
}

static COLD uint32_t admit_key(struct span_shard *shard, struct span_key *key)
{
    struct str name = {key->name, key->name_len};
    if (shard->key_count < shard->max_keys ||
        (shard->key_count < shard->max_keys + NAMED_KEYS && span_rules_name_span(shard->deltas.rules, name)))
        return add_key(shard, key);
    key->name = SPAN_OVERFLOW;
    key->name_len = sizeof SPAN_OVERFLOW - 1;
    key->overflow = true;
    key->hash = hash_key(key);
    uint32_t at = find_slot(shard, key);
    return shard->slots[at].index ? shard->slots[at].index - 1 : add_key(shard, key);
}

void span_shard_count(struct span_shard *shard, const struct span_group *group, const struct otlp_span *span,
                      bool entry, uint64_t duration_ns)
{
    struct str name = cut_text(span->name);
    struct span_key key = {
        .group = group,
        .name = name.len ? name.ptr : "",
        .name_len = (uint32_t)name.len,
        .kind = (uint8_t)span->kind,
        .status = (uint8_t)span->status,
        .entry = entry,
    };
    key.hash = hash_key(&key);
    uint32_t at = find_slot(shard, &key);
    uint32_t index = likely(shard->slots[at].index) ? shard->slots[at].index - 1 : admit_key(shard, &key);
    deltas_add(&shard->deltas, index, duration_ns);
}

void span_shard_take(struct span_shard *shard, struct span_deltas *deltas, uint32_t *ret_keys)
{
    span_shard_lock(shard);
    struct span_deltas taken = shard->deltas;
    shard->deltas = *deltas;
    *ret_keys = shard->key_count;
    span_shard_unlock(shard);
    *deltas = taken;
}
