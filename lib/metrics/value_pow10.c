/* The table is computed with plain long arithmetic instead of being shipped as 617 lines of digits: it takes
 * a fraction of a millisecond once a process, and a reader can check it. */
#include "lib/metrics/value_internal.h"

#include "lib/core/atomic.h"

#include <pthread.h>

#define WORDS 20 /* 1280 bits: 10^324 has 1077, and 2^1216 / 10^292 keeps 246 */

struct big {
    uint64_t word[WORDS]; /* little endian */
};

static struct pow10 table[POW10_MAX - POW10_MIN + 1];
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct flag ready; /* so that the usual call is one load */

static void multiply_by_10(struct big *n)
{
    uint64_t carry = 0;
    for (size_t i = 0; i < WORDS; i++) {
        unsigned __int128 product = (unsigned __int128)n->word[i] * 10 + carry;
        n->word[i] = (uint64_t)product;
        carry = (uint64_t)(product >> 64);
    }
}

static void divide_by_10(struct big *n)
{
    uint64_t rest = 0;
    for (size_t i = WORDS; i-- > 0;) {
        unsigned __int128 part = ((unsigned __int128)rest << 64) | n->word[i];
        n->word[i] = (uint64_t)(part / 10);
        rest = (uint64_t)(part % 10);
    }
}

/* The top 128 bits; *ret_exact is false when a lower bit was cut off. */
static unsigned __int128 top_128(const struct big *n, bool *ret_exact)
{
    size_t top = WORDS - 1;
    while (top > 0 && !n->word[top])
        top--;
    unsigned shift = (unsigned)__builtin_clzll(n->word[top]);
    uint64_t a = n->word[top];
    uint64_t b = top >= 1 ? n->word[top - 1] : 0;
    uint64_t c = top >= 2 ? n->word[top - 2] : 0;
    uint64_t high = shift ? a << shift | b >> (64 - shift) : a;
    uint64_t low = shift ? b << shift | c >> (64 - shift) : b;
    *ret_exact = (shift ? c << shift : c) == 0;
    for (size_t i = 3; i <= top; i++)
        *ret_exact = *ret_exact && n->word[top - i] == 0;
    return (unsigned __int128)high << 64 | low;
}

static void store(int k, const struct big *n, bool may_be_exact)
{
    bool exact;
    unsigned __int128 bits = top_128(n, &exact);
    if (!exact || !may_be_exact)
        bits++;
    table[k - POW10_MIN] = (struct pow10){.high = (uint64_t)(bits >> 64), .low = (uint64_t)bits};
}

static void compute(void)
{
    struct big n = {{1}};
    for (int k = 0; k <= POW10_MAX; k++) {
        store(k, &n, true);
        multiply_by_10(&n);
    }
    /* Dividing a floor by ten and flooring again equals one division: nothing accumulates. */
    n = (struct big){{0}};
    n.word[WORDS - 1] = 1;
    for (int k = -1; k >= POW10_MIN; k--) {
        divide_by_10(&n);
        store(k, &n, false);
    }
    flag_set(&ready, 1);
}

const struct pow10 *value_pow10_table(void)
{
    if (unlikely(!flag_get(&ready)))
        (void)pthread_once(&once, compute);
    return table;
}
