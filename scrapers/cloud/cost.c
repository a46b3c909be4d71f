#include "scrapers/cloud/cost.h"

#include "lib/core/arena.h"
#include "lib/core/clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define HOUR_NS (3600 * NS_PER_S)
#define STEPS   50   /* of halving: more than a double's digits */
#define RESERVE 0.02 /* of the budget, for calls that are sent again */

/* --- months -------------------------------------------------------------------------------------------- */

static int32_t month_of(int64_t wall_ns)
{
    char text[CLOCK_RFC3339_SIZE];
    uint64_t year = 1970, month = 1;
    (void)clock_format_rfc3339(wall_ns, text);
    (void)str_to_u64((struct str){text, 4}, &year);
    (void)str_to_u64((struct str){text + 5, 2}, &month);
    return (int32_t)(year * 12 + month - 1);
}

static double hours_left(int32_t month, int64_t wall_ns)
{
    char text[CLOCK_RFC3339_SIZE];
    int64_t end_ns = wall_ns + HOUR_NS;
    int32_t next = month + 1;
    (void)snprintf(text, sizeof text, "%04d-%02d-01T00:00:00Z", next / 12, next % 12 + 1);
    (void)clock_parse_rfc3339(str_from(text), &end_ns);
    double hours = (double)(end_ns - wall_ns) / (double)HOUR_NS;
    return hours < 1 ? 1 : hours;
}

/* --- the meters ---------------------------------------------------------------------------------------- */

void cloud_cost_init(struct cloud_cost *cost, const struct cloud_api *apis, size_t api_count,
                     double budget_usd)
{
    *cost = (struct cloud_cost){.apis = apis,
                                .api_count = api_count < CLOUD_APIS_MAX ? api_count : CLOUD_APIS_MAX,
                                .budget_usd = budget_usd,
                                .stretch = 1};
}

static void enter_month(struct cloud_cost *cost, int64_t wall_ns)
{
    int32_t month = month_of(wall_ns);
    if (month <= cost->month) /* a clock that is set back does not forget what was spent */
        return;
    cost->month = month;
    for (size_t i = 0; i < cost->api_count; i++)
        cost->meters[i].month_units = cost->meters[i].month_requests = 0;
}

void cloud_cost_add(struct cloud_cost *cost, unsigned api, uint64_t units, int64_t wall_ns)
{
    if (api >= cost->api_count)
        return;
    enter_month(cost, wall_ns);
    struct cloud_meter *meter = &cost->meters[api];
    meter->requests++;
    meter->month_requests++;
    meter->units += units;
    meter->month_units += units;
    cost->dirty = true;
}

double cloud_cost_usd(const struct cloud_api *api, double taken, double units)
{
    double free_units = (double)api->free_units_per_month - taken;
    if (free_units > 0)
        units -= free_units < units ? free_units : units;
    return units * api->usd_per_unit;
}

double cloud_cost_month_usd(const struct cloud_cost *cost)
{
    double usd = 0;
    for (size_t i = 0; i < cost->api_count; i++)
        usd += cloud_cost_usd(&cost->apis[i], 0, (double)cost->meters[i].month_units);
    return usd;
}

bool cloud_cost_allows(struct cloud_cost *cost, unsigned api, uint64_t units, int64_t wall_ns)
{
    enter_month(cost, wall_ns);
    if (cost->budget_usd <= 0 || api >= cost->api_count)
        return true;
    double more = cloud_cost_usd(&cost->apis[api], (double)cost->meters[api].month_units, (double)units);
    return more == 0 || cloud_cost_month_usd(cost) + more <= cost->budget_usd;
}

static double rest_usd(const struct cloud_cost *cost, const double *units_per_hour, double hours)
{
    double usd = 0;
    for (size_t i = 0; i < cost->api_count; i++)
        usd += cloud_cost_usd(&cost->apis[i], (double)cost->meters[i].month_units, units_per_hour[i] * hours);
    return usd;
}

double cloud_cost_plan(struct cloud_cost *cost, const double *units_per_hour, int64_t wall_ns)
{
    enter_month(cost, wall_ns);
    cost->stretch = 1;
    if (cost->budget_usd <= 0)
        return 1;
    double hours = hours_left(cost->month, wall_ns);
    double left = cost->budget_usd * (1 - RESERVE) - cloud_cost_month_usd(cost);
    if (rest_usd(cost, units_per_hour, hours) <= left)
        return 1;
    double low = 1, high = CLOUD_STRETCH_MAX;
    for (int i = 0; i < STEPS; i++) {
        double middle = (low + high) / 2;
        if (rest_usd(cost, units_per_hour, hours / middle) <= left)
            high = middle;
        else
            low = middle;
    }
    return cost->stretch = high;
}

/* --- storing: one line an api, so that a list that grows or changes still reads what it knows ------------
 */

void cloud_cost_encode(const struct cloud_cost *cost, struct buf *out)
{
    buf_printf(out, "month %d\n", cost->month);
    for (size_t i = 0; i < cost->api_count; i++)
        buf_printf(out, "%s %llu %llu\n", cost->apis[i].name, (unsigned long long)cost->meters[i].month_units,
                   (unsigned long long)cost->meters[i].month_requests);
}

static bool take_word(struct str *rest, char end, struct str *ret_word)
{
    const char *at = rest->len ? memchr(rest->ptr, end, rest->len) : NULL;
    if (!at)
        return false;
    *ret_word = (struct str){rest->ptr, (size_t)(at - rest->ptr)};
    *rest = (struct str){at + 1, rest->len - ret_word->len - 1};
    return true;
}

int cloud_cost_decode(struct cloud_cost *cost, struct str stored, struct error *err)
{
    struct str word, units, requests;
    uint64_t month;
    if (!take_word(&stored, ' ', &word) || !str_equal_text(word, "month") ||
        !take_word(&stored, '\n', &word) || !str_to_u64(word, &month) || month > 12 * 3000)
        return error_set(err, ERR_CORRUPT, "the stored cost of the month cannot be read");
    cost->month = (int32_t)month;
    while (take_word(&stored, ' ', &word)) {
        struct cloud_meter meter = {0};
        if (!take_word(&stored, ' ', &units) || !take_word(&stored, '\n', &requests) ||
            !str_to_u64(units, &meter.month_units) || !str_to_u64(requests, &meter.month_requests))
            return error_set(err, ERR_CORRUPT, "the stored cost of the month cannot be read");
        for (size_t i = 0; i < cost->api_count; i++) {
            if (str_equal_text(word, cost->apis[i].name)) {
                cost->meters[i].month_units = meter.month_units;
                cost->meters[i].month_requests = meter.month_requests;
            }
        }
    }
    return 0;
}

/* --- estimates ----------------------------------------------------------------------------------------- */

struct cloud_estimate {
    const struct cloud_api *apis;
    size_t api_count;
    double budget_usd;
    struct arena *arena;
    struct cloud_estimate_row *rows;
    size_t count, capacity;
};

struct cloud_estimate *cloud_estimate_new(const struct cloud_api *apis, size_t api_count, double budget_usd)
{
    struct cloud_estimate *estimate = xcalloc(1, sizeof *estimate);
    *estimate = (struct cloud_estimate){
        .apis = apis, .api_count = api_count, .budget_usd = budget_usd, .arena = arena_new(0)};
    return estimate;
}

void cloud_estimate_free(struct cloud_estimate *estimate)
{
    if (!estimate)
        return;
    arena_free(estimate->arena);
    free(estimate->rows);
    free(estimate);
}

void cloud_estimate_add(struct cloud_estimate *estimate, const struct cloud_estimate_row *row)
{
    if (estimate->count == estimate->capacity) {
        estimate->capacity = estimate->capacity ? estimate->capacity * 2 : 16;
        estimate->rows = xrealloc(estimate->rows, estimate->capacity * sizeof *estimate->rows);
    }
    estimate->rows[estimate->count] = *row;
    estimate->rows[estimate->count++].what = arena_strdup(estimate->arena, str_from(row->what));
}

size_t cloud_estimate_count(const struct cloud_estimate *estimate)
{
    return estimate->count;
}

const struct cloud_estimate_row *cloud_estimate_row(const struct cloud_estimate *estimate, size_t i)
{
    return &estimate->rows[i];
}

double cloud_estimate_budget_usd(const struct cloud_estimate *estimate)
{
    return estimate->budget_usd;
}

const struct cloud_api *cloud_estimate_api(const struct cloud_estimate *estimate, unsigned api)
{
    return api < estimate->api_count ? &estimate->apis[api] : NULL;
}

static double per_month(const struct cloud_estimate_row *row)
{
    return CLOUD_MONTH_HOURS * (double)HOUR_NS / (double)row->every_ns;
}

static double usd_at(const struct cloud_estimate *estimate, unsigned api, double stretch)
{
    double usd = 0;
    for (unsigned a = 0; a < estimate->api_count; a++) {
        double units = 0;
        for (size_t i = 0; i < estimate->count; i++)
            units += estimate->rows[i].api == a ? estimate->rows[i].units * per_month(&estimate->rows[i]) : 0;
        if (api == a || api == estimate->api_count)
            usd += cloud_cost_usd(&estimate->apis[a], 0, units / stretch);
    }
    return usd;
}

/* Rows of one interval and api go out together: their parts of a request add up to whole ones. */
static double requests_per_month(const struct cloud_estimate *estimate, unsigned api)
{
    double requests = 0;
    for (size_t i = 0; i < estimate->count; i++) {
        const struct cloud_estimate_row *row = &estimate->rows[i];
        bool told = api != estimate->api_count && row->api != api;
        double each = 0;
        for (size_t k = 0; k < estimate->count; k++) {
            const struct cloud_estimate_row *other = &estimate->rows[k];
            bool together = other->api == row->api && other->every_ns == row->every_ns;
            told = told || (together && k < i);
            each += together ? other->requests : 0;
        }
        requests += told ? 0 : ceil(each - 1e-9) * per_month(row);
    }
    return requests;
}

struct cloud_estimate_sum cloud_estimate_sum(const struct cloud_estimate *estimate, unsigned api)
{
    struct cloud_estimate_sum sum = {.stretch = 1};
    for (size_t i = 0; i < estimate->count; i++) {
        const struct cloud_estimate_row *row = &estimate->rows[i];
        if (api != estimate->api_count && row->api != api)
            continue;
        sum.units_per_month += row->units * per_month(row);
        sum.series += row->series;
    }
    sum.requests_per_month = requests_per_month(estimate, api);
    sum.usd_per_month = usd_at(estimate, api, 1);
    double budget = estimate->budget_usd * (1 - RESERVE), low = 1, high = CLOUD_STRETCH_MAX;
    if (budget <= 0 || usd_at(estimate, (unsigned)estimate->api_count, 1) <= budget)
        return sum;
    for (int i = 0; i < STEPS; i++) {
        double middle = (low + high) / 2;
        if (usd_at(estimate, (unsigned)estimate->api_count, middle) <= budget)
            high = middle;
        else
            low = middle;
    }
    sum.stretch = high;
    return sum;
}
