#include "provisioner/prices/money.h"

#include "provisioner/catalog/catalog.h"

#define MAX_NANO_USD   ((uint64_t)NANO_USD * 100000)
#define MAX_EXPONENT   64
#define NANO_EXPONENT  (-9)
#define MAX_TEXT_BYTES 64

/* The number is digits x 10^exponent. */
struct decimal {
    uint64_t digits;
    int exponent;
};

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* Takes a run of digits; zeros that come to stand at the end are left to the exponent, so that ten digits
 * after the point do no harm when the last are zero. */
static bool take_digits(struct str *text, bool after_point, struct decimal *decimal)
{
    size_t taken = 0, zeros = 0;
    for (; taken < text->len && is_digit(text->ptr[taken]); taken++) {
        unsigned digit = (unsigned)(text->ptr[taken] - '0');
        if (digit == 0 && after_point) {
            zeros++;
            continue;
        }
        for (size_t i = 0; i <= zeros; i++) {
            if (decimal->digits > MAX_NANO_USD * 10)
                return false;
            decimal->digits = decimal->digits * 10 + (i == zeros ? digit : 0);
            decimal->exponent -= after_point;
        }
        zeros = 0;
    }
    text->ptr += taken;
    text->len -= taken;
    return taken > 0;
}

static bool take_exponent(struct str *text, int *exponent)
{
    bool negative = false;
    int value = 0;
    text->ptr++;
    text->len--;
    if (text->len && (*text->ptr == '-' || *text->ptr == '+')) {
        negative = *text->ptr == '-';
        text->ptr++;
        text->len--;
    }
    if (!text->len || text->len > 2)
        return false;
    for (size_t i = 0; i < text->len; i++) {
        if (!is_digit(text->ptr[i]))
            return false;
        value = value * 10 + (text->ptr[i] - '0');
    }
    *exponent += negative ? -value : value;
    text->len = 0;
    return value <= MAX_EXPONENT;
}

bool money_parse(struct str text, int64_t *ret_nano_usd)
{
    struct decimal decimal = {0};
    if (text.len > MAX_TEXT_BYTES || !take_digits(&text, false, &decimal))
        return false;
    if (text.len && *text.ptr == '.') {
        text.ptr++;
        text.len--;
        if (!take_digits(&text, true, &decimal))
            return false;
    }
    if (text.len && (*text.ptr == 'e' || *text.ptr == 'E') && !take_exponent(&text, &decimal.exponent))
        return false;
    if (text.len)
        return false;
    for (; decimal.digits && decimal.exponent < NANO_EXPONENT; decimal.exponent++) {
        if (decimal.digits % 10)
            return false;
        decimal.digits /= 10;
    }
    for (; decimal.digits && decimal.exponent > NANO_EXPONENT; decimal.exponent--) {
        if (decimal.digits > MAX_NANO_USD)
            return false;
        decimal.digits *= 10;
    }
    if (decimal.digits > MAX_NANO_USD)
        return false;
    *ret_nano_usd = (int64_t)decimal.digits;
    return true;
}

static bool skip_digits(struct str *text)
{
    size_t taken = 0;
    while (taken < text->len && is_digit(text->ptr[taken]))
        taken++;
    text->ptr += taken;
    text->len -= taken;
    return taken > 0;
}

static bool skip_one(struct str *text, const char *of)
{
    if (!text->len || !*text->ptr || !strchr(of, *text->ptr))
        return false;
    text->ptr++;
    text->len--;
    return true;
}

bool money_is_number(struct str text)
{
    if (!skip_digits(&text) || (skip_one(&text, ".") && !skip_digits(&text)))
        return false;
    if (skip_one(&text, "eE")) {
        (void)skip_one(&text, "+-");
        if (!skip_digits(&text))
            return false;
    }
    return text.len == 0;
}
