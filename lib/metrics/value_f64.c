/* Shortest decimal of a double: the Schubfach method (R. Giulietti, "The Schubfach way to render doubles",
 * 2020).
 *
 * The double v = c * 2^q is compared with the decimals of the largest exponent k for which the interval that
 * rounds to v contains at least one multiple of 10^k: at most two multiples of 10^k and two of 10^(k+1)
 * matter. All comparisons are done on integers four times v's scaled value, with the cut-off bits folded into
 * the lowest bit ("round to odd"), which keeps every comparison exact. */
#include "lib/metrics/value.h"

#include "lib/metrics/value_internal.h"

#define MANTISSA_BITS 52
#define HIDDEN_BIT    (UINT64_C(1) << MANTISSA_BITS)
#define EXPONENT_BIAS 1075 /* of the integral significand */

struct decimal {
    uint64_t digits;
    int exponent;
};

/* floor(e * log2(10)) and floor(e * log10(2)), exact for the exponents of doubles. */
static int floor_log2_pow10(int e)
{
    return (e * 1741647) >> 19;
}

static uint64_t round_to_odd(const struct pow10 *g, uint64_t factor)
{
    unsigned __int128 low = (unsigned __int128)g->low * factor;
    unsigned __int128 high = (unsigned __int128)g->high * factor + (uint64_t)(low >> 64);
    return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

static struct decimal shortest(uint64_t mantissa, unsigned biased_exponent)
{
    bool normal = biased_exponent != 0;
    uint64_t c = normal ? HIDDEN_BIT | mantissa : mantissa;
    int q = (normal ? (int)biased_exponent : 1) - EXPONENT_BIAS;
    bool odd = c & 1;
    /* Below a power of two the neighbour is half as far away. */
    bool lower_is_closer = mantissa == 0 && biased_exponent > 1;
    int k = (q * 1262611 - (lower_is_closer ? 524031 : 0)) >> 22;
    int h = q + floor_log2_pow10(-k) + 1;
    const struct pow10 *g = value_pow10_table() + (-k - POW10_MIN);
    uint64_t left = round_to_odd(g, (4 * c - 2 + lower_is_closer) << h) + odd;
    uint64_t middle = round_to_odd(g, 4 * c << h);
    uint64_t right = round_to_odd(g, (4 * c + 2) << h) - odd;
    uint64_t s = middle / 4;
    if (s >= 10) {
        uint64_t tens = s / 10;
        bool down = left <= 40 * tens;
        bool up = 40 * tens + 40 <= right;
        if (down != up)
            return (struct decimal){tens + up, k + 1};
    }
    bool down = left <= 4 * s;
    bool up = 4 * s + 4 <= right;
    if (down != up)
        return (struct decimal){s + up, k};
    bool round_up = middle > 4 * s + 2 || (middle == 4 * s + 2 && (s & 1));
    return (struct decimal){s + round_up, k};
}

static void strip_zeros(struct decimal *d)
{
    static const uint64_t steps[] = {UINT64_C(100000000), 10000, 100, 10};
    static const int lengths[] = {8, 4, 2, 1};
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        uint64_t quotient = d->digits / steps[i];
        if (quotient * steps[i] == d->digits) {
            d->digits = quotient;
            d->exponent += lengths[i];
        }
    }
}

static char *write_exponent(char *out, int exponent)
{
    *out++ = 'e';
    *out++ = exponent < 0 ? '-' : '+';
    unsigned magnitude = (unsigned)(exponent < 0 ? -exponent : exponent);
    if (magnitude < 10)
        *out++ = '0';
    return number_write_u64(out, magnitude);
}

static char *write_decimal(char *out, struct decimal d, int exponent_from)
{
    char digits[NUMBER_TEXT_MAX];
    int count = (int)(number_write_u64(digits, d.digits) - digits);
    int point = count + d.exponent; /* digits before the point */
    if (point - 1 < -4 || point - 1 >= exponent_from) {
        *out++ = digits[0];
        if (count > 1) {
            *out++ = '.';
            memcpy(out, digits + 1, (size_t)count - 1);
            out += count - 1;
        }
        return write_exponent(out, point - 1);
    }
    if (point <= 0) {
        memcpy(out, "0.000000", 8);
        memcpy(out + 2 - point, digits, (size_t)count);
        return out + 2 - point + count;
    }
    if (point >= count) {
        memcpy(out, digits, (size_t)count);
        memset(out + count, '0', (size_t)(point - count));
        return out + point;
    }
    memcpy(out, digits, (size_t)point);
    out[point] = '.';
    memcpy(out + point + 1, digits + point, (size_t)(count - point));
    return out + count + 1;
}

char *value_write_f64(char *out, double number, int exponent_from)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    uint64_t mantissa = bits & (HIDDEN_BIT - 1);
    unsigned biased_exponent = (unsigned)(bits >> MANTISSA_BITS) & 0x7FF;
    bool negative = bits >> 63;
    if (biased_exponent == 0x7FF) {
        memcpy(out, mantissa ? "NaN" : negative ? "-Inf" : "+Inf", 4);
        return out + (mantissa ? 3 : 4);
    }
    if (negative)
        *out++ = '-';
    if (!(bits << 1)) {
        *out = '0';
        return out + 1;
    }
    /* Whole numbers below 2^53, the usual case: their digits are the shortest form. */
    unsigned fraction_bits = EXPONENT_BIAS - biased_exponent;
    if (fraction_bits <= MANTISSA_BITS && exponent_from > 16) {
        uint64_t c = HIDDEN_BIT | mantissa;
        if (!(c & ((UINT64_C(1) << fraction_bits) - 1)))
            return number_write_u64(out, c >> fraction_bits);
    }
    struct decimal d = shortest(mantissa, biased_exponent);
    strip_zeros(&d);
    return write_decimal(out, d, exponent_from);
}

char *number_write_f64(char *out, double number)
{
    return value_write_f64(out, number, 21);
}
