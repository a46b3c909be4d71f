/* What is said about an option in messages and in the reference. */
#include "lib/core/arena.h"
#include "lib/core/option_internal.h"
#include "lib/core/units.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const wanted[] = {
    [OPT_STRING] = "a text",
    [OPT_BOOL] = "true or false",
    [OPT_INT] = "a whole number",
    [OPT_DECIMAL] = "a decimal number",
    [OPT_DURATION] = "a duration such as 250ms or 1h30m",
    [OPT_SIZE] = "a size such as 64MiB",
    [OPT_ENUM] = "a name",
    [OPT_ADDRESS] = "an address such as 127.0.0.1:9480",
    [OPT_URL] = "an http or https URL",
    [OPT_PATH] = "a path",
    [OPT_SECRET_FILE] = "the path of a file that holds the secret",
    [OPT_CONNINFO] = "a connection string",
    [OPT_STRING_LIST] = "a list of texts",
    [OPT_INT_LIST] = "a list of whole numbers",
    [OPT_STRING_MAP] = "a mapping of names to texts",
    [OPT_SECTION] = "a mapping",
    [OPT_SECTION_PTR] = "a mapping",
    [OPT_SECTION_LIST] = "a list of mappings",
    [OPT_SECTION_MAP] = "a mapping of names to mappings",
    [OPT_DYNAMIC] = "a value",
};

const char *option_wanted(const struct option *option, char text[OPTION_TEXT_MAX])
{
    if (!option->choices || option->type == OPT_STRING_LIST) {
        (void)snprintf(text, OPTION_TEXT_MAX, "%s", wanted[option->type]);
        return text;
    }
    size_t used = 0;
    text[0] = '\0';
    for (const struct option_enum *choice = option->choices; choice->name && used < OPTION_TEXT_MAX;
         choice++) {
        const char *join = choice == option->choices ? "" : choice[1].name ? ", " : " or ";
        used += (size_t)snprintf(text + used, OPTION_TEXT_MAX - used, "%s%s", join, choice->name);
    }
    return text;
}

const char *option_format_number(const struct option *option, uint64_t magnitude, bool negative,
                                 char text[OPTION_TEXT_MAX])
{
    char number[UNITS_TEXT_MAX];
    switch ((int)option->type) {
    case OPT_DURATION:
        (void)units_format_duration((int64_t)magnitude, number);
        break;
    case OPT_SIZE:
        (void)units_format_size(magnitude, number);
        break;
    case OPT_DECIMAL:
        (void)units_format_decimal(magnitude, option->scale, number);
        break;
    default:
        (void)snprintf(number, sizeof number, "%llu", (unsigned long long)magnitude);
    }
    (void)snprintf(text, OPTION_TEXT_MAX, "%s%s", negative && magnitude ? "-" : "", number);
    return text;
}

bool option_has_bounds(const struct option *option)
{
    return option->min || option->max;
}

static bool has_upper_bound(const struct option *option)
{
    return option->max != 0 || option->min < 0;
}

bool option_in_bounds(const struct option *option, uint64_t magnitude, bool negative)
{
    if (!option_has_bounds(option))
        return true;
    __int128 value = negative ? -(__int128)magnitude : (__int128)magnitude;
    return value >= option->min && (!has_upper_bound(option) || value <= option->max);
}

static const char *format_bound(const struct option *option, int64_t bound, char text[OPTION_TEXT_MAX])
{
    return option_format_number(option, bound < 0 ? 0 - (uint64_t)bound : (uint64_t)bound, bound < 0, text);
}

const char *option_bounds(const struct option *option, char text[OPTION_TEXT_MAX])
{
    char low[OPTION_TEXT_MAX], high[OPTION_TEXT_MAX];
    text[0] = '\0';
    if (!option_has_bounds(option))
        return text;
    (void)format_bound(option, option->min, low);
    (void)format_bound(option, option->max, high);
    if (option->min == option->max)
        (void)snprintf(text, OPTION_TEXT_MAX, "exactly %.100s", low);
    else if (has_upper_bound(option) && option->max != INT64_MAX) /* what a type can hold needs no saying */
        (void)snprintf(text, OPTION_TEXT_MAX, "from %.100s to %.100s", low, high);
    else
        (void)snprintf(text, OPTION_TEXT_MAX, "at least %.100s", low);
    return text;
}

struct section_set {
    const struct option_section **items;
    size_t count;
};

static void collect(struct section_set *set, const struct option_section *section)
{
    for (size_t i = 0; i < set->count; i++) {
        if (set->items[i] == section)
            return;
    }
    set->items = xrealloc(set->items, (set->count + 1) * sizeof *set->items);
    set->items[set->count++] = section;
    for (size_t i = 0; i < section->option_count; i++) {
        if (section->options[i].section)
            collect(set, section->options[i].section);
    }
}

const struct option_section **option_list_sections(const struct option_section *root, size_t *ret_count)
{
    struct section_set set = {0};
    collect(&set, root);
    *ret_count = set.count;
    return set.items;
}
