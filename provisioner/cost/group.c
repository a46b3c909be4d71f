/* Components, and an estimate's items taken together by them. */
#include "provisioner/cost/internal.h"
#include "provisioner/provider.h"

#include <stdio.h>
#include <stdlib.h>

const char *const cost_components[] = {"compute", "database",   "storage", "network", "traffic",
                                       "backup",  "monitoring", "secrets", "dns",     NULL};

const char *cost_component_title(const char *component)
{
    static const char *const titles[][2] = {
        {"compute", "Compute"}, {"database", "Database"}, {"storage", "Storage"},
        {"network", "Network"}, {"traffic", "Traffic"},   {"backup", "Backup"},
        {"dns", "DNS"},         {"secrets", "Secrets"},   {"monitoring", "Monitoring"}};
    for (size_t i = 0; i < ARRAY_LEN(titles); i++) {
        if (strcmp(component, titles[i][0]) == 0)
            return titles[i][1];
    }
    return component;
}

const char *cost_provider_title(const char *provider)
{
    const struct provider *found = provider_find(provider);
    return found ? found->title : provider;
}

bool cost_group_of(const struct cost_region *region, const char *component, struct cost_group *ret_group)
{
    *ret_group = (struct cost_group){.component = component};
    for (size_t i = 0; i < region->count; i++) {
        const struct cost_item *item = &region->items[i];
        if (strcmp(item->component, component) != 0)
            continue;
        ret_group->monthly_nano_usd += item->monthly_nano_usd;
        if (item->price)
            ret_group->any_known = true;
        else
            ret_group->any_unknown = true;
        if (item->price && strstr(item->price->source, "unverified"))
            ret_group->unverified = true;
    }
    return ret_group->any_known || ret_group->any_unknown;
}

const char *cost_format_usd(int64_t nano_usd, char text[COST_TEXT_MAX])
{
    char digits[32];
    uint64_t magnitude = nano_usd < 0 ? (uint64_t)0 - (uint64_t)nano_usd : (uint64_t)nano_usd;
    uint64_t cents = (magnitude + 5000000) / 10000000;
    int count = snprintf(digits, sizeof digits, "%llu", (unsigned long long)(cents / 100));
    size_t at = 0;
    if (nano_usd < 0 && cents)
        text[at++] = '-';
    text[at++] = '$';
    for (int i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    (void)snprintf(text + at, COST_TEXT_MAX - at, ".%02llu", (unsigned long long)(cents % 100));
    return text;
}

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar; a year is counted from March. */
static int64_t day_number(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month > 2 ? year : year - 1, m = month > 2 ? month - 3 : month + 9;
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

int64_t cost_price_age_days(const char *date, int64_t wall_ns)
{
    uint64_t year, month, day;
    if (strlen(date) != 10 || !str_to_u64((struct str){date, 4}, &year) ||
        !str_to_u64((struct str){date + 5, 2}, &month) || !str_to_u64((struct str){date + 8, 2}, &day))
        return 0;
    int64_t today = wall_ns / (INT64_C(86400) * 1000 * 1000 * 1000);
    int64_t age = today - day_number((int64_t)year, (int64_t)month, (int64_t)day);
    return age > 0 ? age : 0;
}
