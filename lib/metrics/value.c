#include "lib/metrics/value.h"

#include "lib/metrics/value_internal.h"

#include <math.h>

static const char digit_pairs[] = "00010203040506070809101112131415161718192021222324"
                                  "25262728293031323334353637383940414243444546474849"
                                  "50515253545556575859606162636465666768697071727374"
                                  "75767778798081828384858687888990919293949596979899";

static unsigned digit_count(uint64_t n)
{
    static const uint64_t powers[] = {0,
                                      UINT64_C(10),
                                      UINT64_C(100),
                                      UINT64_C(1000),
                                      UINT64_C(10000),
                                      UINT64_C(100000),
                                      UINT64_C(1000000),
                                      UINT64_C(10000000),
                                      UINT64_C(100000000),
                                      UINT64_C(1000000000),
                                      UINT64_C(10000000000),
                                      UINT64_C(100000000000),
                                      UINT64_C(1000000000000),
                                      UINT64_C(10000000000000),
                                      UINT64_C(100000000000000),
                                      UINT64_C(1000000000000000),
                                      UINT64_C(10000000000000000),
                                      UINT64_C(100000000000000000),
                                      UINT64_C(1000000000000000000),
                                      UINT64_C(10000000000000000000)};
    /* 1233 / 4096 is a little over log10(2), so the guess is right or one too small. */
    unsigned bits = 64 - (unsigned)__builtin_clzll(n | 1);
    unsigned guess = bits * 1233 >> 12;
    return guess + (n >= powers[guess]);
}

char *number_write_u64(char *out, uint64_t number)
{
    if (number < 10) {
        *out = (char)('0' + number);
        return out + 1;
    }
    char *end = out + digit_count(number);
    char *p = end;
    while (number >= 100) {
        p -= 2;
        memcpy(p, digit_pairs + number % 100 * 2, 2);
        number /= 100;
    }
    if (number >= 10)
        memcpy(p - 2, digit_pairs + number * 2, 2);
    else
        p[-1] = (char)('0' + number);
    return end;
}

char *number_write_i64(char *out, int64_t number)
{
    if (number >= 0)
        return number_write_u64(out, (uint64_t)number);
    *out = '-';
    return number_write_u64(out + 1, 0 - (uint64_t)number);
}

char *number_write_bound(char *out, double number)
{
    char *end = value_write_f64(out, number, 6);
    if (!isfinite(number))
        return end;
    for (const char *p = out; p < end; p++) {
        if (*p == '.' || *p == 'e')
            return end;
    }
    memcpy(end, ".0", 2);
    return end + 2;
}

char *number_write_value(char *out, struct value value)
{
    switch (value.kind) {
    case VALUE_U64:
        return number_write_u64(out, value.u64);
    case VALUE_I64:
        return number_write_i64(out, value.i64);
    case VALUE_F64:
        return number_write_f64(out, value.f64);
    case VALUE_ABSENT:
        break;
    }
    memcpy(out, "NaN", 3);
    return out + 3;
}

double value_to_double(struct value value)
{
    switch (value.kind) {
    case VALUE_U64:
        return (double)value.u64;
    case VALUE_I64:
        return (double)value.i64;
    case VALUE_F64:
        return value.f64;
    case VALUE_ABSENT:
        break;
    }
    return (double)NAN;
}
