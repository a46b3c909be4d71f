#include "collector/cost_command.h"

#include "lib/core/json.h"
#include "lib/core/units.h"
#include "scrapers/cloud/cost.h"

#define HOUR_NS (3600.0 * (double)NS_PER_S)

struct totals {
    double usd, budgeted_usd;
    size_t targets;
};

static double per_month(const struct cloud_estimate_row *row)
{
    return CLOUD_MONTH_HOURS * HOUR_NS / (double)row->every_ns;
}

static unsigned api_count(const struct cloud_estimate *estimate)
{
    unsigned count = 0;
    while (cloud_estimate_api(estimate, count))
        count++;
    return count;
}

static double row_usd(const struct cloud_estimate *estimate, const struct cloud_estimate_row *row)
{
    return row->units * per_month(row) * cloud_estimate_api(estimate, row->api)->usd_per_unit;
}

/* --- text ---------------------------------------------------------------------------------------------- */

static void write_rows(const struct cloud_estimate *estimate, struct buf *out)
{
    buf_printf(out, "  %-58s %-14s %7s %9s %9s %13s %11s\n", "what", "api", "every", "resources", "series",
               "units/month", "USD/month");
    for (size_t i = 0; i < cloud_estimate_count(estimate); i++) {
        const struct cloud_estimate_row *row = cloud_estimate_row(estimate, i);
        char every[UNITS_TEXT_MAX];
        buf_printf(out, "  %-58s %-14s %7s %9llu %9llu %13.0f %11.4f\n", row->what,
                   cloud_estimate_api(estimate, row->api)->name, units_format_duration(row->every_ns, every),
                   (unsigned long long)row->resources, (unsigned long long)row->series,
                   row->units * per_month(row), row_usd(estimate, row));
    }
}

static void write_target(const struct scraper_kind *kind, const struct scraper_target *target,
                         const struct cloud_estimate *estimate, struct totals *totals, struct buf *out)
{
    unsigned apis = api_count(estimate);
    struct cloud_estimate_sum all = cloud_estimate_sum(estimate, apis);
    buf_printf(out, "%s %s, region %s\n", kind->name, target->name, target->region);
    write_rows(estimate, out);
    for (unsigned i = 0; i < apis; i++) {
        const struct cloud_api *api = cloud_estimate_api(estimate, i);
        struct cloud_estimate_sum sum = cloud_estimate_sum(estimate, i);
        if (sum.requests_per_month > 0)
            buf_printf(out, "  %s: %.0f requests, %.0f units (%s) a month, %llu free, USD %.4f\n", api->name,
                       sum.requests_per_month, sum.units_per_month, api->unit,
                       (unsigned long long)api->free_units_per_month, sum.usd_per_month);
    }
    double budget = cloud_estimate_budget_usd(estimate);
    buf_printf(out, "  together %llu series, USD %.2f a month", (unsigned long long)all.series,
               all.usd_per_month);
    if (budget > 0 && all.stretch > 1)
        buf_printf(out, "; the budget of USD %.2f makes polling %.2f times slower", budget, all.stretch);
    else if (budget > 0)
        buf_printf(out, ", within the budget of USD %.2f", budget);
    buf_append_text(out, "\n\n");
    totals->usd += all.usd_per_month;
    totals->budgeted_usd += budget > 0 && budget < all.usd_per_month ? budget : all.usd_per_month;
    totals->targets++;
}

/* --- JSON ---------------------------------------------------------------------------------------------- */

static void write_json_sums(struct json_writer *json, const struct cloud_estimate *estimate)
{
    unsigned apis = api_count(estimate);
    struct cloud_estimate_sum all = cloud_estimate_sum(estimate, apis);
    double budget = cloud_estimate_budget_usd(estimate);
    json_kv_u64(json, "series", all.series);
    json_kv_f64(json, "requests_per_month", all.requests_per_month);
    json_kv_f64(json, "usd_per_month", all.usd_per_month);
    json_key(json, "budget_usd_per_month");
    if (budget > 0)
        json_f64(json, budget);
    else
        json_null(json);
    json_kv_f64(json, "stretch", all.stretch);
    json_key(json, "apis");
    json_array_begin(json);
    for (unsigned i = 0; i < apis; i++) {
        const struct cloud_api *api = cloud_estimate_api(estimate, i);
        struct cloud_estimate_sum sum = cloud_estimate_sum(estimate, i);
        json_object_begin(json);
        json_kv_text(json, "api", api->name);
        json_kv_text(json, "unit", api->unit);
        json_kv_f64(json, "usd_per_unit", api->usd_per_unit);
        json_kv_u64(json, "free_units_per_month", api->free_units_per_month);
        json_kv_f64(json, "requests_per_month", sum.requests_per_month);
        json_kv_f64(json, "units_per_month", sum.units_per_month);
        json_kv_f64(json, "usd_per_month", sum.usd_per_month);
        json_object_end(json);
    }
    json_array_end(json);
}

static void write_json_target(struct json_writer *json, const struct scraper_kind *kind,
                              const struct scraper_target *target, const struct cloud_estimate *estimate,
                              struct totals *totals)
{
    json_object_begin(json);
    json_kv_text(json, "scraper", kind->name);
    json_kv_text(json, "name", target->name);
    json_kv_text(json, "region", target->region);
    write_json_sums(json, estimate);
    json_key(json, "rows");
    json_array_begin(json);
    for (size_t i = 0; i < cloud_estimate_count(estimate); i++) {
        const struct cloud_estimate_row *row = cloud_estimate_row(estimate, i);
        json_object_begin(json);
        json_kv_text(json, "what", row->what);
        json_kv_text(json, "api", cloud_estimate_api(estimate, row->api)->name);
        json_kv_f64(json, "every_s", (double)row->every_ns / (double)NS_PER_S);
        json_kv_u64(json, "resources", row->resources);
        json_kv_u64(json, "series", row->series);
        json_kv_f64(json, "units_per_month", row->units * per_month(row));
        json_kv_f64(json, "usd_per_month", row_usd(estimate, row));
        json_object_end(json);
    }
    json_array_end(json);
    json_object_end(json);
    totals->usd += cloud_estimate_sum(estimate, api_count(estimate)).usd_per_month;
}

/* --- all targets --------------------------------------------------------------------------------------- */

void cost_command_write(const struct config *config, bool as_json, struct buf *out)
{
    struct totals totals = {0};
    struct json_writer json;
    if (as_json) {
        json_init(&json, out);
        json_object_begin(&json);
        json_kv_text(&json, "currency", "USD");
        json_key(&json, "targets");
        json_array_begin(&json);
    }
    for (size_t k = 0; scraper_kinds[k]; k++) {
        const struct section_list *list = &config->all.scrapers[k];
        for (size_t i = 0; scraper_kinds[k]->estimate && i < list->count; i++) {
            const struct scraper_target *target = config_element(list, scraper_kinds[k]->section, i);
            struct cloud_estimate *estimate = scraper_kinds[k]->estimate(target);
            if (as_json)
                write_json_target(&json, scraper_kinds[k], target, estimate, &totals);
            else
                write_target(scraper_kinds[k], target, estimate, &totals, out);
            cloud_estimate_free(estimate);
        }
    }
    if (as_json) {
        json_array_end(&json);
        json_kv_f64(&json, "usd_per_month", totals.usd);
        json_object_end(&json);
        buf_append_byte(out, '\n');
    } else if (totals.targets == 0)
        buf_append_text(out, "No target asks a cloud's metrics API.\n");
    else
        buf_printf(
            out,
            "%zu target%s: USD %.2f a month by list price, USD %.2f with budgets. Resources that a wildcard "
            "finds are reckoned as `expected`.\n",
            totals.targets, PLURAL(totals.targets), totals.usd, totals.budgeted_usd);
}
