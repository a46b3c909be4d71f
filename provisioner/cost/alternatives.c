/* Cheaper ways to the same machines. */
#include "lib/core/json.h"
#include "lib/core/units.h"
#include "provisioner/config/zone.h"
#include "provisioner/cost/internal.h"
#include "provisioner/provider.h"

#include <math.h>
#include <stdio.h>

struct known {
    const struct instance_type *type;
    const char *area, *zone;
    struct cost_alternative found; /* its amount is an hour of one machine */
};

struct search {
    struct known *best; /* what earlier regions found */
    size_t best_count;
    struct arena *arena;
    const struct region *region;
    const struct instance_type *current;
    struct cost_alternatives *out;
    const char *zone;         /* where the region's rows must stay; NULL: anywhere */
    int64_t current_nano_usd; /* an hour; -1: unknown */
};

static bool serves(const struct search *search, const char *provider, const struct instance_type *type)
{
    const struct instance_type *current = search->current;
    bool burstable = cost_is_burstable(provider, type->name) &&
                     !cost_is_burstable(search->region->provider_name, current->name);
    return !burstable && type->vcpus >= current->vcpus && type->memory_gib >= current->memory_gib &&
           strcmp(type->architecture, current->architecture) == 0;
}

/* The cheapest type that serves in one location; *best is lowered. */
static void search_location(const struct search *search, const char *provider, const char *location,
                            struct cost_alternative *best)
{
    const struct instance_type *const *types;
    size_t count = catalog_instances(provider, false, &types);
    for (size_t i = 0; i < count; i++) {
        if (!serves(search, provider, types[i]))
            continue;
        const struct price *price = cost_machine_price(search->arena, provider, location, types[i]);
        if (!price || (best->instance_type && price->nano_usd >= best->monthly_nano_usd))
            continue;
        best->location = location;
        best->instance_type = types[i]->name;
        best->vcpus = types[i]->vcpus;
        best->memory_gib = types[i]->memory_gib;
        best->monthly_nano_usd = price->nano_usd; /* an hour, until it is taken */
    }
}

static const char *zone_of(const struct deployment *deployment, const struct region *region)
{
    const struct string_map *zones = &deployment->compliance.data_residency;
    for (size_t i = 0; i < zones->count; i++) {
        if (strcmp(zones->items[i].key, region->name) == 0)
            return zones->items[i].value;
    }
    return NULL;
}

static int64_t monthly(const struct search *search, int64_t nano_usd)
{
    return llround((double)search->region->instances * COST_HOURS * (double)nano_usd);
}

static void take(const struct search *search, struct cost_alternative best)
{
    if (!best.instance_type)
        return;
    best.region = search->region->name;
    best.current_monthly_nano_usd =
        search->current_nano_usd < 0 ? -1 : monthly(search, search->current_nano_usd);
    best.monthly_nano_usd = monthly(search, best.monthly_nano_usd);
    search->out->items[search->out->count++] = best;
}

/* Regions alike have the same best of an area: found once, as a search goes through every type of every
 * location. */
static const struct cost_alternative *known_best(const struct search *search, const struct location *own,
                                                 const char *provider)
{
    for (size_t i = 0; i < search->best_count; i++) {
        const struct known *known = &search->best[i];
        bool same_zone = known->zone == search->zone ||
                         (known->zone && search->zone && strcmp(known->zone, search->zone) == 0);
        if (same_zone && known->type == search->current && strcmp(known->area, own->area) == 0 &&
            strcmp(known->found.provider, provider) == 0)
            return &known->found;
    }
    return NULL;
}

static struct cost_alternative search_area(struct search *search, const struct location *own,
                                           const char *provider)
{
    const struct cost_alternative *known = known_best(search, own, provider);
    if (known)
        return *known;
    struct cost_alternative best = {.provider = provider};
    const struct location *const *locations;
    size_t count = catalog_locations(provider, &locations);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(locations[i]->area, own->area) == 0 &&
            (!search->zone || zone_contains(search->zone, locations[i])))
            search_location(search, provider, locations[i]->name, &best);
    }
    search->best[search->best_count++] = (struct known){search->current, own->area, search->zone, best};
    return best;
}

static void search_region(struct search *search)
{
    const struct region *region = search->region;
    const struct location *own = catalog_location(region->provider_name, region->location_name);
    struct cost_alternative here = {.provider = region->provider_name, .same_place = true};
    search_location(search, region->provider_name, region->location_name, &here);
    take(search, here);
    for (const struct provider *const *provider = provider_all(); own && *provider; provider++) {
        struct cost_alternative best = search_area(search, own, (*provider)->name);
        bool same = best.location && here.location && strcmp(best.provider, here.provider) == 0 &&
                    strcmp(best.location, here.location) == 0;
        if (!same)
            take(search, best);
    }
}

void cost_find_alternatives(const struct deployment *deployment, struct arena *arena,
                            struct cost_alternatives *ret_alternatives)
{
    size_t providers = 0, regions = deployment_region_count(deployment);
    while (provider_all()[providers])
        providers++;
    *ret_alternatives = (struct cost_alternatives){
        .items = arena_zalloc(arena, (regions * (providers + 1) + 1) * sizeof *ret_alternatives->items)};
    struct search search = {.arena = arena, .out = ret_alternatives};
    search.best = arena_zalloc(arena, (regions * providers + 1) * sizeof *search.best);
    for (size_t i = 0; i < regions; i++) {
        const struct region *region = deployment_region(deployment, i);
        search.region = region;
        search.zone = zone_of(deployment, region);
        search.current = catalog_instance(region->provider_name, region->instance_type, false);
        if (!search.current)
            continue;
        const struct price *price =
            cost_machine_price(arena, region->provider_name, region->location_name, search.current);
        search.current_nano_usd = price ? price->nano_usd : -1;
        search_region(&search);
    }
}

static void write_json(const struct cost_alternatives *alternatives, struct buf *out)
{
    struct json_writer json;
    json_init(&json, out);
    json_object_begin(&json);
    json_kv_text(&json, "type", "cost-alternatives");
    json_kv_text(&json, "currency", "USD");
    json_key(&json, "alternatives");
    json_array_begin(&json);
    for (size_t i = 0; i < alternatives->count; i++) {
        const struct cost_alternative *item = &alternatives->items[i];
        json_object_begin(&json);
        json_kv_text(&json, "region", item->region);
        json_kv_text(&json, "provider", item->provider);
        json_kv_text(&json, "location", item->location);
        json_kv_text(&json, "instance_type", item->instance_type);
        json_kv_f64(&json, "vcpus", item->vcpus);
        json_kv_f64(&json, "memory_gib", item->memory_gib);
        json_kv_f64(&json, "monthly", (double)item->monthly_nano_usd / (double)NANO_USD);
        json_key(&json, "current_monthly");
        if (item->current_monthly_nano_usd < 0)
            json_null(&json);
        else
            json_f64(&json, (double)item->current_monthly_nano_usd / (double)NANO_USD);
        json_object_end(&json);
    }
    json_array_end(&json);
    json_object_end(&json);
}

static void write_csv_line(const struct cost_alternative *item, struct buf *out)
{
    char text[UNITS_TEXT_MAX];
    cost_csv_text(out, item->region, ',');
    cost_csv_text(out, item->provider, ',');
    cost_csv_text(out, item->location, ',');
    cost_csv_text(out, item->instance_type, ',');
    buf_printf(out, "%g,%g,%s,", item->vcpus, item->memory_gib,
               units_format_decimal((uint64_t)item->monthly_nano_usd, 9, text));
    buf_printf(out, "%s\n",
               item->current_monthly_nano_usd < 0
                   ? ""
                   : units_format_decimal((uint64_t)item->current_monthly_nano_usd, 9, text));
}

static void write_markdown_line(const struct cost_alternative *item, struct buf *out)
{
    char text[COST_TEXT_MAX], old[COST_TEXT_MAX];
    cost_markdown_cell(out, item->region);
    cost_markdown_cell(out, cost_provider_title(item->provider));
    cost_markdown_cell(out, item->location);
    cost_markdown_cell(out, item->instance_type);
    buf_printf(out, "| %g | %g | %s | %s |\n", item->vcpus, item->memory_gib,
               cost_format_usd(item->monthly_nano_usd, text),
               item->current_monthly_nano_usd < 0 ? "unknown"
                                                  : cost_format_usd(item->current_monthly_nano_usd, old));
}

/* "17 % less"; nothing where the present price is unknown. */
static const char *saving(const struct cost_alternative *item, char text[COST_TEXT_MAX])
{
    if (item->current_monthly_nano_usd <= 0)
        return "";
    double percent = 100.0 * ((double)item->monthly_nano_usd / (double)item->current_monthly_nano_usd - 1);
    if (fabs(percent) < 0.5)
        return ", as now";
    (void)snprintf(text, COST_TEXT_MAX, ", %.0f %% %s", fabs(percent), percent < 0 ? "less" : "more");
    return text;
}

/* A heading a region, then what could stand there. */
static void write_table_line(const struct cost_alternative *item, bool first, struct buf *out)
{
    char text[COST_TEXT_MAX], old[COST_TEXT_MAX], percent[COST_TEXT_MAX];
    if (first)
        buf_printf(out, "  %s, now %s:\n", item->region,
                   item->current_monthly_nano_usd < 0 ? "unknown"
                                                      : cost_format_usd(item->current_monthly_nano_usd, old));
    buf_printf(out, "    %-5s %-20s %-16s %4g vCPU %5g GiB %12s%s%s\n", cost_provider_title(item->provider),
               item->instance_type, item->location, item->vcpus, item->memory_gib,
               cost_format_usd(item->monthly_nano_usd, text), saving(item, percent),
               item->same_place ? ", in the same place" : "");
}

void cost_write_alternatives(const struct cost_alternatives *alternatives, enum cost_format format,
                             struct buf *out)
{
    if (format == COST_JSON) {
        write_json(alternatives, out);
        return;
    }
    if (format == COST_CSV)
        buf_append_text(out, "region,provider,location,instance_type,vcpus,memory_gib,monthly,current\n");
    else if (format == COST_MARKDOWN)
        buf_append_text(out, "## Cheapest equivalents\n\n| Region | Provider | Location | Type | vCPU | GiB "
                             "| A month | Now |\n| --- | --- | --- | --- | ---: | ---: | ---: | ---: |\n");
    else
        buf_append_text(out, "Cheapest equivalents with a known price (compute alone):\n");
    for (size_t i = 0; i < alternatives->count; i++) {
        const struct cost_alternative *item = &alternatives->items[i];
        if (format == COST_CSV)
            write_csv_line(item, out);
        else if (format == COST_MARKDOWN)
            write_markdown_line(item, out);
        else
            write_table_line(item, i == 0 || strcmp(item->region, item[-1].region) != 0, out);
    }
}
