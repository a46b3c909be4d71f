#include "provisioner/prices/gcp_sku.h"

#include "provisioner/prices/money.h"

#include <stdio.h>

#define MAX_UNITS 100000 /* nothing is sold by a unit dearer than that in USD */
#define MAX_NANOS 999999999
#define MAX_SHOWN 32
#define FREE_GIB  1 /* at most, of a month's traffic to the internet */

const struct gcp_service gcp_services[] = {{"6F81-5844-456A", "Compute Engine"},
                                           {"9662-B51E-5089", "Cloud SQL"},
                                           {"E505-1604-58F8", "Networking"},
                                           {"5490-F7B7-8DF6", "Cloud Logging"},
                                           {"58CD-E7C3-72CA", "Cloud Monitoring"},
                                           {"EE82-7A5E-871C", "Secret Manager"},
                                           {NULL, NULL}};

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
    bool dearest;
    int64_t times; /* the catalog's unit in ours */
} rules[] = {
    {"Balanced PD Capacity", "GiBy.mo", "disk", "GB-month", .times = 1},
    {"Cloud SQL for PostgreSQL: Zonal - vCPU", "h", "db-vcpu", "hour", .times = 1},
    {"Cloud SQL for PostgreSQL: Zonal - RAM", "GiBy.h", "db-ram", "hour", .times = 1},
    {"Cloud SQL for PostgreSQL: Zonal - Micro instance", "h", "db:db-f1-micro", "hour", .times = 1},
    {"Cloud SQL for PostgreSQL: Regional - Micro instance", "h", "db-ha:db-f1-micro", "hour", .times = 1},
    {"Cloud SQL for PostgreSQL: Zonal - Small instance", "h", "db:db-g1-small", "hour", .times = 1},
    {"Cloud SQL for PostgreSQL: Regional - Small instance", "h", "db-ha:db-g1-small", "hour", .times = 1},
    {"Cloud SQL for PostgreSQL: Zonal - Standard storage", "GiBy.mo", "db-storage", "GB-month", .times = 1},
    {"Cloud SQL for PostgreSQL: Regional - Standard storage", "GiBy.mo", "db-storage-ha", "GB-month",
     .times = 1},
    {"Cloud SQL: Backups", "GiBy.mo", "db-backup", "GB-month", .times = 1},
    {"External IP Charge on a Standard VM", "h", "ipv4", "hour", .times = 1},
    {"Cloud Load Balancer Forwarding Rule Minimum Global", "h", "lb", "hour", .times = 1},
    {"Global External Application Load Balancer Inbound Data Processing", "GiBy", "lb-data", "GB",
     .dearest = true, .times = 1},
    {"Global External Application Load Balancer Outbound Data Processing", "GiBy", "lb-data", "GB",
     .dearest = true, .times = 1},
    {"Networking Cloud Nat Gateway Uptime", "h", "nat", "hour", .times = 1},
    {"Networking Cloud Nat Data Processing", "GiBy", "nat-data", "GB", .times = 1},
    {"Log Storage cost", "GiBy", "logs", "GB", .times = 1},
    {"Monitoring API Requests", "count", "metrics-api", "thousand", .times = 1000},
    {"Secret version replica storage", "mo", "secret", "month", .times = 1},
};

/* Where traffic to the internet goes, as seen from our areas. */
static const struct destination {
    const char *words, *area;
} destinations[] = {
    {"Americas", "north-america"},
    {"North America", "north-america"},
    {"Americas", "south-america"},
    {"South America", "south-america"},
    {"EMEA", "europe"},
    {"Europe", "europe"},
    {"Western Europe", "europe"},
    {"APAC", "asia-pacific"},
    {"Apac(Excluding Korea and Indonesia)", "asia-pacific"},
    {"EMEA", "middle-east"},
    {"Middle East", "middle-east"},
    {"EMEA", "africa"},
    {"Africa", "africa"},
};

/* How descriptions call Google's regions, some of them together ("EMEA"), by our areas. */
static const struct destination regions[] = {
    {"Americas", "north-america"},
    {"Los Angeles", "north-america"},
    {"Salt Lake City", "north-america"},
    {"Las Vegas", "north-america"},
    {"Virginia", "north-america"},
    {"Columbus", "north-america"},
    {"Dallas", "north-america"},
    {"Phoenix", "north-america"},
    {"Montreal", "north-america"},
    {"Toronto", "north-america"},
    {"Mexico", "north-america"},
    {"Sao Paulo", "south-america"},
    {"Santiago", "south-america"},
    {"EMEA", "europe"},
    {"London", "europe"},
    {"Frankfurt", "europe"},
    {"Netherlands", "europe"},
    {"Zurich", "europe"},
    {"Milan", "europe"},
    {"Paris", "europe"},
    {"Berlin", "europe"},
    {"Turin", "europe"},
    {"Warsaw", "europe"},
    {"Finland", "europe"},
    {"Stockholm", "europe"},
    {"Madrid", "europe"},
    {"APAC", "asia-pacific"},
    {"Hong Kong", "asia-pacific"},
    {"Japan", "asia-pacific"},
    {"Osaka", "asia-pacific"},
    {"Seoul", "asia-pacific"},
    {"Mumbai", "asia-pacific"},
    {"Delhi", "asia-pacific"},
    {"Singapore", "asia-pacific"},
    {"Jakarta", "asia-pacific"},
    {"Sydney", "asia-pacific"},
    {"Melbourne", "asia-pacific"},
    {"Tel Aviv", "middle-east"},
    {"Israel", "middle-east"},
    {"Doha", "middle-east"},
    {"Dammam", "middle-east"},
    {"Johannesburg", "africa"},
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
    return rest.len == 0 || str_starts(rest, STR(" in ")) || str_starts(rest, STR(" running in ")) ||
           str_starts(rest, STR(" for "));
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
        *ret_rule =
            (struct rule){.usage_unit = core ? "h" : "GiBy.h", .item = item, .unit = "hour", .times = 1};
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

/* What is said of a SKU beside its description. */
struct sku {
    const struct node *regions, *rates;
    struct str usage_unit;
    char source[112];
};

static void put_at(struct gcp_reader *reader, const char *location, const struct rule *rule, int64_t nano_usd,
                   const char *source)
{
    const struct found_key key = {location, rule->item};
    if (rule->dearest)
        found_put_dearest(reader->found, key, nano_usd, rule->unit, source);
    else
        found_put(reader->found, key, nano_usd, rule->unit, source);
}

static void put_everywhere(struct gcp_reader *reader, const struct sku *sku, const struct rule *rule,
                           int64_t nano_usd)
{
    for (size_t i = 0; i < sku->regions->count; i++) {
        const struct node *region = sku->regions->items[i];
        if (region->kind != NODE_SCALAR)
            continue;
        if (str_equal_text(region->scalar, "global"))
            put_at(reader, "*", rule, nano_usd, sku->source);
        else if (prices_scope_has_location(reader->scope, region->scalar))
            put_at(reader, region->scalar.ptr, rule, nano_usd, sku->source);
    }
}

/* --- traffic --- */

static bool leads_to(const struct destination *list, size_t count, struct str words, const char *area)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal_text(words, list[i].words) && strcmp(area, list[i].area) == 0)
            return true;
    }
    return false;
}

/* "Frankfurt to Western Europe": what is behind the word. */
static bool find_destination(struct str rest, struct str *ret_words)
{
    const char *at = memmem(rest.ptr, rest.len, " to ", 4);
    if (at)
        *ret_words = (struct str){at + 4, (size_t)(rest.ptr + rest.len - at - 4)};
    return at;
}

static int put_tier(struct gcp_reader *reader, const char *location, const struct node *rate,
                    const char *source, struct error *err)
{
    static const int64_t starts[] = {0, 1024, 10240, 51200, 153600};
    int64_t from = 0, nano_usd = 0;
    struct str start = node_text(rate, "startUsageAmount");
    int code = rate_of(rate, &nano_usd, err);
    if (code || (start.len && !money_parse(start, &from)) || from % NANO_USD)
        return code;
    for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
        char item[64];
        (void)snprintf(item, sizeof item, "egress-internet:%lld", (long long)starts[i]);
        if (from / NANO_USD >= starts[i] && from / NANO_USD <= starts[i] + FREE_GIB)
            found_put_dearest(reader->found, (struct found_key){location, item}, nano_usd, "GB", source);
    }
    return 0;
}

/* A location's own part of the world is that of its area. */
static int take_internet(struct gcp_reader *reader, const struct sku *sku, struct str words,
                         struct error *err)
{
    int code = 0;
    for (size_t i = 0; i < sku->regions->count; i++) {
        const struct node *region = sku->regions->items[i];
        const struct location *location =
            region->kind == NODE_SCALAR && prices_scope_has_location(reader->scope, region->scalar)
                ? catalog_location("gcp", region->scalar.ptr)
                : NULL;
        if (!location || !leads_to(destinations, ARRAY_LEN(destinations), words, location->area))
            continue;
        for (size_t j = 0; j < sku->rates->count && !code; j++)
            code = put_tier(reader, location->name, sku->rates->items[j], sku->source, err);
    }
    return code;
}

static int take_region(struct gcp_reader *reader, const struct sku *sku, struct str words, struct error *err)
{
    char item[64];
    int64_t nano_usd;
    struct rule rule = {.item = "egress-region", .unit = "GB", .dearest = true};
    int code = price_of(sku->rates, &nano_usd, err);
    if (code)
        return code;
    for (size_t i = 0; i < ARRAY_LEN(regions); i++) {
        if (!str_equal_text(words, regions[i].words))
            continue;
        put_everywhere(reader, sku, &rule, nano_usd);
        (void)snprintf(item, sizeof item, "egress-region:%s", regions[i].area);
        rule.item = item;
        put_everywhere(reader, sku, &rule, nano_usd);
        break;
    }
    return 0;
}

/* --- SKUs --- */

static int take_price(struct gcp_reader *reader, const struct sku *sku, const struct rule *rule,
                      struct error *err)
{
    int64_t nano_usd;
    int code = price_of(sku->rates, &nano_usd, err);
    if (!code && nano_usd <= MAX_UNITS * NANO_USD / rule->times)
        put_everywhere(reader, sku, rule, nano_usd * rule->times);
    return code;
}

/* Where it comes from, and what it says beside: ERR_PARSE when that is not there. */
static int read_sku(const struct node *sku, bool dearest, struct sku *ret_sku, struct error *err)
{
    const struct node *infos = node_member(sku, "pricingInfo");
    ret_sku->regions = node_member(sku, "serviceRegions");
    if (!infos || infos->kind != NODE_SEQUENCE || !infos->count || !ret_sku->regions ||
        ret_sku->regions->kind != NODE_SEQUENCE)
        return error_set(err, ERR_PARSE, "a SKU without pricingInfo or serviceRegions");
    /* In the order of time; without a time asked for, there is the present one alone. */
    const struct node *info = infos->items[infos->count - 1];
    const struct node *expression = node_member(info, "pricingExpression");
    ret_sku->rates = node_member(expression, "tieredRates");
    ret_sku->usage_unit = node_text(expression, "usageUnit");
    struct str since = node_text(info, "effectiveTime");
    (void)snprintf(ret_sku->source, sizeof ret_sku->source,
                   "Cloud Billing Catalog %.32s; in force since %.*s%s", node_text(sku, "skuId").ptr,
                   (int)(since.len < 10 ? since.len : 10), since.ptr, dearest ? "; dearest" : "");
    return 0;
}

static int take_sku(void *ctx, const struct node *node, struct error *err)
{
    static const char internet[] = "Network Internet Data Transfer Out from ",
                      between[] = "Network Inter Region Data Transfer Out from ";
    struct gcp_reader *reader = ctx;
    struct rule rule = {.usage_unit = "GiBy", .dearest = true};
    struct str rest = node_text(node, "description"), words = {0};
    struct sku sku = {0};
    char item[64];
    if (!str_equal_text(node_text(node_member(node, "category"), "usageType"), "OnDemand"))
        return 0;
    bool out = take(&rest, internet), traffic = out || take(&rest, between);
    if (traffic ? !find_destination(rest, &words) : !find_rule(rest, item, &rule))
        return 0;
    int code = read_sku(node, rule.dearest, &sku, err);
    if (code || !str_equal_text(sku.usage_unit, rule.usage_unit) || !in_usd(sku.rates))
        return code;
    if (!traffic)
        return take_price(reader, &sku, &rule, err);
    if (!sku.rates || sku.rates->kind != NODE_SEQUENCE)
        return error_set(err, ERR_PARSE, "it has no tieredRates");
    return out ? take_internet(reader, &sku, words, err) : take_region(reader, &sku, words, err);
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
