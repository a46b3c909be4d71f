/* Seeded 64-bit hash of bytes for in-memory tables. Not stable over processes: never store it. The seed is
 * drawn once a process, so that outside bytes cannot aim for collisions. */
#ifndef FRAISEQL_CORE_HASH_H
#define FRAISEQL_CORE_HASH_H

#include "lib/core/str.h"

uint64_t hash_bytes(const void *bytes, size_t len);

static inline uint64_t hash_str(struct str s)
{
    return hash_bytes(s.ptr, s.len);
}

/* Folds the 128-bit product: the mixing step of hash_bytes(), for combining hashes. The factor is made odd so
 * that no chosen `b` can make the product zero; the bit lost by that comes back by the last exclusive or. */
static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)(a ^ UINT64_C(0x9E3779B97F4A7C15)) * (b | 1);
    return (uint64_t)product ^ (uint64_t)(product >> 64) ^ b;
}

/* FNV-1a 64, the same everywhere: for what is stored, jittered or named by a hash. */
uint64_t hash_stable(struct str s);

#endif
