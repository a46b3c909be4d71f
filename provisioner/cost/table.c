/* The mission's layout. */
#include "provisioner/cost/internal.h"

#define RULE_SHORT "──────────────"
#define RULE_LONG  "────────────────────"

/* Labels of a component's items, each once: "load balancer, NAT, addresses". */
static void write_labels(const struct cost_region *region, const char *component, struct buf *out)
{
    const char *separator = " (";
    for (size_t i = 0; i < region->count; i++) {
        const struct cost_item *item = &region->items[i];
        bool seen = strcmp(item->component, component) != 0;
        for (size_t j = 0; j < i && !seen; j++)
            seen = strcmp(region->items[j].component, component) == 0 &&
                   strcmp(region->items[j].label, item->label) == 0;
        if (seen)
            continue;
        buf_printf(out, "%s%s", separator, item->label);
        separator = ", ";
    }
    buf_append_byte(out, ')');
}

static void write_unknown(const struct cost_region *region, struct buf *out)
{
    for (size_t i = 0; i < region->count; i++) {
        if (!region->items[i].price)
            buf_printf(out, "  Unknown: %s (%g %s%s)\n", region->items[i].description,
                       region->items[i].quantity, region->items[i].unit,
                       strcmp(region->items[i].unit, "hour") == 0 ? "s" : "");
    }
}

static void write_region(const struct cost_region *region, struct buf *out)
{
    char text[COST_TEXT_MAX];
    if (region->provider[0])
        buf_printf(out, "%s (%s):\n", cost_provider_title(region->provider), region->name);
    else
        buf_append_text(out, "All regions:\n");
    for (const char *const *component = cost_components; *component; component++) {
        struct cost_group group;
        if (!cost_group_of(region, *component, &group))
            continue;
        buf_printf(out, "  %s", cost_component_title(*component));
        write_labels(region, *component, out);
        if (!group.any_known)
            buf_append_text(out, ": unknown\n");
        else
            buf_printf(out, ": %s%s%s\n", group.any_unknown ? "at least " : "",
                       cost_format_usd(group.monthly_nano_usd, text), group.unverified ? " *" : "");
    }
    buf_printf(out, "  " RULE_SHORT "\n  Subtotal: %s%s\n", region->complete ? "" : "at least ",
               cost_format_usd(region->monthly_nano_usd, text));
    write_unknown(region, out);
    for (size_t i = 0; i < region->notes.count; i++)
        buf_printf(out, "  Note: %s\n", region->notes.items[i]);
    buf_append_byte(out, '\n');
}

static bool any_unverified(const struct cost_estimate *estimate)
{
    struct cost_group group = {0};
    for (size_t i = 0; i < estimate->count; i++) {
        for (const char *const *component = cost_components; *component; component++) {
            if (cost_group_of(&estimate->regions[i], *component, &group) && group.unverified)
                return true;
        }
    }
    return false;
}

void cost_write_table(const struct cost_estimate *estimate, struct buf *out)
{
    char text[COST_TEXT_MAX];
    buf_append_text(out, "Estimated Monthly Costs:\n\n");
    for (size_t i = 0; i < estimate->count; i++)
        write_region(&estimate->regions[i], out);
    buf_printf(out, RULE_LONG "\nTOTAL: %s%s/month\n\n", estimate->complete ? "" : "at least ",
               cost_format_usd(estimate->monthly_nano_usd, text));
    buf_append_text(out, "(You pay cloud providers directly, no FraiseQL markup)\n\n");
    if (any_unverified(estimate))
        buf_append_text(out, "* with a price that was written down from memory and is not verified\n\n");
    if (!estimate->complete)
        buf_append_text(out, "What is unknown is in no sum; --price-file FILE says what you pay for it.\n\n");
    buf_append_text(out, "Assumed:\n");
    for (size_t i = 0; i < estimate->assumptions.count; i++)
        buf_printf(out, "  - %s\n", estimate->assumptions.items[i]);
    if (estimate->oldest_date)
        buf_printf(out, "Prices are dated %s to %s; `--format csv` shows each with its source.\n",
                   estimate->oldest_date, estimate->newest_date);
}
