/* The estimate for other programs and for a pull request. */
#include "lib/core/json.h"
#include "lib/core/units.h"
#include "provisioner/cost/internal.h"

static double usd(int64_t nano_usd)
{
    return (double)nano_usd / (double)NANO_USD;
}

static void write_json_item(struct json_writer *json, const struct cost_item *item)
{
    json_object_begin(json);
    json_kv_text(json, "component", item->component);
    json_kv_text(json, "description", item->description);
    json_kv_f64(json, "quantity", item->quantity);
    json_kv_text(json, "unit", item->unit);
    json_key(json, "unit_price");
    if (item->price)
        json_f64(json, usd(item->price->nano_usd));
    else
        json_null(json);
    json_key(json, "monthly");
    if (item->price)
        json_f64(json, usd(item->monthly_nano_usd));
    else
        json_null(json);
    json_kv_text(json, "source", item->price ? item->price->source : NULL);
    json_kv_text(json, "date", item->price ? item->price->date : NULL);
    json_object_end(json);
}

static void write_json_texts(struct json_writer *json, const char *key, const struct string_list *texts)
{
    json_key(json, key);
    json_array_begin(json);
    for (size_t i = 0; i < texts->count; i++)
        json_text(json, texts->items[i]);
    json_array_end(json);
}

static void write_json_region(struct json_writer *json, const struct cost_region *region)
{
    json_object_begin(json);
    json_kv_text(json, "name", region->name);
    json_kv_text(json, "provider", region->provider);
    json_kv_text(json, "location", region->location);
    json_kv_f64(json, "monthly", usd(region->monthly_nano_usd));
    json_kv_bool(json, "complete", region->complete);
    json_key(json, "components");
    json_array_begin(json);
    for (size_t i = 0; i < region->count; i++)
        write_json_item(json, &region->items[i]);
    json_array_end(json);
    write_json_texts(json, "notes", &region->notes);
    json_object_end(json);
}

void cost_write_json(const struct cost_estimate *estimate, struct buf *out)
{
    struct json_writer json;
    json_init(&json, out);
    json_object_begin(&json);
    json_kv_text(&json, "type", "cost");
    json_kv_text(&json, "currency", "USD");
    json_kv_bool(&json, "complete", estimate->complete);
    json_kv_f64(&json, "monthly", usd(estimate->monthly_nano_usd));
    json_key(&json, "regions");
    json_array_begin(&json);
    for (size_t i = 0; i < estimate->count; i++)
        write_json_region(&json, &estimate->regions[i]);
    json_array_end(&json);
    write_json_texts(&json, "assumptions", &estimate->assumptions);
    json_object_end(&json);
}

void cost_csv_text(struct buf *out, const char *text, char end)
{
    buf_append_byte(out, '"');
    if (*text && strchr("=+-@\t\r", *text))
        buf_append_byte(out, '\'');
    for (; *text; text++) {
        if (*text == '"')
            buf_append_byte(out, '"');
        buf_append_byte(out, *text);
    }
    buf_append_byte(out, '"');
    buf_append_byte(out, end);
}

static void write_csv_item(const struct cost_region *region, const struct cost_item *item, struct buf *out)
{
    char text[UNITS_TEXT_MAX];
    cost_csv_text(out, region->name, ',');
    cost_csv_text(out, region->provider, ',');
    cost_csv_text(out, region->location, ',');
    cost_csv_text(out, item->component, ',');
    cost_csv_text(out, item->description, ',');
    buf_printf(out, "%.10g,", item->quantity);
    cost_csv_text(out, item->unit, ',');
    if (!item->price) {
        buf_append_text(out, ",,\"unknown\",\n");
        return;
    }
    buf_printf(out, "%s,", units_format_decimal((uint64_t)item->price->nano_usd, 9, text));
    buf_printf(out, "%s,", units_format_decimal((uint64_t)item->monthly_nano_usd, 9, text));
    cost_csv_text(out, item->price->source, ',');
    buf_printf(out, "%s\n", item->price->date);
}

void cost_write_csv(const struct cost_estimate *estimate, struct buf *out)
{
    buf_append_text(out, "region,provider,location,component,description,quantity,unit,unit_price_usd,"
                         "monthly_usd,source,date\n");
    for (size_t i = 0; i < estimate->count; i++) {
        for (size_t j = 0; j < estimate->regions[i].count; j++)
            write_csv_item(&estimate->regions[i], &estimate->regions[i].items[j], out);
    }
}

void cost_markdown_cell(struct buf *out, const char *text)
{
    buf_append_text(out, "| ");
    for (; *text; text++) {
        if (strchr("|\\`*_<>[]", *text))
            buf_append_byte(out, '\\');
        buf_append_byte(out, *text);
    }
    buf_append_byte(out, ' ');
}

static void write_markdown_item(const struct cost_region *region, const struct cost_item *item,
                                struct buf *out)
{
    char text[COST_TEXT_MAX], price[UNITS_TEXT_MAX];
    cost_markdown_cell(out, region->name);
    cost_markdown_cell(out, item->component);
    cost_markdown_cell(out, item->description);
    buf_printf(out, "| %.10g ", item->quantity);
    cost_markdown_cell(out, item->unit);
    if (!item->price) {
        buf_append_text(out, "| unknown | unknown | | |\n");
        return;
    }
    buf_printf(out, "| %s | %s ", units_format_decimal((uint64_t)item->price->nano_usd, 9, price),
               cost_format_usd(item->monthly_nano_usd, text));
    cost_markdown_cell(out, item->price->source);
    cost_markdown_cell(out, item->price->date);
    buf_append_text(out, "|\n");
}

void cost_write_markdown(const struct cost_estimate *estimate, struct buf *out)
{
    char text[COST_TEXT_MAX];
    buf_append_text(out, "## Estimated monthly costs\n\n| Region | Provider | Location | A month |\n"
                         "| --- | --- | --- | ---: |\n");
    for (size_t i = 0; i < estimate->count; i++) {
        const struct cost_region *region = &estimate->regions[i];
        cost_markdown_cell(out, region->name);
        cost_markdown_cell(out, region->provider[0] ? cost_provider_title(region->provider) : "all");
        cost_markdown_cell(out, region->location);
        buf_printf(out, "| %s%s |\n", region->complete ? "" : "at least ",
                   cost_format_usd(region->monthly_nano_usd, text));
    }
    buf_printf(out, "| **Total** | | | **%s%s** |\n\n", estimate->complete ? "" : "at least ",
               cost_format_usd(estimate->monthly_nano_usd, text));
    buf_append_text(out, "You pay cloud providers directly, no FraiseQL markup.\n\n<details><summary>Every "
                         "line</summary>\n\n| Region | Component | What | Quantity | Unit | USD a unit | A "
                         "month | Source | Date |\n| --- | --- | --- | ---: | --- | ---: | ---: | --- | --- "
                         "|\n");
    for (size_t i = 0; i < estimate->count; i++) {
        for (size_t j = 0; j < estimate->regions[i].count; j++)
            write_markdown_item(&estimate->regions[i], &estimate->regions[i].items[j], out);
    }
    buf_append_text(out, "\n</details>\n\nAssumed:\n\n");
    for (size_t i = 0; i < estimate->assumptions.count; i++)
        buf_printf(out, "- %s\n", estimate->assumptions.items[i]);
    for (size_t i = 0; i < estimate->count; i++) {
        for (size_t j = 0; j < estimate->regions[i].notes.count; j++)
            buf_printf(out, "- %s: %s\n", estimate->regions[i].name, estimate->regions[i].notes.items[j]);
    }
}
