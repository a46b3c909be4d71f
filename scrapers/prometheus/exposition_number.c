#include "scrapers/prometheus/exposition_number.h"

#include <math.h>
#include <strings.h>

/* Clinger's fast path: a mantissa below 2^53 and a power of ten up to 10^22 are both exact doubles, so one
 * multiplication or division rounds once, correctly. */
#define EXACT_MANTISSA (UINT64_C(1) << 53)
#define EXACT_POWER    22
#define MS_MAX         9e18 /* what an int64_t surely holds */

static const double powers_of_ten[EXACT_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                      1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                      1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

struct digits {
    uint64_t mantissa;
    unsigned count; /* digits read, leading zeros included */
    bool overflow;  /* the mantissa does not hold all of them */
};

static const char *read_digits(const char *p, const char *end, struct digits *digits)
{
    for (; p < end && *p >= '0' && *p <= '9'; p++) {
        digits->count++;
        if (__builtin_mul_overflow(digits->mantissa, UINT64_C(10), &digits->mantissa) ||
            __builtin_add_overflow(digits->mantissa, (uint64_t)(*p - '0'), &digits->mantissa))
            digits->overflow = true;
    }
    return p;
}

static bool equal_word(struct str text, const char *word)
{
    return text.len == strlen(word) && strncasecmp(text.ptr, word, text.len) == 0;
}

static bool parse_word(struct str unsigned_text, bool negative, bool signed_text, struct value *ret_value)
{
    if (equal_word(unsigned_text, "inf") || equal_word(unsigned_text, "infinity")) {
        *ret_value = VALUE_OF_F64(negative ? -INFINITY : INFINITY);
        return true;
    }
    if (equal_word(unsigned_text, "nan") && !signed_text) {
        *ret_value = VALUE_OF_F64((double)NAN);
        return true;
    }
    return false;
}

static struct value integer_value(uint64_t magnitude, bool negative)
{
    if (!negative)
        return VALUE_OF_U64(magnitude);
    if (magnitude == 0)
        return VALUE_OF_F64(-0.0);
    if (magnitude <= (uint64_t)INT64_MAX)
        return VALUE_OF_I64(-(int64_t)magnitude);
    return VALUE_OF_F64(-(double)magnitude);
}

/* Reads "e+12"; false when it is malformed. p stands on the letter. */
static bool parse_exponent(const char *p, const char *end, int *ret_exponent)
{
    bool negative = false;
    p++;
    if (p < end && (*p == '+' || *p == '-'))
        negative = *p++ == '-';
    struct digits digits = {0};
    if (read_digits(p, end, &digits) != end || digits.count == 0)
        return false;
    int magnitude = digits.overflow || digits.mantissa > 100000 ? 100000 : (int)digits.mantissa;
    *ret_exponent = negative ? -magnitude : magnitude;
    return true;
}

static bool slow_double(struct str text, struct value *ret_value)
{
    double number;
    /* The reader below takes no leading plus. */
    if (text.len > 0 && text.ptr[0] == '+')
        text = (struct str){text.ptr + 1, text.len - 1};
    if (!str_to_double(text, &number))
        return false;
    *ret_value = VALUE_OF_F64(number);
    return true;
}

bool exposition_parse_number(struct str text, struct value *ret_value)
{
    const char *p = text.ptr, *end = text.ptr + text.len;
    if (text.len == 0)
        return false;
    bool negative = *p == '-';
    bool has_sign = negative || *p == '+';
    if (has_sign)
        p++;
    const char *start = p;
    struct digits digits = {0};
    p = read_digits(p, end, &digits);
    if (p == end && digits.count > 0 && !digits.overflow) {
        *ret_value = integer_value(digits.mantissa, negative);
        return true;
    }
    unsigned whole = digits.count;
    if (p < end && *p == '.')
        p = read_digits(p + 1, end, &digits);
    if (digits.count == 0)
        return parse_word((struct str){start, (size_t)(end - start)}, negative, has_sign, ret_value);
    int exponent = 0;
    if (p < end && ((*p != 'e' && *p != 'E') || !parse_exponent(p, end, &exponent)))
        return false;
    if (digits.overflow || digits.mantissa > EXACT_MANTISSA)
        return slow_double(text, ret_value);
    exponent -= (int)(digits.count - whole);
    if (exponent < -EXACT_POWER || exponent > EXACT_POWER)
        return slow_double(text, ret_value);
    double number = (double)digits.mantissa;
    number = exponent < 0 ? number / powers_of_ten[-exponent] : number * powers_of_ten[exponent];
    *ret_value = VALUE_OF_F64(negative ? -number : number);
    return true;
}

bool exposition_text_timestamp(struct str text, int64_t *ret_ms)
{
    struct digits digits = {0};
    const char *end = text.ptr + text.len;
    if (read_digits(text.ptr, end, &digits) != end || digits.count == 0 || digits.overflow ||
        digits.mantissa > (uint64_t)INT64_MAX)
        return false;
    *ret_ms = (int64_t)digits.mantissa;
    return true;
}

bool exposition_openmetrics_timestamp(struct str text, int64_t *ret_ms)
{
    struct value value;
    if (!exposition_parse_number(text, &value))
        return false;
    double seconds = value_to_double(value);
    if (!isfinite(seconds))
        return false;
    double ms = seconds * 1000;
    *ret_ms = ms >= MS_MAX ? INT64_MAX : ms <= -MS_MAX ? INT64_MIN : (int64_t)ms;
    return true;
}
