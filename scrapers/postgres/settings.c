#include "scrapers/postgres/settings.h"

#include "lib/metrics/label.h"

#include <math.h>

const char settings_sql[] =
    "SELECT name, setting, coalesce(unit, ''), short_desc FROM pg_catalog.pg_settings "
    "WHERE vartype IN ('bool', 'integer', 'real') AND name <> 'sync_commit_cancel_wait'";

struct unit {
    struct str name;
    const char *suffix;
    double factor;
};

static const struct unit time_units[] = {
    {STR("us"), "_seconds", 1e-6}, {STR("ms"), "_seconds", 1e-3}, {STR("s"), "_seconds", 1},
    {STR("min"), "_seconds", 60},  {STR("h"), "_seconds", 3600},  {STR("d"), "_seconds", 86400},
};

/* Sizes may carry a count: 8kB is the unit of settings counted in blocks, 16MB of those in WAL segments. */
static bool size_factor(struct str unit, double *ret_factor)
{
    static const struct {
        struct str name;
        double factor;
    } sizes[] = {
        {STR("B"), 1},           {STR("kB"), 1024},          {STR("MB"), 1048576},
        {STR("GB"), 1073741824}, {STR("TB"), 1099511627776},
    };
    size_t digits = 0;
    uint64_t count = 1;

    while (digits < unit.len && unit.ptr[digits] >= '0' && unit.ptr[digits] <= '9')
        digits++;
    if (digits && !str_to_u64((struct str){unit.ptr, digits}, &count))
        return false;
    struct str name = {unit.ptr + digits, unit.len - digits};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        if (str_equal(name, sizes[i].name)) {
            *ret_factor = sizes[i].factor * (double)count;
            return true;
        }
    }
    return false;
}

static bool find_unit(struct str name, const char **ret_suffix, double *ret_factor)
{
    *ret_suffix = "";
    *ret_factor = 1;
    if (name.len == 0)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(time_units); i++) {
        if (str_equal(name, time_units[i].name)) {
            *ret_suffix = time_units[i].suffix;
            *ret_factor = time_units[i].factor;
            return true;
        }
    }
    *ret_suffix = "_bytes";
    return size_factor(name, ret_factor);
}

static bool convert_value(struct str setting, double factor, struct value *ret_value)
{
    int64_t whole;
    double number;

    if (str_equal_text(setting, "on") || str_equal_text(setting, "off")) {
        *ret_value = VALUE_OF_BOOL(setting.len == 2);
        return true;
    }
    bool is_whole = str_to_i64(setting, &whole);
    if (!is_whole && !str_to_double(setting, &number))
        return false;
    if (is_whole)
        number = (double)whole;
    if (number > 0)
        number *= factor;
    /* Whole numbers that a double holds exactly stay integers. */
    if (fabs(number) < 9007199254740992.0 && number == floor(number))
        *ret_value = VALUE_OF_I64((int64_t)number);
    else
        *ret_value = VALUE_OF_F64(number);
    return true;
}

bool settings_convert(struct str name, struct str setting, struct str unit, struct str description,
                      struct arena *arena, struct pg_metric *ret_metric, struct value *ret_value)
{
    const char *suffix;
    double factor;

    if (!find_unit(unit, &suffix, &factor) || !convert_value(setting, factor, ret_value))
        return false;
    char *family = arena_printf(arena, "pg_settings_%.*s%s", STR_ARGS(name), suffix);
    for (char *c = family; *c; c++) {
        if (*c == '.' || *c == '-')
            *c = '_';
    }
    if (!metric_name_valid(str_from(family)))
        return false;
    *ret_metric =
        (struct pg_metric){.name = family,
                           .type = METRIC_GAUGE,
                           .help = arena_printf(arena, "Server setting: %.*s", STR_ARGS(description))};
    return true;
}
