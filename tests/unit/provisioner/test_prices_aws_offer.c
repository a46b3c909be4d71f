#include "provisioner/prices/aws_offer.h"

#include "tests/unit/provisioner/prices_rig.h"

/* What a line of these tests says; the rest is as for an hour of a Linux machine in us-east-1. */
struct line {
    const char *family, *usage, *type, *unit, *price, *term, *os, *tenancy, *engine, *deployment, *region,
        *place, *from, *transfer, *to, *range, *currency;
};

#define OR(text, otherwise) ((text) ? (text) : (otherwise))

static void write_file(struct buf *file, const char *offer, const struct line *lines, size_t count)
{
    buf_reset(file);
    buf_printf(file,
               "\"FormatVersion\",\"v1.0\"\nx\n\"Publication Date\",\"2026-11-20T17:00:00Z\"\nx\n"
               "\"OfferCode\",\"%s\"\n"
               "TermType,StartingRange,Unit,PricePerUnit,Currency,Product Family,usageType,Region Code,"
               "Location Type,Instance Type,Operating System,Tenancy,Pre Installed S/W,CapacityStatus,"
               "License Model,Database Engine,Deployment Option,Transfer Type,From Region Code,To Region "
               "Code,To Location Type\n",
               offer);
    bool database = strcmp(offer, "AmazonRDS") == 0;
    for (size_t i = 0; i < count; i++) {
        const struct line *line = &lines[i];
        buf_printf(
            file, "\"%s\",%s,%s,%s,%s,\"%s\",\"%s\",%s,\"%s\",%s,%s,%s,NA,Used,\"%s\",%s,%s,%s,%s,%s,%s\n",
            OR(line->term, "OnDemand"), OR(line->range, "0"), OR(line->unit, "Hrs"), line->price,
            OR(line->currency, "USD"), OR(line->family, database ? "Database Instance" : "Compute Instance"),
            OR(line->usage, ""), OR(line->region, "us-east-1"), OR(line->place, "AWS Region"),
            OR(line->type, ""), OR(line->os, "Linux"), OR(line->tenancy, "Shared"),
            database ? "No license required" : "No License required", OR(line->engine, "PostgreSQL"),
            OR(line->deployment, "Single-AZ"), OR(line->transfer, ""), OR(line->from, ""), OR(line->to, ""),
            "AWS Region");
    }
}

static void read_lines(struct found *found, const char *offer, const char *location, const struct line *lines,
                       size_t count)
{
    struct arena *arena = arena_new(0);
    struct prices_scope scope;
    struct aws_reader reader;
    struct error err = {0};
    struct buf file = BUF_INIT(1024UL * 1024);
    prices_scope_all(&scope, "aws", arena);
    found_init(found, 0);
    write_file(&file, offer, lines, count);
    aws_reader_init(&reader, offer, location, &scope, found);
    ck_assert_msg(aws_reader_feed(&reader, buf_str(&file), &err) == 0, "%s", err.message);
    ck_assert_msg(aws_reader_end(&reader, &err) == 0, "%s", err.message);
    aws_reader_deinit(&reader);
    prices_scope_deinit(&scope);
    buf_deinit(&file);
    arena_free(arena);
}

static void check_lines(const char *offer, const struct line *lines, size_t count, const char *expected)
{
    struct found found;
    read_lines(&found, offer, strcmp(offer, aws_global_offers[0]) == 0 ? "*" : "us-east-1", lines, count);
    ck_assert_list(&found, expected);
    found_deinit(&found);
}

START_TEST(machines)
{
    const struct line lines[] = {{.type = "t3.large", .price = "0.0832000000"},
                                 {.type = "t3.large", .price = "1", .term = "Reserved"},
                                 {.type = "t3.large", .price = "1", .os = "Windows"},
                                 {.type = "t3.large", .price = "1", .tenancy = "Dedicated"},
                                 {.type = "t3.large", .price = "1", .region = "us-east-1-bos-1"},
                                 {.type = "t3.large", .price = "1", .place = "AWS Outposts"},
                                 {.type = "t3.large", .price = "1", .currency = "CNY"},
                                 {.type = "t3.large", .price = "1", .unit = "Quantity"},
                                 {.type = "t9.huge", .price = "1"},
                                 {.type = "m5.4xlarge", .price = "0.1234567891"},
                                 {.type = "m5.large", .price = "0.0000000000"},
                                 {.type = "m5.xlarge", .price = "0.192"}};
    check_lines("AmazonEC2", lines, ARRAY_LEN(lines),
                "us-east-1,vm:m5.xlarge,0.192,hour\nus-east-1,vm:t3.large,0.0832,hour\n");
}
END_TEST

START_TEST(databases)
{
    const struct line lines[] = {
        {.type = "db.t3.large", .price = "0.145"},
        {.type = "db.t3.large", .price = "0.29", .deployment = "Multi-AZ"},
        {.type = "db.t3.large", .price = "1", .deployment = "Multi-AZ (readable standbys)"},
        {.type = "db.t3.large", .price = "1", .engine = "MySQL"},
        {.family = "Database Storage", .usage = "RDS:GP3-Storage", .unit = "GB-Mo", .price = "0.115"},
        {.family = "Database Storage", .usage = "RDS:GP2-Storage", .unit = "GB-Mo", .price = "1"},
        {.family = "Database Storage",
         .usage = "USE1-RDS:Multi-AZ-GP3-Storage",
         .unit = "GB-Mo",
         .price = "0.23",
         .deployment = "Multi-AZ"},
        {.family = "Storage Snapshot", .usage = "RDS:ChargedBackupUsage", .unit = "GB-Mo", .price = "0.095"},
        {.family = "Storage Snapshot",
         .usage = "RDS:ChargedBackupUsage",
         .unit = "GB-Mo",
         .price = "1",
         .engine = "Oracle"}};
    check_lines("AmazonRDS", lines, ARRAY_LEN(lines),
                "us-east-1,db-backup,0.095,GB-month\nus-east-1,db-ha:db.t3.large,0.29,hour\n"
                "us-east-1,db-storage,0.115,GB-month\nus-east-1,db-storage-ha,0.23,GB-month\n"
                "us-east-1,db:db.t3.large,0.145,hour\n");
}
END_TEST

START_TEST(usage_types)
{
    const struct line lines[] = {
        {.family = "Load Balancer-Application", .usage = "LoadBalancerUsage", .price = "0.0225"},
        {.family = "Load Balancer-Application", .usage = "TS-LoadBalancerUsage", .price = "1"},
        {.family = "Load Balancer-Network", .usage = "LoadBalancerUsage", .price = "1"},
        {.family = "Load Balancer-Application",
         .usage = "USE2-LCUUsage",
         .unit = "LCU-Hrs",
         .price = "0.008"},
        {.family = "Load Balancer-Application",
         .usage = "Outposts-LCUUsage",
         .unit = "LCU-Hrs",
         .price = "1"},
        {.family = "Load Balancer-Application",
         .usage = "USE2-ReservedLCUUsage",
         .unit = "LCU-Hrs",
         .price = "1"},
        {.family = "Load Balancer-Application", .usage = "LoadBalancerUsage", .unit = "GB", .price = "1"}};
    check_lines("AWSELB", lines, ARRAY_LEN(lines), "us-east-1,lb,0.0225,hour\nus-east-1,lb-lcu,0.008,hour\n");
    const struct line ec2[] = {
        {.family = "NAT Gateway", .usage = "NatGateway-Hours", .price = "0.045"},
        {.family = "NAT Gateway", .usage = "RegionalNatGateway-Hours", .price = "1"},
        {.family = "NAT Gateway", .usage = "EU-NatGateway-Bytes", .unit = "GB", .price = "0.048"},
        {.family = "Storage", .usage = "APN1-EBS:VolumeUsage.gp3", .unit = "GB-Mo", .price = "0.08"},
        {.family = "Storage", .usage = "EBS:VolumeUsage.gp2", .unit = "GB-Mo", .price = "1"}};
    check_lines("AmazonEC2", ec2, ARRAY_LEN(ec2),
                "us-east-1,disk,0.08,GB-month\nus-east-1,nat,0.045,hour\nus-east-1,nat-data,0.048,GB\n");
}
END_TEST

START_TEST(operation)
{
    const struct line watch[] = {
        {.family = "Data Payload", .usage = "USE1-DataProcessing-Bytes", .unit = "GB", .price = "0.5"},
        {.family = "Data Payload", .usage = "VendedLog-Bytes", .unit = "GB", .price = "1"},
        {.family = "Data Payload", .usage = "Custom-DataProcessing-Bytes", .unit = "GB", .price = "1"},
        {.usage = "CW:GMD-Metrics", .unit = "Metrics", .price = "0.0000100000"},
        {.usage = "CW:Requests", .unit = "Requests", .price = "1"}};
    check_lines("AmazonCloudWatch", watch, ARRAY_LEN(watch),
                "us-east-1,logs,0.5,GB\nus-east-1,metrics-api,0.01,thousand\n");
    const struct line secrets[] = {
        {.family = "Secret", .usage = "USE1-AWSSecretsManager-Secrets", .unit = "Secrets", .price = "0.4"},
        {.family = "API Request", .usage = "USE1-AWSSecretsManagerAPIRequest", .price = "1"}};
    check_lines("AWSSecretsManager", secrets, ARRAY_LEN(secrets), "us-east-1,secret,0.4,month\n");
    const struct line keys[] = {
        {.family = "Encryption Key", .usage = "us-east-1-KMS-Keys", .unit = "Keys", .price = "1"},
        {.family = "Encryption Key", .usage = "us-west-2-KMS-Keys", .unit = "Keys", .price = "2"},
        {.family = "Encryption Key", .usage = "us-east-1XKMS-Keys", .unit = "Keys", .price = "3"}};
    check_lines("awskms", keys, ARRAY_LEN(keys), "us-east-1,key,1,month\n");
}
END_TEST

START_TEST(names_cost_the_same_everywhere)
{
#define QUERIES(kind, start, usd)                                                                            \
    {                                                                                                        \
        .family = "DNS Query", .usage = (kind), .unit = "Queries", .range = (start), .price = (usd)          \
    }
#define CHECK(kind, start, usd)                                                                              \
    {                                                                                                        \
        .family = "DNS Health Check", .usage = (kind), .unit = "x", .range = (start), .price = (usd)         \
    }
    const struct line lines[] = {
        {.family = "DNS Zone", .usage = "HostedZone", .unit = "x", .price = "0.5", .region = ""},
        {.family = "DNS Zone", .usage = "HostedZone", .unit = "x", .range = "25", .price = "0.1"},
        QUERIES("DNS-Queries", "0", "0.0000004000"),
        QUERIES("DNS-Queries", "1000000000", "0.0000002000"),
        QUERIES("APN2-DNS-Queries", "0", "0.0000009000"),
        QUERIES("LBR-Queries", "0", "0.0000006000"),
        QUERIES("Geo-Queries", "0", "0.9"), /* a million of these is nothing that is sold */
        CHECK("Health-Check-AWS", "0", "0.0000000000"),
        CHECK("Health-Check-AWS", "50", "0.5"),
        CHECK("Health-Check-Non-AWS", "0", "0.75"),
        CHECK("Health-Check-Non-AWS", "50", "1"),
        CHECK("Health-Check-Option-AWS", "0", "1"),
        CHECK("Health-Check-Option-Non-AWS", "0", "2")};
    check_lines("AmazonRoute53", lines, ARRAY_LEN(lines),
                "*,dns-health-check,0.5,month\n*,dns-health-check-other,0.75,month\n"
                "*,dns-health-option,1,month\n*,dns-health-option-other,2,month\n"
                "*,dns-queries,0.4,million\n*,dns-queries-latency,0.6,million\n*,dns-zone,0.5,month\n");
}
END_TEST

START_TEST(traffic)
{
#define OUT(start, usd)                                                                                      \
    {                                                                                                        \
        .usage = "DataTransfer-Out-Bytes", .transfer = "AWS Outbound", .from = "us-east-1", .unit = "GB",    \
        .range = (start), .price = (usd)                                                                     \
    }
#define BETWEEN(place, usd)                                                                                  \
    {                                                                                                        \
        .transfer = "InterRegion Outbound", .from = "us-east-1", .unit = "GB", .to = (place), .price = (usd) \
    }
    const struct line lines[] = {OUT("0", "0.09"),
                                 OUT("10240", "0.085"),
                                 OUT("7", "1"),
                                 BETWEEN("us-east-2", "0.01"),
                                 BETWEEN("us-west-2", "0.02"),
                                 BETWEEN("eu-west-1", "0.02"),
                                 BETWEEN("us-east-1", "1"),
                                 BETWEEN("us-gov-west-1", "1"),
                                 {.transfer = "InterRegion Inbound",
                                  .from = "us-east-1",
                                  .unit = "GB",
                                  .to = "eu-west-1",
                                  .price = "1"}};
    check_lines("AWSDataTransfer", lines, ARRAY_LEN(lines),
                "us-east-1,egress-internet:0,0.09,GB\nus-east-1,egress-internet:10240,0.085,GB\n"
                "us-east-1,egress-region,0.02,GB\nus-east-1,egress-region:europe,0.02,GB\n"
                "us-east-1,egress-region:north-america,0.02,GB\n");
}
END_TEST

START_TEST(a_price_that_is_none)
{
    struct arena *arena = arena_new(0);
    struct prices_scope scope;
    struct found found;
    struct aws_reader reader;
    struct error err = {0};
    struct buf file = BUF_INIT(1024UL * 1024);
    const struct line line = {.type = "t3.large", .price = "free"};
    prices_scope_all(&scope, "aws", arena);
    found_init(&found, 0);
    write_file(&file, "AmazonEC2", &line, 1);
    aws_reader_init(&reader, "AmazonEC2", "us-east-1", &scope, &found);
    ck_assert_int_eq(aws_reader_feed(&reader, buf_str(&file), &err), ERR_PARSE);
    ck_assert_contains(err.message, "\"free\" is not a price");
    aws_reader_deinit(&reader);
    found_deinit(&found);
    prices_scope_deinit(&scope);
    buf_deinit(&file);
    arena_free(arena);
}
END_TEST

static Suite *aws_offer_suite(void)
{
    Suite *suite = suite_create("prices_aws_offer");
    TCase *tcase = tcase_create("aws_offer");
    tcase_add_test(tcase, machines);
    tcase_add_test(tcase, databases);
    tcase_add_test(tcase, usage_types);
    tcase_add_test(tcase, operation);
    tcase_add_test(tcase, names_cost_the_same_everywhere);
    tcase_add_test(tcase, traffic);
    tcase_add_test(tcase, a_price_that_is_none);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(aws_offer_suite)
