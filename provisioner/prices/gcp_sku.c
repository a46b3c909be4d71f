#include "provisioner/prices/gcp_sku.h"

#include <stdio.h>

#define MAX_UNITS 100000 /* nothing is sold by a unit dearer than that in USD */
#define MAX_NANOS 999999999
#define MAX_SHOWN 32

const struct gcp_service gcp_services[] = {
    {"6F81-5844-456A", "Compute Engine"}, {"9662-B51E-5089", "Cloud SQL"}, {NULL, NULL}};

/* How descriptions call the series of our catalog. */
static const struct series {
    const char *words, *name;
} series[] = {
    {"E2", "e2"},
    {"N1 Predefined", "n1"},
    {"N2", "n2"},
    {"N2D AMD", "n2d"},
    {"N4", "n4"},
    {"C3", "c3"},
    {"C4", "c4"},
    {"C4A", "c4a"},
    {"C4A Arm", "c4a"},
    {"T2A Arm", "t2a"},
    {"Compute optimized", "c2"},
};

/* A description in front of the place; `usage_unit` is the catalog's. */
static const struct rule {
    const char *words, *usage_unit, *item, *unit;
} rules[] = {
    {"Balanced PD Capacity", "GiBy.mo", "disk", "GB-month"},
    {"Cloud SQL for PostgreSQL: Zonal - vCPU", "h", "db-vcpu", "hour"},
    {"Cloud SQL for PostgreSQL: Zonal - RAM", "GiBy.h", "db-ram", "hour"},
    {"Cloud SQL for PostgreSQL: Zonal - Micro instance", "h", "db:db-f1-micro", "hour"},
    {"Cloud SQL for PostgreSQL: Regional - Micro instance", "h", "db-ha:db-f1-micro", "hour"},
    {"Cloud SQL for PostgreSQL: Zonal - Small instance", "h", "db:db-g1-small", "hour"},
    {"Cloud SQL for PostgreSQL: Regional - Small instance", "h", "db-ha:db-g1-small", "hour"},
    {"Cloud SQL for PostgreSQL: Zonal - Standard storage", "GiBy.mo", "db-storage", "GB-month"},
    {"Cloud SQL for PostgreSQL: Regional - Standard storage", "GiBy.mo", "db-storage-ha", "GB-month"},
    {"Cloud SQL: Backups", "GiBy.mo", "db-backup", "GB-month"},
};

/* Takes `words` off the front. */
static bool take(struct str *text, const char *words)
{
    struct str front = str_from(words);
    if (!str_starts(*text, front))
        return false;
    text->ptr += front.len;
    text->len -= front.len;
    return true;
}

static bool is_place(struct str rest)
{
    return rest.len == 0 || str_starts(rest, STR(" in ")) || str_starts(rest, STR(" running in "));
}

/* The rule of a machine series: "N2 Instance Core running in Americas". Some places leave "Instance" out of
 * C2's. */
static bool series_rule(struct str description, char item[64], struct rule *ret_rule)
{
    for (size_t i = 0; i < ARRAY_LEN(series); i++) {
        struct str rest = description;
        if (!take(&rest, series[i].words))
            continue;
        if (!take(&rest, " Instance") && strcmp(series[i].name, "c2") != 0)
            continue;
        bool core = take(&rest, " Core"), ram = !core && take(&rest, " Ram");
        if ((!core && !ram) || !is_place(rest))
            continue;
        (void)snprintf(item, 64, "%s:%s", core ? "vm-vcpu" : "vm-ram", series[i].name);
        *ret_rule = (struct rule){NULL, core ? "h" : "GiBy.h", item, "hour"};
        return true;
    }
    return false;
}

static bool find_rule(struct str description, char item[64], struct rule *ret_rule)
{
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        struct str rest = description;
        if (take(&rest, rules[i].words) && is_place(rest)) {
            *ret_rule = rules[i];
            return true;
        }
    }
    return series_rule(description, item, ret_rule);
}

static int clipped(struct str text)
{
    return text.len > MAX_SHOWN ? MAX_SHOWN : (int)text.len;
}

/* units and nanos, exact. */
static int rate_of(const struct node *rate, int64_t *ret_nano_usd, struct error *err)
{
    const struct node *price = node_member(rate, "unitPrice");
    struct str units = node_text(price, "units"), nanos = node_text(price, "nanos");
    uint64_t whole = 0, part = 0;
    if (!price || price->kind != NODE_MAPPING)
        return error_set(err, ERR_PARSE, "a rate has no unitPrice");
    if ((units.len && !str_to_u64(units, &whole)) || (nanos.len && !str_to_u64(nanos, &part)) ||
        whole > MAX_UNITS || part > MAX_NANOS)
        return error_set(err, ERR_PARSE, "a rate's units \"%.*s\" and nanos \"%.*s\" are no price",
                         clipped(units), units.ptr, clipped(nanos), nanos.ptr);
    *ret_nano_usd = (int64_t)(whole * (uint64_t)NANO_USD + part);
    return 0;
}

/* 0 in *ret_nano_usd: no single price. */
static int price_of(const struct node *rates, int64_t *ret_nano_usd, struct error *err)
{
    size_t paid = 0;
    *ret_nano_usd = 0;
    if (!rates || rates->kind != NODE_SEQUENCE)
        return error_set(err, ERR_PARSE, "it has no tieredRates");
    for (size_t i = 0; i < rates->count; i++) {
        int64_t nano_usd = 0;
        int code = rate_of(rates->items[i], &nano_usd, err);
        if (code)
            return code;
        if (nano_usd > 0 || i + 1 == rates->count) {
            *ret_nano_usd = nano_usd;
            paid++;
        }
    }
    if (paid != 1)
        *ret_nano_usd = 0;
    return 0;
}

static bool in_usd(const struct node *rates)
{
    for (size_t i = 0; rates && rates->kind == NODE_SEQUENCE && i < rates->count; i++) {
        if (!str_equal_text(node_text(node_member(rates->items[i], "unitPrice"), "currencyCode"), "USD"))
            return false;
    }
    return true;
}

static void put_everywhere(struct gcp_reader *reader, const struct node *regions, const struct rule *rule,
                           int64_t nano_usd, const char *source)
{
    for (size_t i = 0; i < regions->count; i++) {
        const struct node *region = regions->items[i];
        if (region->kind == NODE_SCALAR && prices_scope_has_location(reader->scope, region->scalar))
            found_put(reader->found, (struct found_key){region->scalar.ptr, rule->item}, nano_usd, rule->unit,
                      source);
    }
}

static int take_sku(void *ctx, const struct node *sku, struct error *err)
{
    struct gcp_reader *reader = ctx;
    struct rule rule;
    char item[64], source[96];
    if (!str_equal_text(node_text(node_member(sku, "category"), "usageType"), "OnDemand") ||
        !find_rule(node_text(sku, "description"), item, &rule))
        return 0;
    const struct node *infos = node_member(sku, "pricingInfo"), *regions = node_member(sku, "serviceRegions");
    if (!infos || infos->kind != NODE_SEQUENCE || !infos->count || !regions || regions->kind != NODE_SEQUENCE)
        return error_set(err, ERR_PARSE, "a SKU without pricingInfo or serviceRegions");
    /* In the order of time; without a time asked for, there is the present one alone. */
    const struct node *info = infos->items[infos->count - 1];
    const struct node *expression = node_member(info, "pricingExpression"),
                      *rates = node_member(expression, "tieredRates");
    if (!str_equal_text(node_text(expression, "usageUnit"), rule.usage_unit) || !in_usd(rates))
        return 0;
    int64_t nano_usd;
    int code = price_of(rates, &nano_usd, err);
    if (code)
        return code;
    struct str since = node_text(info, "effectiveTime");
    (void)snprintf(source, sizeof source, "Cloud Billing Catalog %.32s; in force since %.*s",
                   node_text(sku, "skuId").ptr, (int)(since.len < 10 ? since.len : 10), since.ptr);
    put_everywhere(reader, regions, &rule, nano_usd, source);
    return 0;
}

void gcp_reader_init(struct gcp_reader *reader, const struct prices_scope *scope, struct found *found)
{
    *reader = (struct gcp_reader){.scope = scope, .found = found};
    json_items_init(&reader->items, "skus", take_sku, reader);
}

void gcp_reader_deinit(struct gcp_reader *reader)
{
    json_items_deinit(&reader->items);
}

int gcp_reader_feed(struct gcp_reader *reader, struct str chunk, struct error *err)
{
    return json_items_feed(&reader->items, chunk, err);
}

int gcp_reader_end(struct gcp_reader *reader, struct error *err)
{
    const struct node *around;
    int code = json_items_end(&reader->items, &around, err);
    if (code)
        return code;
    struct str token = node_text(around, "nextPageToken");
    if (token.len >= sizeof reader->next_token)
        return error_set(err, ERR_LIMIT, "the next page's token has %zu bytes", token.len);
    memcpy(reader->next_token, token.ptr, token.len);
    reader->next_token[token.len] = '\0';
    return 0;
}
