#include "provisioner/cost/internal.h"
#include "provisioner/provider.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#define MAX_NANO_USD (INT64_MAX / 4096) /* so that sums over every item stay within 64 bits */

/* Room for one more element of an array in the arena. */
static void *grow(struct arena *arena, void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return items;
    *capacity = *capacity ? 2 * *capacity : 16;
    void *larger = arena_zalloc(arena, *capacity * size);
    if (count)
        memcpy(larger, items, count * size);
    return larger;
}

static char *format_text(struct arena *arena, const char *format, va_list args) PRINTF_LIKE(2, 0);
static char *format_text(struct arena *arena, const char *format, va_list args)
{
    char text[512];
    (void)vsnprintf(text, sizeof text, format, args);
    return arena_strdup(arena, str_from(text));
}

void cost_add(struct builder *builder, const char *component, const char *label, double quantity,
              const char *unit, const struct price *price, const char *format, ...)
{
    struct cost_region *out = builder->out;
    va_list args;
    va_start(args, format);
    const char *description = format_text(builder->arena, format, args);
    va_end(args);
    double amount = price ? quantity * (double)price->nano_usd : 0;
    out->items = grow(builder->arena, out->items, out->count, &builder->capacity, sizeof *out->items);
    out->items[out->count++] = (struct cost_item){
        .component = component,
        .label = label,
        .description = description,
        .quantity = quantity,
        .unit = price ? price->unit : unit,
        .price = price,
        .monthly_nano_usd = amount < (double)MAX_NANO_USD ? llround(amount) : MAX_NANO_USD};
}

void cost_note(struct builder *builder, const char *format, ...)
{
    struct string_list *notes = &builder->out->notes;
    va_list args;
    va_start(args, format);
    const char *text = format_text(builder->arena, format, args);
    va_end(args);
    notes->items =
        grow(builder->arena, notes->items, notes->count, &builder->note_capacity, sizeof *notes->items);
    notes->items[notes->count++] = text;
}

static void sum_up(struct cost_estimate *estimate)
{
    estimate->monthly_nano_usd = 0;
    estimate->complete = true;
    estimate->oldest_date = estimate->newest_date = NULL;
    for (size_t i = 0; i < estimate->count; i++) {
        struct cost_region *region = &estimate->regions[i];
        region->monthly_nano_usd = 0;
        region->complete = true;
        for (size_t j = 0; j < region->count; j++) {
            const struct price *price = region->items[j].price;
            region->monthly_nano_usd += region->items[j].monthly_nano_usd;
            region->complete = region->complete && price;
            if (price && (!estimate->oldest_date || strcmp(price->date, estimate->oldest_date) < 0))
                estimate->oldest_date = price->date;
            if (price && (!estimate->newest_date || strcmp(price->date, estimate->newest_date) > 0))
                estimate->newest_date = price->date;
        }
        estimate->monthly_nano_usd += region->monthly_nano_usd;
        estimate->complete = estimate->complete && region->complete;
    }
}

static void estimate_region(const struct deployment *deployment, const struct region *region,
                            const struct cost_usage *usage, struct arena *arena, struct cost_region *out)
{
    *out = (struct cost_region){
        .name = region->name, .provider = region->provider_name, .location = region->location_name};
    struct builder builder = {.arena = arena,
                              .deployment = deployment,
                              .region = region,
                              .usage = cost_usage_of(usage, region->name),
                              .out = out};
    if (region->provider->own_hosts) {
        cost_add_own_host(&builder);
        return;
    }
    cost_add_compute(&builder);
    cost_add_database(&builder);
    cost_add_network(&builder);
    cost_add_traffic(&builder);
    cost_add_operation(&builder);
}

static void state_assumptions(const struct cost_usage *usage, struct arena *arena,
                              struct cost_estimate *estimate)
{
    static const char *const fixed[] = {
        "730 hours a month, every instance running all of them, list prices on demand",
        "no free allowances, no reservations, no taxes; autoscaling above `instances` is extra",
        "one NAT gateway a region",
        "backups as large as the database's disk, where a cloud charges from the first byte",
    };
    const char **items = arena_zalloc(arena, (ARRAY_LEN(fixed) + 2) * sizeof *items);
    size_t count = 0;
    for (; count < ARRAY_LEN(fixed); count++)
        items[count] = fixed[count];
    items[count++] = arena_printf(
        arena,
        "a month and region%s: %g GB to the internet, %g GB through the load balancer, %g GB "
        "through NAT, %g GB of logs, %g GB of backups over what is free",
        usage->regions.count ? " that --usage does not name" : "",
        (double)usage->internet_egress_bytes / COST_BYTES_PER_GB,
        (double)usage->load_balancer_bytes / COST_BYTES_PER_GB, (double)usage->nat_bytes / COST_BYTES_PER_GB,
        (double)usage->log_bytes / COST_BYTES_PER_GB, (double)usage->backup_bytes / COST_BYTES_PER_GB);
    items[count++] = arena_printf(arena, "%g kB/s of write-ahead log in each region that writes",
                                  (double)usage->write_bytes_per_s / 1e3);
    estimate->assumptions = (struct string_list){count, items};
}

int cost_estimate(const struct deployment *deployment, const struct cost_usage *usage, struct arena *arena,
                  struct cost_estimate *ret_estimate, struct error *err)
{
    size_t count = deployment_region_count(deployment);
    if (count == 0)
        return error_set(err, ERR_CONFIG, "the deployment has no region, so there is nothing to price");
    *ret_estimate = (struct cost_estimate){
        .regions = arena_zalloc(arena, (count + 1) * sizeof *ret_estimate->regions), .count = count};
    for (size_t i = 0; i < count; i++)
        estimate_region(deployment, deployment_region(deployment, i), usage, arena,
                        &ret_estimate->regions[i]);
    struct builder builder = {
        .arena = arena, .deployment = deployment, .usage = usage, .out = &ret_estimate->regions[count]};
    *builder.out = (struct cost_region){.name = "global", .provider = "", .location = ""};
    cost_add_global(&builder);
    if (builder.out->count)
        ret_estimate->count++;
    state_assumptions(usage, arena, ret_estimate);
    sum_up(ret_estimate);
    return 0;
}

void cost_estimate_restrict(struct cost_estimate *estimate, const struct string_list *names)
{
    size_t kept = 0;
    for (size_t i = 0; i < estimate->count; i++) {
        for (size_t j = 0; j < names->count; j++) {
            if (strcmp(names->items[j], estimate->regions[i].name) != 0)
                continue;
            estimate->regions[kept++] = estimate->regions[i];
            break;
        }
    }
    estimate->count = kept;
    sum_up(estimate);
}
