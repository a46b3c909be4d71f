#include "provisioner/prices/azure_meter.h"

#include "provisioner/prices/money.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define MAX_VCORES     256 /* rows of the database's compute that are kept */
#define MAX_SHOWN      64
#define FREE_EGRESS_GB 100
#define SOURCE_BYTES   96

static const char machines[] = "Virtual Machines", database[] = "Azure Database for PostgreSQL",
                  bandwidth[] = "Bandwidth", disks[] = "Standard SSD Managed Disks", dns[] = "Azure DNS";

const struct azure_service azure_services[] = {
    {machines, NULL},        {database, NULL},           {"Application Gateway", NULL},
    {"NAT Gateway", NULL},   {"Virtual Network", NULL},  {bandwidth, NULL},
    {"Storage", disks}, /* of thousands of rows */
    {"Log Analytics", NULL}, {"Key Vault", "Key Vault"}, {NULL, NULL}};

const struct azure_everywhere azure_everywhere[] = {
    {"NAT Gateway", "Global"}, {dns, ""}, {dns, "Global"}, {dns, "Zone 1"}, {NULL, NULL}};

/* The rows of a service that are one item. */
static const struct rule {
    const char *service, *product, *sku, *meter, *azure_unit, *item, *unit;
    int64_t parts;    /* of our unit in Azure's */
    const char *note; /* on its source; NULL: none */
    int64_t free;     /* what is charged for may begin behind so many of Azure's units */
} rules[] = {
    {"Application Gateway", "Application Gateway Standard v2", "Standard", "Standard Fixed Cost", "1 Hour",
     "lb", "hour", .parts = 1},
    {"Application Gateway", "Application Gateway Standard v2", "Standard", "Standard Fixed Cost", "1/Hour",
     "lb", "hour", .parts = 1},
    {"Application Gateway", "Application Gateway Standard v2", "Standard", "Standard Capacity Units",
     "1 Hour", "lb-lcu", "hour", .parts = 1},
    {"Application Gateway", "Application Gateway Standard v2", "Standard", "Standard Capacity Units",
     "1/Hour", "lb-lcu", "hour", .parts = 1},
    {"NAT Gateway", "NAT Gateway", "Standard", "Standard Gateway", "1 Hour", "nat", "hour", .parts = 1},
    {"NAT Gateway", "NAT Gateway", "Standard", "Standard Data Processed", "1 GB", "nat-data", "GB",
     .parts = 1},
    {"Virtual Network", "IP Addresses", "Standard", "Standard IPv4 Static Public IP", "1 Hour", "ipv4",
     "hour", .parts = 1},
    {database, "Az DB for PostgreSQL Flexible Server Storage", "Storage", "Storage Data Stored", "1 GB/Month",
     "db-storage", "GB-month", .parts = 1},
    {database, "Azure Database for PostgreSQL Flex Server Storage", "Storage", "Storage Data Stored",
     "1 GB/Month", "db-storage", "GB-month", .parts = 1},
    {database, "Az DB for PostgreSQL Flexible Server Backup Storage", "Backup Storage LRS",
     "Backup Storage LRS Data Stored", "1 GB/Month", "db-backup", "GB-month", .parts = 1},
    {database, "Azure Database for PostgreSQL Flexible Server Backup Storage", "Backup Storage LRS",
     "Backup Storage LRS Data Stored", "1 GB/Month", "db-backup", "GB-month", .parts = 1},
    {bandwidth, "Rtn Preference: MGN", "Standard", "Standard Inter-Region Data Transfer", "1 GB",
     "egress-region", "GB", .parts = 1},
    {"Storage", disks, "E4 LRS", "E4 LRS Disk", "1/Month", "disk", "GB-month", .parts = 32,
     .note = "; a 32nd of E4"},
    {"Log Analytics", "Log Analytics", "Analytics Logs", "Analytics Logs Data Ingestion", "1 GB", "logs",
     "GB", .parts = 1, .free = 5},
    {"Key Vault", "Key Vault", "Standard", "Operations", "10K", "secret-requests", "thousand", .parts = 10},
    {dns, "Azure DNS", "Private", "Private Zone", "1", "private-zone", "month", .parts = 1},
};

/* One row of the database's compute: `cores` of a series, 1 for the price of one vCore. */
struct azure_vcores {
    char tier, series[24]; /* 'B', 'G', 'M'; "Ddsv5", and of burstable ones the machine, "B1MS" */
    unsigned cores;
    int64_t nano_usd;
    char source[SOURCE_BYTES];
};

static bool has(struct str text, const char *part)
{
    return memmem(text.ptr, text.len, part, strlen(part)) != NULL;
}

static void source_of(const struct node *item, const char *note, char source[SOURCE_BYTES])
{
    struct str since = node_text(item, "effectiveStartDate");
    (void)snprintf(source, SOURCE_BYTES, "Azure Retail Prices; in force since %.*s%s",
                   (int)(since.len < 10 ? since.len : 10), since.ptr, note);
}

/* A reader's item, and what its source says beside the date. */
struct own {
    const char *name, *unit, *note;
};

static void put(struct azure_reader *reader, const struct node *item, const struct own *own, int64_t nano_usd)
{
    char source[SOURCE_BYTES];
    source_of(item, own->note, source);
    found_put(reader->found, (struct found_key){reader->everywhere ? "*" : reader->location, own->name},
              nano_usd, own->unit, source);
}

static void take_machine(struct azure_reader *reader, const struct node *item, int64_t nano_usd)
{
    static const char *const others[] = {"Windows",        "Spot",          "Low Priority",
                                         "Cloud Services", "CloudServices", "Dedicated"};
    struct str product = node_text(item, "productName"), sku = node_text(item, "skuName");
    const struct instance_type *type = prices_scope_type(reader->scope, node_text(item, "armSkuName"));
    if (!type || type->database || !str_equal_text(node_text(item, "unitOfMeasure"), "1 Hour") ||
        !str_starts(product, STR("Virtual Machines ")))
        return;
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (has(product, others[i]) || has(sku, others[i]) || has(node_text(item, "meterName"), others[i]))
            return;
    }
    char name[96];
    (void)snprintf(name, sizeof name, "vm:%s", type->name);
    put(reader, item, &(struct own){name, "hour", ""}, nano_usd);
}

/* --- the database's compute --- */

/* The word in front of " Series Compute". */
static bool series_of(struct str product, char series[24])
{
    static const char end[] = " Series Compute";
    if (!str_ends(product, str_from(end)))
        return false;
    size_t length = product.len - strlen(end), begin = length;
    while (begin > 0 && product.ptr[begin - 1] != ' ')
        begin--;
    if (length - begin == 0 || length - begin > 23)
        return false;
    (void)snprintf(series, 24, "%.*s", (int)(length - begin), product.ptr + begin);
    return true;
}

/* "vCore" is one, "4 vCore" are four; 0: something else. */
static unsigned cores_of(struct str sku)
{
    static const char word[] = " vCore";
    uint64_t cores = 0;
    if (str_equal_text(sku, "vCore"))
        return 1;
    if (!str_ends(sku, str_from(word)) ||
        !str_to_u64((struct str){sku.ptr, sku.len - strlen(word)}, &cores) || cores > 1024)
        return 0;
    return (unsigned)cores;
}

static void take_compute(struct azure_reader *reader, const struct node *item, int64_t nano_usd)
{
    struct str product = node_text(item, "productName"), sku = node_text(item, "skuName");
    struct azure_vcores row = {.nano_usd = nano_usd};
    if (!has(product, "Flexible Server ") || !str_equal_text(node_text(item, "unitOfMeasure"), "1 Hour") ||
        !series_of(product, row.series) || reader->vcore_count == MAX_VCORES || nano_usd <= 0)
        return;
    row.tier = (char)(has(product, " Burstable ")          ? 'B'
                      : has(product, " General Purpose ")  ? 'G'
                      : has(product, " Memory Optimized ") ? 'M'
                                                           : 0);
    row.cores = row.tier == 'B' ? 1 : cores_of(sku);
    if (row.tier == 'B')
        (void)snprintf(row.series, sizeof row.series, "%.*s", (int)(sku.len < 23 ? sku.len : 23), sku.ptr);
    else if (!str_equal_text(node_text(item, "meterName"), "vCore"))
        return;
    if (!row.tier || !row.cores)
        return;
    source_of(item, "", row.source);
    if (!reader->vcores)
        reader->vcores = xcalloc(MAX_VCORES, sizeof *reader->vcores);
    reader->vcores[reader->vcore_count++] = row;
}

/* "GP_Standard_D4ds_v5" is of tier G and series "Ddsv5"; "B_Standard_B2ms" is the machine "B2ms". */
static bool series_of_class(const char *class, char *ret_tier, char series[24])
{
    const char *machine = strstr(class, "_Standard_");
    size_t length = 0;
    if (!machine)
        return false;
    machine += strlen("_Standard_");
    *ret_tier = *class;
    for (const char *at = machine; *at && length < 23; at++) {
        if (*class == 'B' || (*at != '_' && (*at < '0' || *at > '9' || at[-1] == 'v')))
            series[length++] = *at;
    }
    series[length] = '\0';
    return true;
}

static bool is_series(const struct azure_vcores *row, char tier, const char *name)
{
    return row->tier == tier && strcasecmp(row->series, name) == 0;
}

/* Several sizes at one price: it is that of a vCore. */
static bool sold_by_vcore(const struct azure_reader *reader, const struct azure_vcores *row)
{
    for (size_t i = 0; i < reader->vcore_count; i++) {
        const struct azure_vcores *other = &reader->vcores[i];
        if (is_series(other, row->tier, row->series) && other->cores != row->cores &&
            other->nano_usd == row->nano_usd)
            return true;
    }
    return row->cores == 1;
}

static void put_class(struct azure_reader *reader, const struct instance_type *type)
{
    char tier, name[24], item[96];
    unsigned cores = (unsigned)type->vcpus;
    const struct azure_vcores *own = NULL, *each = NULL;
    if (!series_of_class(type->name, &tier, name))
        return;
    (void)snprintf(item, sizeof item, "db:%s", type->name);
    for (size_t i = 0; i < reader->vcore_count; i++) {
        const struct azure_vcores *row = &reader->vcores[i];
        if (!is_series(row, tier, name))
            continue;
        if (tier == 'B' || (row->cores == cores && !sold_by_vcore(reader, row)))
            own = row;
        else if (sold_by_vcore(reader, row))
            each = row;
        if (tier == 'B' || own == row)
            found_put(reader->found, (struct found_key){reader->location, item}, row->nano_usd, "hour",
                      row->source);
    }
    if (!own && each)
        found_put(reader->found, (struct found_key){reader->location, item}, each->nano_usd * cores, "hour",
                  each->source);
}

void azure_reader_end(struct azure_reader *reader)
{
    MAP_EACH (entry, &reader->scope->types) {
        const struct instance_type *type = entry->value;
        if (type->database && reader->vcore_count)
            put_class(reader, type);
    }
}

/* --- traffic --- */

/* The first GBs are free, and the tiers behind start some GBs later than ours (100, 10335, 51295 ...). */
static void take_bandwidth(struct azure_reader *reader, const struct node *item, int64_t nano_usd,
                           int64_t from)
{
    static const int64_t starts[] = {0, 10240, 51200, 153600};
    struct str product = node_text(item, "productName");
    if (!str_equal_text(node_text(item, "skuName"), "Standard") ||
        !str_equal_text(node_text(item, "meterName"), "Standard Data Transfer Out") ||
        !str_equal_text(node_text(item, "unitOfMeasure"), "1 GB") || from % NANO_USD ||
        !(has(product, "MGN") || has(product, "Microsoft Global Network")))
        return;
    for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
        char name[64];
        if (from / NANO_USD < starts[i] || from / NANO_USD > starts[i] + FREE_EGRESS_GB)
            continue;
        (void)snprintf(name, sizeof name, "egress-internet:%lld", (long long)starts[i]);
        put(reader, item, &(struct own){name, "GB", ""}, nano_usd);
    }
}

/* --- items and pages --- */

static bool is_row(const struct rule *rule, const struct node *item)
{
    return str_equal_text(node_text(item, "productName"), rule->product) &&
           str_equal_text(node_text(item, "skuName"), rule->sku) &&
           str_equal_text(node_text(item, "meterName"), rule->meter) &&
           str_equal_text(node_text(item, "unitOfMeasure"), rule->azure_unit);
}

/* `from` is where the row's tier begins: what is dearer or cheaper behind that is not one price. */
static void take_by_rule(struct azure_reader *reader, const struct node *item, int64_t nano_usd, int64_t from)
{
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        const struct rule *rule = &rules[i];
        /* A part finer than a nano-USD is like a price that is. */
        if (strcmp(rule->service, reader->service) == 0 && is_row(rule, item) &&
            from <= rule->free * NANO_USD && nano_usd % rule->parts == 0)
            put(reader, item, &(struct own){rule->item, rule->unit, rule->note ? rule->note : ""},
                nano_usd / rule->parts);
    }
}

static int take_item(void *ctx, const struct node *item, struct error *err)
{
    struct azure_reader *reader = ctx;
    struct str price = node_text(item, "retailPrice");
    int64_t nano_usd;
    if (!str_equal_text(node_text(item, "serviceName"), reader->service) ||
        !str_equal_text(node_text(item, "armRegionName"), reader->location) ||
        !str_equal_text(node_text(item, "type"), "Consumption") ||
        !str_equal_text(node_text(item, "currencyCode"), "USD"))
        return 0;
    if (!price.len)
        return error_set(err, ERR_PARSE, "an item without retailPrice");
    /* A price finer than a nano-USD is none that an estimate can name exactly. */
    if (!money_parse(price, &nano_usd))
        return money_is_number(price)
                   ? 0
                   : error_set(err, ERR_PARSE, "\"%.*s\" is not a price",
                               (int)(price.len > MAX_SHOWN ? MAX_SHOWN : price.len), price.ptr);
    int64_t tier = 0;
    struct str from = node_text(item, "tierMinimumUnits");
    if (from.len && !money_parse(from, &tier))
        return 0;
    if (strcmp(reader->service, bandwidth) == 0)
        take_bandwidth(reader, item, nano_usd, tier);
    if (strcmp(reader->service, machines) == 0 && !tier)
        take_machine(reader, item, nano_usd);
    if (strcmp(reader->service, database) == 0 && !tier)
        take_compute(reader, item, nano_usd);
    take_by_rule(reader, item, nano_usd, tier);
    return 0;
}

void azure_reader_init(struct azure_reader *reader, const char *service, const char *location,
                       const struct prices_scope *scope, struct found *found)
{
    *reader = (struct azure_reader){.scope = scope, .found = found, .service = service, .location = location};
    for (const struct azure_everywhere *each = azure_everywhere; each->service; each++)
        reader->everywhere = reader->everywhere || strcmp(location, each->place) == 0;
    json_items_init(&reader->items, "Items", take_item, reader);
}

void azure_reader_deinit(struct azure_reader *reader)
{
    json_items_deinit(&reader->items);
    free(reader->vcores);
}

void azure_reader_begin(struct azure_reader *reader)
{
    json_items_deinit(&reader->items);
    json_items_init(&reader->items, "Items", take_item, reader);
    reader->vcore_count = reader->vcores_before;
}

int azure_reader_feed(struct azure_reader *reader, struct str chunk, struct error *err)
{
    return json_items_feed(&reader->items, chunk, err);
}

int azure_reader_page(struct azure_reader *reader, struct error *err)
{
    const struct node *around;
    int code = json_items_end(&reader->items, &around, err);
    if (code)
        return code;
    struct str link = node_text(around, "NextPageLink");
    if (link.len >= sizeof reader->next_link)
        return error_set(err, ERR_LIMIT, "NextPageLink has %zu bytes", link.len);
    memcpy(reader->next_link, link.ptr, link.len);
    reader->next_link[link.len] = '\0';
    reader->vcores_before = reader->vcore_count;
    return 0;
}
