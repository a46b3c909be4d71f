#include "provisioner/prices/gcp_sku.h"

#include "tests/unit/provisioner/prices_rig.h"

#define SKU_OF(words, usage, unit, rates)                                                                    \
    "{\"skuId\":\"AAAA-BBBB-CCCC\",\"description\":\"" words "\",\"category\":{\"usageType\":\"" usage       \
    "\"},\"serviceRegions\":[\"europe-west1\",\"mars-north1\"],\"pricingInfo\":[{\"effectiveTime\":\"2026-"  \
    "11-24T10:"                                                                                              \
    "00:00Z\",\"pricingExpression\":{\"usageUnit\":\"" unit "\",\"tieredRates\":[" rates "]}}]}"
#define RATE(units, nanos)                                                                                   \
    "{\"startUsageAmount\":0,\"unitPrice\":{\"currencyCode\":\"USD\",\"units\":" units ",\"nanos\":" nanos   \
    "}}"
#define SKU(words, unit, nanos) SKU_OF(words, "OnDemand", unit, RATE("\"0\"", nanos))

#define PAGE(skus) ("{\"skus\":[" skus "]}")

static struct found found;
static struct prices_scope scope;
static struct arena *arena;

static void setup(void)
{
    arena = arena_new(0);
    found_init(&found, 0);
    prices_scope_all(&scope, "gcp", arena);
}

static void teardown(void)
{
    found_deinit(&found);
    prices_scope_deinit(&scope);
    arena_free(arena);
}

static int read_page(const char *page, char next[64], struct error *err)
{
    struct gcp_reader reader;
    gcp_reader_init(&reader, &scope, &found);
    int code = gcp_reader_feed(&reader, str_from(page), err);
    if (!code)
        code = gcp_reader_end(&reader, err);
    (void)snprintf(next, 64, "%s", reader.next_token);
    gcp_reader_deinit(&reader);
    return code;
}

static void check_reads(const char *page, const char *expected)
{
    struct error err = {0};
    char next[64];
    ck_assert_msg(read_page(page, next, &err) == 0, "%s", err.message);
    ck_assert_str_eq(next, "more");
    ck_assert_list(&found, expected);
}

START_TEST(machine_series)
{
    check_reads(
        "{\"skus\":[" SKU("N2 Instance Core running in EMEA", "h", "34773000") "," SKU(
            "N2 Instance Ram running in EMEA", "GiBy.h",
            "4661000") "," SKU("N2 Instance Ram running in EMEA", "GiBy.mo",
                               "1") "," SKU("N2 Custom Instance Core running in EMEA", "h",
                                            "1") "," SKU("N2 Instance Core Sole Tenancy in EMEA", "h",
                                                         "1") "," SKU("N22 Instance Core running in EMEA",
                                                                      "h",
                                                                      "1") "," SKU("N2D AMD Instance Core "
                                                                                   "running in EMEA",
                                                                                   "h",
                                                                                   "30254000") "," SKU("C4A "
                                                                                                       "Arm "
                                                                                                       "Insta"
                                                                                                       "nce "
                                                                                                       "Ram "
                                                                                                       "runni"
                                                                                                       "ng "
                                                                                                       "in "
                                                                                                       "EMEA",
                                                                                                       "GiBy."
                                                                                                       "h",
                                                                                                       "40000"
                                                                                                       "00") "," SKU("Compute optimized Core running in EMEA",
                                                                                                                     "h",
                                                                                                                     "37000000") "," SKU("Compute optimized Instance Ram running in EMEA",
                                                                                                                                         "GiBy.h",
                                                                                                                                         "5000000") "," SKU_OF("E2 Instance Core running in EMEA",
                                                                                                                                                               "Preemptible",
                                                                                                                                                               "h",
                                                                                                                                                               RATE(
                                                                                                                                                                   "\"0\"",
                                                                                                                                                                   "1")) "," SKU_OF("E2 Instance Core running in EMEA",
                                                                                                                                                                                    "OnDemand",
                                                                                                                                                                                    "h",
                                                                                                                                                                                    RATE(
                                                                                                                                                                                        "\"2\"",
                                                                                                                                                                                        "50")) "],\"nextPageToken\":\"more\"}",
        "europe-west1,vm-ram:c2,0.005,hour\neurope-west1,vm-ram:c4a,0.004,hour\n"
        "europe-west1,vm-ram:n2,0.004661,hour\neurope-west1,vm-vcpu:c2,0.037,hour\n"
        "europe-west1,vm-vcpu:e2,2.00000005,hour\neurope-west1,vm-vcpu:n2,0.034773,hour\n"
        "europe-west1,vm-vcpu:n2d,0.030254,hour\n");
}
END_TEST

START_TEST(cloud_sql_and_tiers)
{
    check_reads(
        "{\"nextPageToken\":\"more\",\"skus\":[" SKU("Cloud SQL for PostgreSQL: Zonal - vCPU in Belgium", "h", "41300000") "," SKU(
            "Cloud SQL for PostgreSQL: Zonal - vCPU + RAM in Belgium", "h",
            "1") "," SKU("Cloud SQL for PostgreSQL: Zonal - Enterprise Plus C4 vCPU in Belgium", "h",
                         "1") "," SKU("Cloud SQL for MySQL: Zonal - vCPU in Belgium", "h",
                                      "1") "," SKU_OF("Cloud SQL: Backups in Belgium", "OnDemand", "GiBy.mo",
                                                      RATE("\"0\"", "0") "," RATE(
                                                          "\"0\"",
                                                          "80000000")) "," SKU_OF("Balanced PD Capacity",
                                                                                  "OnDemand", "GiBy.mo",
                                                                                  RATE("\"0\"", "10") "," RATE(
                                                                                      "\"0\"",
                                                                                      "9")) "," SKU_OF("Cloud"
                                                                                                       " SQL "
                                                                                                       "for "
                                                                                                       "Postg"
                                                                                                       "reSQL"
                                                                                                       ": "
                                                                                                       "Zonal"
                                                                                                       " - "
                                                                                                       "RAM "
                                                                                                       "in "
                                                                                                       "Belgi"
                                                                                                       "um",
                                                                                                       "OnDem"
                                                                                                       "and",
                                                                                                       "GiBy."
                                                                                                       "h",
                                                                                                       "{\"un"
                                                                                                       "itPri"
                                                                                                       "ce\":"
                                                                                                       "{\"cu"
                                                                                                       "rrenc"
                                                                                                       "yCode"
                                                                                                       "\":"
                                                                                                       "\"EUR"
                                                                                                       "\","
                                                                                                       "\"nan"
                                                                                                       "os\":"
                                                                                                       "5}}") "]}",
        "europe-west1,db-backup,0.08,GB-month\neurope-west1,db-vcpu,0.0413,hour\n");
}
END_TEST

/* From `start` on. */
#define FROM(start, nanos)                                                                                   \
    "{\"startUsageAmount\":" start                                                                           \
    ",\"unitPrice\":{\"currencyCode\":\"USD\",\"units\":\"0\",\"nanos\":" nanos "}}"
#define IN(words, region, unit, rates)                                                                       \
    "{\"skuId\":\"AAAA-BBBB-CCCC\",\"description\":\"" words                                                 \
    "\",\"category\":{\"usageType\":\"OnDemand\"},\"serviceRegions\":[\"" region                             \
    "\"],\"pricingInfo\":[{\"pricingExpression\":{\"usageUnit\":\"" unit "\",\"tieredRates\":[" rates        \
    "]}}]}"
#define BALANCER "External Application Load Balancer"

/* A page of these SKUs is read as expected. */
static void check_skus(const char *const *skus, size_t count, const char *expected)
{
    struct buf page = BUF_INIT(64UL * 1024);
    buf_append_text(&page, "{\"skus\":[");
    for (size_t i = 0; i < count; i++)
        buf_printf(&page, "%s%s", i ? "," : "", skus[i]);
    buf_append_text(&page, "],\"nextPageToken\":\"more\"}");
    check_reads(buf_text(&page), expected);
    buf_deinit(&page);
}

START_TEST(network_and_operation)
{
    static const char *const skus[] = {
        IN("Cloud Load Balancer Forwarding Rule Minimum Global", "global", "h", FROM("0", "25000000")),
        IN("Cloud Load Balancer Forwarding Rule Minimum for Belgium", "europe-west1", "h", FROM("0", "1")),
        IN("Global " BALANCER " Inbound Data Processing for Belgium", "europe-west1", "GiBy",
           FROM("0", "8000000")),
        IN("Global " BALANCER " Outbound Data Processing for Belgium", "europe-west1", "GiBy",
           FROM("0", "9000000")),
        IN("Regional " BALANCER " Outbound Data Processing for Belgium", "europe-west1", "GiBy",
           FROM("0", "10000000")),
        IN("Networking Cloud Nat Gateway Uptime", "global", "h", FROM("0", "1400000")),
        IN("Networking Cloud Nat Data Processing", "global", "GiBy", FROM("0", "45000000")),
        IN("External IP Charge on a Standard VM", "global", "h", FROM("0", "5000000")),
        IN("External IP Charge on a Spot Preemptible VM", "global", "h", FROM("0", "2500000")),
        IN("Log Storage cost", "global", "GiBy", FROM("0", "0") "," FROM("50", "500000000")),
        IN("Monitoring API Requests", "global", "count", FROM("0", "0") "," FROM("1000000", "10000")),
        IN("Secret version replica storage", "global", "mo", FROM("0", "0") "," FROM("6", "60000000")),
    };
    check_skus(skus, ARRAY_LEN(skus),
               "*,ipv4,0.005,hour\n*,lb,0.025,hour\n*,logs,0.5,GB\n*,metrics-api,0.01,thousand\n"
               "*,nat,0.0014,hour\n*,nat-data,0.045,GB\n*,secret,0.06,month\n"
               "europe-west1,lb-data,0.009,GB\n");
}
END_TEST

#define TIERS(first, next)                                                                                   \
    FROM("0", first) "," FROM("1024", next) "," FROM("10240.0", "80000000") "," FROM("7", "1")
#define INTERNET "Network Internet Data Transfer Out from "
#define FREE_GIB FROM("0", "0") "," FROM("1", "130000000") "," FROM("1024", "110000000")

START_TEST(traffic_to_the_own_part_of_the_world)
{
    static const char *const skus[] = {
        IN(INTERNET "EMEA to EMEA", "europe-west1", "GiBy", TIERS("110000000", "105000000")),
        IN(INTERNET "EMEA to Western Europe", "europe-west1", "GiBy", TIERS("120000000", "100000000")),
        IN(INTERNET "EMEA to China", "europe-west1", "GiBy", TIERS("230000000", "220000000")),
        IN(INTERNET "EMEA", "europe-west1", "GiBy", TIERS("900000000", "1")),
        IN(INTERNET "Nowhere to EMEA", "mars-north1", "GiBy", TIERS("900000000", "1")),
        IN(INTERNET "EMEA to EMEA", "europe-west4", "MiBy", TIERS("900000000", "1")),
        IN(INTERNET "Americas to Americas", "us-east1", "GiBy", FREE_GIB),
        IN(INTERNET "Americas to EMEA", "us-east1", "GiBy", FROM("0", "990000000")),
    };
    check_skus(skus, ARRAY_LEN(skus),
               "europe-west1,egress-internet:0,0.12,GB\neurope-west1,egress-internet:1024,0.105,GB\n"
               "europe-west1,egress-internet:10240,0.08,GB\nus-east1,egress-internet:0,0.13,GB\n"
               "us-east1,egress-internet:1024,0.11,GB\n");
}
END_TEST

#define BETWEEN "Network Inter Region Data Transfer Out from EMEA to "

START_TEST(traffic_between_regions)
{
    static const char *const skus[] = {
        IN(BETWEEN "Frankfurt", "europe-west1", "GiBy", FROM("0", "20000000")),
        IN(BETWEEN "Warsaw", "europe-west1", "GiBy", FROM("0", "25000000")),
        IN(BETWEEN "Madrid", "europe-west1", "GiBy", FROM("0", "20000000")),
        IN(BETWEEN "Americas", "europe-west1", "GiBy", FROM("0", "50000000")),
        IN(BETWEEN "Atlantis", "europe-west1", "GiBy", FROM("0", "900000000")),
        IN(BETWEEN "Paris", "europe-west1", "GiBy", FROM("0", "900000000") "," FROM("9", "1")),
        IN("Network Inter Region Data Transfer In from EMEA to Paris", "europe-west1", "GiBy",
           FROM("0", "900000000")),
    };
    check_skus(skus, ARRAY_LEN(skus),
               "europe-west1,egress-region,0.05,GB\neurope-west1,egress-region:europe,0.025,GB\n"
               "europe-west1,egress-region:north-america,0.05,GB\n");
}
END_TEST

START_TEST(malformed_prices)
{
    static const char *const pages[] = {
        PAGE(SKU("E2 Instance Core running in X", "h", "-1")),
        PAGE(SKU("E2 Instance Core running in X", "h", "1000000000")),
        PAGE(SKU("E2 Instance Core running in X", "h", "0.5")),
        PAGE(SKU_OF("E2 Instance Core running in X", "OnDemand", "h", RATE("\"x\"", "1"))),
        PAGE(SKU_OF("E2 Instance Core running in X", "OnDemand", "h", RATE("\"9999999999\"", "1"))),
        PAGE(IN(INTERNET "EMEA to EMEA", "europe-west1", "GiBy", FROM("0", "-1"))),
        PAGE(IN(BETWEEN "Paris", "europe-west1", "GiBy", FROM("0", "x"))),
        PAGE("{\"description\":\"" BETWEEN "Paris\",\"category\":{\"usageType\":\"OnDemand\"}}"),
        PAGE("{\"description\":\"Cloud SQL: Backups in X\",\"category\":{\"usageType\":\"OnDemand\"}}"),
        "{\"items\":[]}"};
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        struct error err = {0};
        char next[64];
        ck_assert_msg(read_page(pages[i], next, &err) == ERR_PARSE, "%s", pages[i]);
    }
    ck_assert_uint_eq(found_count(&found), 0);
}
END_TEST

static Suite *gcp_sku_suite(void)
{
    Suite *suite = suite_create("prices_gcp_sku");
    TCase *tcase = tcase_create("gcp_sku");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, machine_series);
    tcase_add_test(tcase, cloud_sql_and_tiers);
    tcase_add_test(tcase, network_and_operation);
    tcase_add_test(tcase, traffic_to_the_own_part_of_the_world);
    tcase_add_test(tcase, traffic_between_regions);
    tcase_add_test(tcase, malformed_prices);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(gcp_sku_suite)
