#include "lib/core/units.h"

#include <stdio.h>

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit duration_units[] = {
    {"w", UINT64_C(604800000000000)},
    {"d", UINT64_C(86400000000000)},
    {"h", UINT64_C(3600000000000)},
    {"m", UINT64_C(60000000000)},
    {"s", UINT64_C(1000000000)},
    {"ms", 1000000},
    {"us", 1000},
    {"ns", 1},
};

static const struct unit size_units[] = {
    {"TiB", UINT64_C(1) << 40},
    {"GiB", 1U << 30},
    {"MiB", 1U << 20},
    {"KiB", 1U << 10},
    {"TB", UINT64_C(1000000000000)},
    {"GB", 1000000000},
    {"MB", 1000000},
    {"kB", 1000},
    {"B", 1},
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static const struct unit *find_unit(const struct unit *units, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal_text(name, units[i].name))
            return &units[i];
    }
    return NULL;
}

/* The leading run of bytes that `accepts`, cut off *text. */
static struct str take_run(struct str *text, bool (*accepts)(char c))
{
    struct str run = {text->ptr, 0};
    while (run.len < text->len && accepts(text->ptr[run.len]))
        run.len++;
    text->ptr += run.len;
    text->len -= run.len;
    return run;
}

static bool is_number_byte(char c)
{
    return is_digit(c) || c == '.';
}

#define FRACTION_DIGITS 18U

/* number x factor, exactly; false when it does not fit or is not whole. */
static bool scale_number(struct str number, uint64_t factor, uint64_t *ret_value)
{
    const char *point = memchr(number.ptr, '.', number.len);
    struct str whole = {number.ptr, point ? (size_t)(point - number.ptr) : number.len};
    uint64_t value;
    if (!str_to_u64(whole, &value) || __builtin_mul_overflow(value, factor, &value))
        return false;
    if (point) {
        struct str fraction = {point + 1, number.len - whole.len - 1};
        uint64_t digits, ten = 1;
        if (fraction.len > FRACTION_DIGITS || !str_to_u64(fraction, &digits))
            return false;
        for (size_t i = 0; i < fraction.len; i++)
            ten *= 10;
        unsigned __int128 scaled = (unsigned __int128)digits * factor;
        if (scaled % ten || __builtin_add_overflow(value, (uint64_t)(scaled / ten), &value))
            return false;
    }
    *ret_value = value;
    return true;
}

int units_parse_duration(struct str text, int64_t *ret_ns, struct error *err)
{
    static const char wanted[] =
        "want a number and a unit (ns, us, ms, s, m, h, d, w), such as 250ms or 1h30m";
    if (str_equal(text, STR("0"))) {
        *ret_ns = 0;
        return 0;
    }
    if (!text.len)
        return error_set(err, ERR_PARSE, "an empty duration: %s", wanted);
    uint64_t total = 0;
    for (struct str rest = text; rest.len;) {
        struct str number = take_run(&rest, is_number_byte);
        struct str name = take_run(&rest, is_letter);
        const struct unit *unit = find_unit(duration_units, ARRAY_LEN(duration_units), name);
        if (number.len && !name.len && !rest.len)
            return error_set(err, ERR_PARSE, "\"%.*s\" has no unit: %s", STR_ARGS(text), wanted);
        if (!number.len || !unit)
            return error_set(err, ERR_PARSE, "\"%.*s\" is not a duration: %s", STR_ARGS(text), wanted);
        uint64_t part;
        if (!scale_number(number, unit->factor, &part) || __builtin_add_overflow(total, part, &total) ||
            total > INT64_MAX)
            return error_set(err, ERR_PARSE, "\"%.*s\" is not a whole number of nanoseconds below 292 years",
                             STR_ARGS(text));
    }
    *ret_ns = (int64_t)total;
    return 0;
}

int units_parse_size(struct str text, uint64_t *ret_bytes, struct error *err)
{
    static const char wanted[] =
        "want a number and a unit (B, kB, MB, GB, TB, KiB, MiB, GiB, TiB), such as 64MiB";
    struct str rest = text;
    struct str number = take_run(&rest, is_number_byte);
    struct str name = take_run(&rest, is_letter);
    const struct unit *unit = find_unit(size_units, ARRAY_LEN(size_units), name.len ? name : STR("B"));
    if (!number.len || !unit || rest.len)
        return error_set(err, ERR_PARSE, "\"%.*s\" is not a size: %s", STR_ARGS(text), wanted);
    if (!scale_number(number, unit->factor, ret_bytes))
        return error_set(err, ERR_PARSE, "\"%.*s\" is not a whole number of bytes below 2^64",
                         STR_ARGS(text));
    return 0;
}

const char *units_format_duration(int64_t ns, char text[UNITS_TEXT_MAX])
{
    uint64_t left = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    int used = snprintf(text, UNITS_TEXT_MAX, "%s", ns < 0 ? "-" : "");
    for (size_t i = 1; i < ARRAY_LEN(duration_units) && left;
         i++) { /* from days: 30d reads better than 4w2d */
        const struct unit *unit = &duration_units[i];
        if (left < unit->factor)
            continue;
        used += snprintf(text + used, UNITS_TEXT_MAX - (size_t)used, "%llu%s",
                         (unsigned long long)(left / unit->factor), unit->name);
        left %= unit->factor;
    }
    if (!ns)
        (void)snprintf(text, UNITS_TEXT_MAX, "0s");
    return text;
}

const char *units_format_size(uint64_t bytes, char text[UNITS_TEXT_MAX])
{
    int shortest = snprintf(text, UNITS_TEXT_MAX, "%lluB", (unsigned long long)bytes);
    for (size_t i = 0; i < ARRAY_LEN(size_units) && bytes; i++) {
        char candidate[UNITS_TEXT_MAX];
        if (bytes % size_units[i].factor)
            continue;
        int length = snprintf(candidate, sizeof candidate, "%llu%s",
                              (unsigned long long)(bytes / size_units[i].factor), size_units[i].name);
        if (length < shortest) {
            memcpy(text, candidate, (size_t)length + 1);
            shortest = length;
        }
    }
    return text;
}

int units_parse_decimal(struct str text, unsigned scale, uint64_t *ret_scaled, struct error *err)
{
    uint64_t factor = 1;
    for (unsigned i = 0; i < scale && factor < UINT64_C(1000000000000000000); i++)
        factor *= 10;
    struct str rest = text;
    struct str number = take_run(&rest, is_number_byte);
    if (!number.len || rest.len || !is_digit(number.ptr[0]))
        return error_set(err, ERR_PARSE, "\"%.*s\" is not a decimal number such as 99.99", STR_ARGS(text));
    /* A zero at the end says nothing and must not count against the digits that can be held. */
    while (memchr(number.ptr, '.', number.len) && number.ptr[number.len - 1] == '0')
        number.len--;
    if (number.ptr[number.len - 1] == '.' && text.ptr[text.len - 1] != '.')
        number.len--;
    if (!scale_number(number, factor, ret_scaled))
        return error_set(err, ERR_PARSE, "\"%.*s\" is not a number with at most %u digits after the point",
                         STR_ARGS(text), scale);
    return 0;
}

const char *units_format_decimal(uint64_t scaled, unsigned scale, char text[UNITS_TEXT_MAX])
{
    uint64_t factor = 1;
    for (unsigned i = 0; i < scale && factor < UINT64_C(1000000000000000000); i++)
        factor *= 10;
    int used = snprintf(text, UNITS_TEXT_MAX, "%llu", (unsigned long long)(scaled / factor));
    uint64_t fraction = scaled % factor;
    if (!fraction)
        return text;
    text[used++] = '.';
    while (fraction) {
        factor /= 10;
        text[used++] = (char)('0' + fraction / factor);
        fraction %= factor;
    }
    text[used] = '\0';
    return text;
}
