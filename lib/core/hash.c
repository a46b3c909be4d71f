#include "lib/core/hash.h"

#include <pthread.h>
#include <sys/random.h>

static uint64_t seed = UINT64_C(0x243F6A8885A308D3);
static pthread_once_t seeded = PTHREAD_ONCE_INIT;

static void draw_seed(void)
{
    uint64_t drawn;
    if (getrandom(&drawn, sizeof drawn, GRND_NONBLOCK) == (ssize_t)sizeof drawn)
        seed = drawn;
}

uint64_t hash_bytes(const void *bytes, size_t len)
{
    (void)pthread_once(&seeded, draw_seed);
    const unsigned char *p = bytes;
    uint64_t hash = seed ^ (len * UINT64_C(0xA0761D6478BD642F));
    uint64_t a, b;
    while (len > 16) {
        memcpy(&a, p, 8);
        memcpy(&b, p + 8, 8);
        hash = hash_mix(hash ^ a, b ^ UINT64_C(0xE7037ED1A0B428DB));
        p += 16;
        len -= 16;
    }
    if (len >= 8) {
        memcpy(&a, p, 8);
        memcpy(&b, p + len - 8, 8);
    } else if (len >= 4) {
        uint32_t low, high;
        memcpy(&low, p, 4);
        memcpy(&high, p + len - 4, 4);
        a = low;
        b = high;
    } else if (len) {
        a = p[0] | (uint64_t)p[len / 2] << 8 | (uint64_t)p[len - 1] << 16;
        b = len;
    } else {
        a = b = 0;
    }
    return hash_mix(hash_mix(hash ^ a, b ^ UINT64_C(0x8EBC6AF09C88C6E3)),
                    UINT64_C(0x589965CC75374CC3) ^ hash);
}

uint64_t hash_stable(struct str s)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (size_t i = 0; i < s.len; i++)
        hash = (hash ^ (unsigned char)s.ptr[i]) * UINT64_C(0x100000001B3);
    return hash;
}
