#include "scrapers/kubernetes/quantity.h"

#include <math.h>

struct suffix {
    const char *text;
    int power; /* of ten, or of 1024 when binary */
    bool binary;
};

static const struct suffix suffixes[] = {
    {"", 0, false},  {"n", -9, false}, {"u", -6, false}, {"m", -3, false}, {"k", 3, false}, {"M", 6, false},
    {"G", 9, false}, {"T", 12, false}, {"P", 15, false}, {"E", 18, false}, {"Ki", 1, true}, {"Mi", 2, true},
    {"Gi", 3, true}, {"Ti", 4, true},  {"Pi", 5, true},  {"Ei", 6, true},
};

#define EXPONENT_MAX 100 /* far beyond what a double of a resource means */

struct decimal {
    uint64_t mantissa;
    int exponent; /* of ten */
    bool inexact; /* digits were left out */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits with at most one point among them; returns the bytes read, 0 for no digit. */
static size_t read_decimal(struct str text, struct decimal *decimal)
{
    bool point = false;
    size_t i = 0, digits = 0;
    for (; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (!is_digit(c))
            break;
        digits++;
        if (decimal->mantissa > (UINT64_MAX - 9) / 10) {
            decimal->inexact |= c != '0';
            decimal->exponent += point ? 0 : 1;
            continue;
        }
        decimal->mantissa = decimal->mantissa * 10 + (uint64_t)(c - '0');
        decimal->exponent -= point ? 1 : 0;
    }
    return digits > 0 ? i : 0;
}

static bool read_exponent(struct str text, int *ret_exponent)
{
    int64_t exponent;
    if (text.len < 2 || (text.ptr[0] != 'e' && text.ptr[0] != 'E'))
        return false;
    text = (struct str){text.ptr + 1, text.len - 1};
    if (text.ptr[0] == '+')
        text = (struct str){text.ptr + 1, text.len - 1};
    if (!str_to_i64(text, &exponent) || exponent < -EXPONENT_MAX || exponent > EXPONENT_MAX)
        return false;
    *ret_exponent = (int)exponent;
    return true;
}

static bool find_suffix(struct str text, struct suffix *ret_suffix)
{
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        if (str_equal_text(text, suffixes[i].text)) {
            *ret_suffix = suffixes[i];
            return true;
        }
    }
    *ret_suffix = (struct suffix){0};
    return read_exponent(text, &ret_suffix->power);
}

/* The mantissa times 10^exponent times 1024^binary as an integer; false when it is none of 63 bits. */
static bool whole(struct decimal decimal, int binary, uint64_t *ret_number)
{
    uint64_t number = decimal.mantissa;
    if (decimal.inexact)
        return false;
    for (; binary > 0; binary--) {
        if (__builtin_mul_overflow(number, UINT64_C(1024), &number))
            return false;
    }
    for (; decimal.exponent > 0 && number > 0; decimal.exponent--) {
        if (__builtin_mul_overflow(number, UINT64_C(10), &number))
            return false;
    }
    for (; decimal.exponent < 0 && number > 0; decimal.exponent++) {
        if (number % 10 != 0)
            return false;
        number /= 10;
    }
    *ret_number = number;
    return number <= (uint64_t)INT64_MAX;
}

bool quantity_parse(struct str text, struct value *ret_value)
{
    struct decimal decimal = {0};
    struct suffix suffix;
    uint64_t number;
    bool negative = text.len > 0 && text.ptr[0] == '-';
    if (text.len > 0 && (negative || text.ptr[0] == '+'))
        text = (struct str){text.ptr + 1, text.len - 1};
    size_t used = read_decimal(text, &decimal);
    if (used == 0 || !find_suffix((struct str){text.ptr + used, text.len - used}, &suffix))
        return false;
    if (!suffix.binary)
        decimal.exponent += suffix.power;
    int binary = suffix.binary ? suffix.power : 0;
    if (whole(decimal, binary, &number)) {
        *ret_value = negative ? VALUE_OF_I64(-(int64_t)number) : VALUE_OF_U64(number);
        return true;
    }
    double magnitude = (double)decimal.mantissa * pow(1024, binary);
    /* One division by an exact power where it can be, so that 1m is the double nearest to 0.001. */
    magnitude =
        decimal.exponent < 0 ? magnitude / pow(10, -decimal.exponent) : magnitude * pow(10, decimal.exponent);
    *ret_value = VALUE_OF_F64(negative ? -magnitude : magnitude);
    return true;
}
