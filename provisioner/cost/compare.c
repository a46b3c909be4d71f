/* Two estimates beside each other. */
#include "lib/core/json.h"
#include "lib/core/units.h"
#include "provisioner/cost/internal.h"

struct difference {
    const char *region, *component; /* component NULL: the region's total; region NULL too: everything */
    bool before_known, after_known; /* nothing unknown on that side */
    int64_t before, after;
};

struct comparison {
    struct difference *items;
    size_t count;
};

static const struct cost_region *find_region(const struct cost_estimate *estimate, const char *name)
{
    for (size_t i = 0; i < estimate->count; i++) {
        if (strcmp(estimate->regions[i].name, name) == 0)
            return &estimate->regions[i];
    }
    return NULL;
}

static void compare_region(struct comparison *comparison, const char *name, const struct cost_region *before,
                           const struct cost_region *after)
{
    for (const char *const *component = cost_components; *component; component++) {
        struct cost_group old = {0}, new = {0};
        bool had = before && cost_group_of(before, *component, &old);
        bool has = after && cost_group_of(after, *component, &new);
        if (had || has)
            comparison->items[comparison->count++] = (struct difference){name,
                                                                         *component,
                                                                         !old.any_unknown,
                                                                         !new.any_unknown,
                                                                         old.monthly_nano_usd,
                                                                         new.monthly_nano_usd};
    }
    comparison->items[comparison->count++] = (struct difference){name,
                                                                 NULL,
                                                                 !before || before->complete,
                                                                 !after || after->complete,
                                                                 before ? before->monthly_nano_usd : 0,
                                                                 after ? after->monthly_nano_usd : 0};
}

static struct comparison compare(const struct cost_estimate *before, const struct cost_estimate *after,
                                 struct arena *arena)
{
    size_t components = 0;
    while (cost_components[components])
        components++;
    struct comparison comparison = {
        .items = arena_zalloc(arena, ((before->count + after->count) * (components + 1) + 1) *
                                         sizeof *comparison.items)};
    for (size_t i = 0; i < after->count; i++)
        compare_region(&comparison, after->regions[i].name, find_region(before, after->regions[i].name),
                       &after->regions[i]);
    for (size_t i = 0; i < before->count; i++) {
        if (!find_region(after, before->regions[i].name))
            compare_region(&comparison, before->regions[i].name, &before->regions[i], NULL);
    }
    comparison.items[comparison.count++] = (struct difference){
        NULL, NULL, before->complete, after->complete, before->monthly_nano_usd, after->monthly_nano_usd};
    return comparison;
}

static const char *amount(bool known, int64_t nano_usd, struct arena *arena)
{
    char text[COST_TEXT_MAX];
    if (!known && nano_usd == 0)
        return "unknown";
    return arena_printf(arena, "%s%s", known ? "" : "at least ", cost_format_usd(nano_usd, text));
}

/* Where something is unknown, only the known parts can be compared, and that is said. */
static const char *change(const struct difference *difference, struct arena *arena)
{
    char text[COST_TEXT_MAX];
    bool known = difference->before_known && difference->after_known;
    int64_t more = difference->after - difference->before;
    if (!known && difference->before == 0 && difference->after == 0)
        return "unknown";
    return arena_printf(arena, "%s%s%s", known ? "" : "known part ", more > 0 ? "+" : "",
                        cost_format_usd(more, text));
}

static void write_csv_number(struct buf *out, bool known, int64_t nano_usd)
{
    char text[UNITS_TEXT_MAX];
    if (known || nano_usd)
        buf_printf(out, "%s%s", nano_usd < 0 ? "-" : "",
                   units_format_decimal((uint64_t)(nano_usd < 0 ? -nano_usd : nano_usd), 9, text));
}

/* For programs: plain numbers, empty where nothing is known; `complete`: both sides are known in full. */
static void write_csv_line(const struct difference *item, struct buf *out)
{
    cost_csv_text(out, item->region ? item->region : "TOTAL", ',');
    cost_csv_text(out, item->component ? item->component : item->region ? "subtotal" : "", ',');
    write_csv_number(out, item->before_known, item->before);
    buf_append_byte(out, ',');
    write_csv_number(out, item->after_known, item->after);
    buf_append_byte(out, ',');
    bool complete = item->before_known && item->after_known;
    write_csv_number(out, complete, item->after - item->before);
    buf_printf(out, ",%s\n", complete ? "true" : "false");
}

static void write_lines(const struct comparison *comparison, enum cost_format format, struct arena *arena,
                        struct buf *out)
{
    static const char *const heads[] = {
        [COST_TABLE] = "Difference in Monthly Costs:\n\n",
        [COST_CSV] = "region,component,before,after,change,complete\n",
        [COST_MARKDOWN] = "## Difference in monthly costs\n\n| Region | Component | Before | After | Change "
                          "|\n| --- | --- | ---: | ---: | ---: |\n"};
    buf_append_text(out, heads[format]);
    if (format == COST_TABLE)
        buf_printf(out, "%-20s %-12s %22s %22s %22s\n", "Region", "Component", "Before", "After", "Change");
    for (size_t i = 0; i < comparison->count; i++) {
        const struct difference *item = &comparison->items[i];
        if (format == COST_CSV) {
            write_csv_line(item, out);
            continue;
        }
        const char *region = item->region ? item->region : "TOTAL";
        const char *component = item->component ? item->component : item->region ? "subtotal" : "";
        const char *before = amount(item->before_known, item->before, arena),
                   *after = amount(item->after_known, item->after, arena), *more = change(item, arena);
        if (format == COST_TABLE)
            buf_printf(out, "%-20s %-12s %22s %22s %22s\n", region, component, before, after, more);
        else
            buf_printf(out, "| %s | %s | %s | %s | %s |\n", region, component, before, after, more);
    }
}

static void write_number(struct json_writer *json, const char *key, bool known, int64_t nano_usd)
{
    json_key(json, key);
    if (known)
        json_f64(json, (double)nano_usd / (double)NANO_USD);
    else
        json_null(json);
}

static void write_json(const struct comparison *comparison, struct buf *out)
{
    struct json_writer json;
    json_init(&json, out);
    json_object_begin(&json);
    json_kv_text(&json, "type", "cost-comparison");
    json_kv_text(&json, "currency", "USD");
    json_key(&json, "differences");
    json_array_begin(&json);
    for (size_t i = 0; i < comparison->count; i++) {
        const struct difference *item = &comparison->items[i];
        json_object_begin(&json);
        json_kv_text(&json, "region", item->region);
        json_kv_text(&json, "component", item->component);
        write_number(&json, "before", item->before_known, item->before);
        write_number(&json, "after", item->after_known, item->after);
        write_number(&json, "change", item->before_known && item->after_known, item->after - item->before);
        json_object_end(&json);
    }
    json_array_end(&json);
    json_object_end(&json);
}

void cost_write_comparison(const struct cost_estimate *before, const struct cost_estimate *after,
                           enum cost_format format, struct arena *arena, struct buf *out)
{
    struct comparison comparison = compare(before, after, arena);
    if (format == COST_JSON)
        write_json(&comparison, out);
    else
        write_lines(&comparison, format, arena, out);
}
