#include "provisioner/prices/aws_offer.h"

#include "provisioner/prices/money.h"

#include <stdio.h>

#define MAX_SHOWN    64
#define MAX_NANO_USD (INT64_C(100000) * NANO_USD) /* nothing is sold by a unit dearer than that */
#define ROUTE53      "AmazonRoute53"

const char *const aws_offers[] = {"AmazonEC2",         "AmazonRDS",       "AWSELB",
                                  "AmazonVPC",         "AWSDataTransfer", "AmazonCloudWatch",
                                  "AWSSecretsManager", "awskms",          NULL};
const char *const aws_global_offers[] = {"AmazonRoute53", NULL};

/* What a field of a row must be. A field that the file does not have matches none. */
struct condition {
    enum aws_column column;
    const char *value;
};

#define MAX_CONDITIONS 4

/* Rows of one usage type that are one item. */
static const struct rule {
    const char *offer, *family;                  /* family NULL: any */
    const char *usage;                           /* without the region's prefix: see is_usage() */
    const char *aws_unit, *item, *unit;          /* aws_unit NULL: any */
    struct condition conditions[MAX_CONDITIONS]; /* ended by a NULL value */
    int64_t times;                               /* AWS's unit in ours */
    const char *behind_free;                     /* where what is charged for may begin; NULL: at 0 */
} rules[] = {
    {"AmazonEC2", "Storage", "EBS:VolumeUsage.gp3", "GB-Mo", "disk", "GB-month", .times = 1},
    {"AmazonEC2", "NAT Gateway", "NatGateway-Hours", "Hrs", "nat", "hour", .times = 1},
    {"AmazonEC2", "NAT Gateway", "NatGateway-Bytes", "GB", "nat-data", "GB", .times = 1},
    {"AmazonRDS",
     "Database Storage",
     "RDS:GP3-Storage",
     "GB-Mo",
     "db-storage",
     "GB-month",
     {{AWS_ENGINE, "PostgreSQL"}, {AWS_DEPLOYMENT, "Single-AZ"}},
     .times = 1},
    {"AmazonRDS",
     "Database Storage",
     "RDS:Multi-AZ-GP3-Storage",
     "GB-Mo",
     "db-storage-ha",
     "GB-month",
     {{AWS_ENGINE, "PostgreSQL"}, {AWS_DEPLOYMENT, "Multi-AZ"}},
     .times = 1},
    {"AmazonRDS",
     NULL,
     "RDS:ChargedBackupUsage",
     "GB-Mo",
     "db-backup",
     "GB-month",
     {{AWS_ENGINE, "PostgreSQL"}},
     .times = 1},
    {"AWSELB", "Load Balancer-Application", "LoadBalancerUsage", "Hrs", "lb", "hour", .times = 1},
    {"AWSELB", "Load Balancer-Application", "LCUUsage", "LCU-Hrs", "lb-lcu", "hour", .times = 1},
    {"AmazonVPC", NULL, "PublicIPv4:InUseAddress", "Hrs", "ipv4", "hour", .times = 1},
    {"AmazonCloudWatch", "Data Payload", "DataProcessing-Bytes", "GB", "logs", "GB", .times = 1},
    {"AmazonCloudWatch", NULL, "CW:GMD-Metrics", "Metrics", "metrics-api", "thousand", .times = 1000},
    {"AWSSecretsManager", "Secret", "AWSSecretsManager-Secrets", "Secrets", "secret", "month", .times = 1},
    {"awskms", "Encryption Key", "KMS-Keys", "Keys", "key", "month", .times = 1},
    {ROUTE53, "DNS Zone", "HostedZone", NULL, "dns-zone", "month", .times = 1},
    {ROUTE53, "DNS Query", "DNS-Queries", "Queries", "dns-queries", "million", .times = 1000000},
    {ROUTE53, "DNS Query", "LBR-Queries", "Queries", "dns-queries-latency", "million", .times = 1000000},
    {ROUTE53, "DNS Query", "Geo-Queries", "Queries", "dns-queries-geo", "million", .times = 1000000},
    {ROUTE53, NULL, "Health-Check-AWS", NULL, "dns-health-check", "month", .times = 1, .behind_free = "50"},
    {ROUTE53, NULL, "Health-Check-Non-AWS", NULL, "dns-health-check-other", "month", .times = 1},
    {ROUTE53, NULL, "Health-Check-Option-AWS", NULL, "dns-health-option", "month", .times = 1},
    {ROUTE53, NULL, "Health-Check-Option-Non-AWS", NULL, "dns-health-option-other", "month", .times = 1},
};

static const struct condition machine[] = {{AWS_FAMILY, "Compute Instance"},
                                           {AWS_OPERATING_SYSTEM, "Linux"},
                                           {AWS_TENANCY, "Shared"},
                                           {AWS_SOFTWARE, "NA"},
                                           {AWS_CAPACITY_STATUS, "Used"},
                                           {AWS_LICENSE, "No License required"},
                                           {AWS_UNIT, "Hrs"},
                                           {0}};
static const struct condition database[] = {{AWS_FAMILY, "Database Instance"},
                                            {AWS_ENGINE, "PostgreSQL"},
                                            {AWS_LICENSE, "No license required"},
                                            {AWS_UNIT, "Hrs"},
                                            {0}};

static bool matches(const struct str *fields, const struct condition *conditions)
{
    for (; conditions->value; conditions++) {
        if (!str_equal_text(fields[conditions->column], conditions->value))
            return false;
    }
    return true;
}

/* "eu-west-1-": only the service of keys writes regions out. */
static bool is_region(struct str prefix, const char *location)
{
    return prefix.len == strlen(location) + 1 && str_starts(prefix, str_from(location)) &&
           prefix.ptr[prefix.len - 1] == '-';
}

/* "EUW1-NatGateway-Hours" and, for the oldest regions, "NatGateway-Hours" and "EU-NatGateway-Hours"; what has
 * another word in front ("RegionalNatGateway-Hours", "TS-LoadBalancerUsage") is something else. What costs
 * the same everywhere has nothing in front; what has is another thing's. */
static bool is_usage(const struct aws_reader *reader, struct str field, const char *usage)
{
    size_t letters = 0;
    if (str_equal_text(field, usage))
        return true;
    if (!str_ends(field, str_from(usage)) || strcmp(reader->location, "*") == 0)
        return false;
    struct str prefix = {field.ptr, field.len - strlen(usage)};
    if (str_equal_text(prefix, "EU-") || is_region(prefix, reader->location))
        return true;
    while (letters < prefix.len && prefix.ptr[letters] >= 'A' && prefix.ptr[letters] <= 'Z')
        letters++;
    return letters >= 3 && letters <= 4 && prefix.len == letters + 2 && prefix.ptr[letters] >= '0' &&
           prefix.ptr[letters] <= '9' && prefix.ptr[letters + 1] == '-';
}

static int refuse_price(struct str text, struct error *err)
{
    int shown = text.len > MAX_SHOWN ? MAX_SHOWN : (int)text.len;
    return error_set(err, ERR_PARSE, "\"%.*s\" is not a price in USD", shown, text.ptr);
}

/* How an item is put. */
struct way {
    const char *unit;
    bool dearest;
    int64_t times;
};
static const struct way by_hour = {"hour", false, 1}, by_gb = {"GB", false, 1}, dearest_gb = {"GB", true, 1};

static int put(struct aws_reader *reader, const struct str *fields, const char *item, const struct way *way,
               struct error *err)
{
    int64_t nano_usd;
    /* A price finer than a nano-USD is none that an estimate can name exactly. */
    if (!money_parse(fields[AWS_PRICE], &nano_usd) || nano_usd > MAX_NANO_USD / way->times)
        return money_is_number(fields[AWS_PRICE]) ? 0 : refuse_price(fields[AWS_PRICE], err);
    const struct found_key key = {reader->location, item};
    if (way->dearest)
        found_put_dearest(reader->found, key, nano_usd * way->times, way->unit, reader->source);
    else
        found_put(reader->found, key, nano_usd * way->times, way->unit, reader->source);
    return 0;
}

static int take_instance(struct aws_reader *reader, const struct str *fields, const char *prefix,
                         struct error *err)
{
    char item[96];
    const struct instance_type *type = prices_scope_type(reader->scope, fields[AWS_INSTANCE_TYPE]);
    if (!type)
        return 0;
    (void)snprintf(item, sizeof item, "%s%s", prefix, type->name);
    return put(reader, fields, item, &by_hour, err);
}

static int take_database(struct aws_reader *reader, const struct str *fields, struct error *err)
{
    if (str_equal_text(fields[AWS_DEPLOYMENT], "Single-AZ"))
        return take_instance(reader, fields, "db:", err);
    if (str_equal_text(fields[AWS_DEPLOYMENT], "Multi-AZ"))
        return take_instance(reader, fields, "db-ha:", err);
    return 0;
}

static int take_transfer(struct aws_reader *reader, const struct str *fields, struct error *err)
{
    static const char *const tiers[] = {"0", "10240", "51200", "153600"};
    char item[96];
    if (!str_equal_text(fields[AWS_FROM_REGION], reader->location) || !str_equal_text(fields[AWS_UNIT], "GB"))
        return 0;
    if (str_equal_text(fields[AWS_TRANSFER_TYPE], "AWS Outbound") &&
        is_usage(reader, fields[AWS_USAGE_TYPE], "DataTransfer-Out-Bytes")) {
        for (size_t i = 0; i < ARRAY_LEN(tiers); i++) {
            if (!str_equal_text(fields[AWS_STARTING_RANGE], tiers[i]))
                continue;
            (void)snprintf(item, sizeof item, "egress-internet:%s", tiers[i]);
            return put(reader, fields, item, &by_gb, err);
        }
        return 0;
    }
    if (!str_equal_text(fields[AWS_TRANSFER_TYPE], "InterRegion Outbound") ||
        !str_equal_text(fields[AWS_TO_LOCATION_TYPE], "AWS Region") ||
        !str_equal_text(fields[AWS_STARTING_RANGE], "0") || fields[AWS_TO_REGION].len > 64)
        return 0;
    char name[65];
    (void)snprintf(name, sizeof name, "%.*s", STR_ARGS(fields[AWS_TO_REGION]));
    const struct location *to = catalog_location("aws", name);
    if (!to || strcmp(name, reader->location) == 0)
        return 0;
    (void)snprintf(item, sizeof item, "egress-region:%s", to->area);
    int code = put(reader, fields, item, &dearest_gb, err);
    return code ? code : put(reader, fields, "egress-region", &dearest_gb, err);
}

/* The source of an area's price says what it stands for. */
static void name_source(struct aws_reader *reader)
{
    bool areas = strcmp(reader->offer, "AWSDataTransfer") == 0;
    (void)snprintf(reader->source, sizeof reader->source, "AWS price list %s of %s%s", reader->offer,
                   reader->csv.published, areas ? "; dearest" : "");
}

/* With the first tier, or the one behind what is free. */
static bool begins(const struct rule *rule, struct str range)
{
    return str_equal_text(range, "0") || (rule->behind_free && str_equal_text(range, rule->behind_free));
}

static int take_by_rule(struct aws_reader *reader, const struct str *fields, struct error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        const struct rule *rule = &rules[i];
        if (strcmp(rule->offer, reader->offer) != 0 ||
            !is_usage(reader, fields[AWS_USAGE_TYPE], rule->usage) ||
            (rule->aws_unit && !str_equal_text(fields[AWS_UNIT], rule->aws_unit)) ||
            !matches(fields, rule->conditions) ||
            (rule->family && !str_equal_text(fields[AWS_FAMILY], rule->family)) ||
            !begins(rule, fields[AWS_STARTING_RANGE]))
            continue;
        const struct way way = {rule->unit, false, rule->times};
        return put(reader, fields, rule->item, &way, err);
    }
    return 0;
}

static int take_row(void *ctx, const struct str fields[AWS_COLUMNS], struct error *err)
{
    struct aws_reader *reader = ctx;
    bool transfer = strcmp(reader->offer, "AWSDataTransfer") == 0;
    /* Nine lines of ten are reservations. */
    if (!str_equal_text(fields[AWS_TERM_TYPE], "OnDemand") || !str_equal_text(fields[AWS_CURRENCY], "USD"))
        return 0;
    if (transfer) {
        name_source(reader);
        return take_transfer(reader, fields, err);
    }
    if (strcmp(reader->location, "*") != 0 && (!str_equal_text(fields[AWS_REGION], reader->location) ||
                                               !str_equal_text(fields[AWS_LOCATION_TYPE], "AWS Region")))
        return 0;
    name_source(reader);
    if (strcmp(reader->offer, "AmazonEC2") == 0 && matches(fields, machine) &&
        (fields[AWS_MARKET_OPTION].len == 0 || str_equal_text(fields[AWS_MARKET_OPTION], "OnDemand")))
        return take_instance(reader, fields, "vm:", err);
    if (strcmp(reader->offer, "AmazonRDS") == 0 && matches(fields, database))
        return take_database(reader, fields, err);
    return take_by_rule(reader, fields, err);
}

void aws_reader_init(struct aws_reader *reader, const char *offer, const char *location,
                     const struct prices_scope *scope, struct found *found)
{
    *reader = (struct aws_reader){.scope = scope, .found = found, .offer = offer, .location = location};
    aws_csv_init(&reader->csv, offer, take_row, reader);
}

void aws_reader_deinit(struct aws_reader *reader)
{
    aws_csv_deinit(&reader->csv);
}

int aws_reader_feed(struct aws_reader *reader, struct str chunk, struct error *err)
{
    return aws_csv_feed(&reader->csv, chunk, err);
}

int aws_reader_end(struct aws_reader *reader, struct error *err)
{
    return aws_csv_end(&reader->csv, err);
}
