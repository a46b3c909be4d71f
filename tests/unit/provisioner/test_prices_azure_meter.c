#include "provisioner/prices/azure_meter.h"

#include "tests/unit/provisioner/prices_rig.h"

#define ITEM_OF(service, product, sku, meter, arm, unit, tier, type, usd)                                    \
    "{\"currencyCode\":\"USD\",\"tierMinimumUnits\":" tier ",\"retailPrice\":" usd                           \
    ",\"armRegionName\":\"westeurope\",\"effectiveStartDate\":\"2023-03-01T00:00:00Z\",\"meterName\":"       \
    "\"" meter "\",\"productName\":\"" product "\",\"skuName\":\"" sku "\",\"serviceName\":\"" service       \
    "\",\"unitOfMeasure\":\"" unit "\",\"type\":\"" type "\",\"armSkuName\":\"" arm "\"}"
#define VM(product, sku, arm, usd)                                                                           \
    ITEM_OF("Virtual Machines", product, sku, sku, arm, "1 Hour", "0.0", "Consumption", usd)
#define DB(product, sku, meter, usd)                                                                         \
    ITEM_OF("Azure Database for PostgreSQL", product, sku, meter, "", "1 Hour", "0.0", "Consumption", usd)
#define FLEX "Azure Database for PostgreSQL Flexible Server "
#define OUT(tier, usd)                                                                                       \
    ITEM_OF("Bandwidth", "Rtn Preference: MGN", "Standard", "Standard Data Transfer Out", "", "1 GB", tier,  \
            "Consumption", usd)
#define PAGE(items) "{\"Items\":[" items "],\"NextPageLink\":\"there\",\"Count\":1}"

static struct found found;
static struct prices_scope scope;
static struct arena *arena;

static void setup(void)
{
    arena = arena_new(0);
    found_init(&found, 0);
    prices_scope_all(&scope, "azure", arena);
}

static void teardown(void)
{
    found_deinit(&found);
    prices_scope_deinit(&scope);
    arena_free(arena);
}

static int read_page(const char *service, const char *page, struct error *err)
{
    struct azure_reader reader;
    azure_reader_init(&reader, service, "westeurope", &scope, &found);
    azure_reader_begin(&reader);
    int code = azure_reader_feed(&reader, str_from(page), err);
    if (!code)
        code = azure_reader_page(&reader, err);
    if (!code) {
        ck_assert_str_eq(reader.next_link, "there");
        azure_reader_end(&reader);
    }
    azure_reader_deinit(&reader);
    return code;
}

static void check_reads(const char *service, const char *page, const char *expected)
{
    struct error err = {0};
    ck_assert_msg(read_page(service, page, &err) == 0, "%s", err.message);
    ck_assert_list(&found, expected);
}

START_TEST(machines)
{
    check_reads(
        "Virtual Machines",
        PAGE(VM("Virtual Machines DSv3 Series", "D4s v3", "Standard_D4s_v3", "0.24") "," VM(
            "Virtual Machines DSv3 Series Windows", "D4s v3", "Standard_D4s_v3",
            "1") "," VM("Virtual Machines DSv3 Series", "D4s v3 Spot", "Standard_D4s_v3",
                        "1") "," VM("Virtual Machines DSv3 Series", "D4s v3 Low Priority", "Standard_D4s_v3",
                                    "1") "," VM("DSv3 Series Cloud Services", "D4s v3", "Standard_D4s_v3",
                                                "1") "," VM("Virtual Machines BS Series", "B1s",
                                                            "Standard_B1s",
                                                            "1.04E-02") "," VM("Virtual Machines BS Series",
                                                                               "B2s", "Standard_B2s",
                                                                               "0.00000000001") "," VM("Virtu"
                                                                                                       "al "
                                                                                                       "Machi"
                                                                                                       "nes "
                                                                                                       "X "
                                                                                                       "Serie"
                                                                                                       "s",
                                                                                                       "X",
                                                                                                       "Stand"
                                                                                                       "ard_"
                                                                                                       "X1",
                                                                                                       "1") "," ITEM_OF("Virtual Machines",
                                                                                                                        "Virtual Machines DSv3 Series",
                                                                                                                        "D8s v3",
                                                                                                                        "D8s v3",
                                                                                                                        "Standard_D8s_v3",
                                                                                                                        "1 Hour",
                                                                                                                        "0",
                                                                                                                        "Reservation",
                                                                                                                        "1")),
        "westeurope,vm:Standard_B1s,0.0104,hour\nwesteurope,vm:Standard_D4s_v3,0.24,hour\n");
}
END_TEST

START_TEST(databases_by_size_and_by_vcore)
{
    struct arena *own = arena_new(0);
    struct findings findings;
    struct deployment *deployment;
    const struct string_list none = {0};
    findings_init(&findings, own);
    ck_assert_int_eq(
        deployment_parse(own, "f",
                         STR("metadata: { name: a }\nregions:\n"
                             "  a: { provider: azure, location: westeurope, size: small, database: { sku: "
                             "GP_Standard_D8ds_v5 } }\n"
                             "  b: { provider: azure, location: westeurope, size: small, database: { sku: "
                             "B_Standard_B1ms, high-availability: false } }\n"
                             "  c: { provider: azure, location: westeurope, size: small, database: { sku: "
                             "GP_Standard_D4s_v3 } }\n"),
                         &deployment, &findings),
        0);
    prices_scope_deinit(&scope);
    prices_scope_of(&scope, "azure", deployment, &none, own);
    check_reads(
        "Azure Database for PostgreSQL",
        PAGE(DB(FLEX "General Purpose - Ddsv5 Series Compute", "2 vCore", "vCore", "0.203") "," DB(
            FLEX "General Purpose - Ddsv5 Series Compute", "8 vCore", "vCore",
            "0.812") "," DB(FLEX "Memory Optimized Edsv5 Series Compute", "2 vCore", "vCore",
                            "0.131") "," DB(FLEX "Memory Optimized Edsv5 Series Compute", "8 vCore", "vCore",
                                            "0.131") "," DB(FLEX "General Purpose Dsv3 Series Compute",
                                                            "64 vCore", "vCore",
                                                            "6.24") "," DB(FLEX "Burstable BS Series Compute",
                                                                           "B1MS", "B1MS",
                                                                           "0.022") "," DB("Azure Database "
                                                                                           "for PostgreSQL "
                                                                                           "Single Server "
                                                                                           "General Purpose "
                                                                                           "- Compute Gen5",
                                                                                           "vCore", "vCore",
                                                                                           "1")),
        "westeurope,db:B_Standard_B1ms,0.022,hour\n"
        "westeurope,db:GP_Standard_D2ds_v5,0.203,hour\n"
        "westeurope,db:GP_Standard_D8ds_v5,0.812,hour\n"
        "westeurope,db:MO_Standard_E4ds_v5,0.524,hour\n");
    arena_free(own);
}
END_TEST

START_TEST(traffic_behind_what_is_free)
{
    check_reads(
        "Bandwidth",
        PAGE(OUT("0.0", "0.0") "," OUT("100.0", "0.087") "," OUT("10335.0", "0.083") "," OUT("107.5", "1")),
        "westeurope,egress-internet:0,0.087,GB\nwesteurope,egress-internet:10240,0.083,GB\n");
}
END_TEST

START_TEST(another_service_or_place)
{
    check_reads("NAT Gateway",
                PAGE(ITEM_OF("NAT Gateway", "NAT Gateway", "Standard", "Standard Gateway", "", "1 Hour", "0",
                             "Consumption", "0.045") "," ITEM_OF("Load Balancer", "Load Balancer", "Standard",
                                                                 "Standard Data Processed", "", "1 GB", "0",
                                                                 "Consumption", "0.005")),
                "westeurope,nat,0.045,hour\n");
}
END_TEST

START_TEST(application_gateway)
{
    check_reads(
        "Application Gateway",
        PAGE(ITEM_OF(
            "Application Gateway", "Application Gateway Standard v2", "Standard", "Standard Fixed Cost", "",
            "1/Hour", "0", "Consumption",
            "0.246") "," ITEM_OF("Application Gateway", "Application Gateway Standard v2", "Standard",
                                 "Standard Capacity Units", "", "1 Hour", "0", "Consumption",
                                 "0.008") "," ITEM_OF("Application Gateway", "Application Gateway WAF v2",
                                                      "Standard", "Standard Fixed Cost", "", "1/Hour", "0",
                                                      "Consumption", "0.443")),
        "westeurope,lb,0.246,hour\nwesteurope,lb-lcu,0.008,hour\n");
}
END_TEST

#define ROW(service, product, sku, meter, unit, tier, usd)                                                   \
    ITEM_OF(service, product, sku, meter, "", unit, tier, "Consumption", usd)
#define SSD "Standard SSD Managed Disks"

/* A page of these rows is read as expected. */
static void check_rows(const char *service, const char *const *rows, size_t count, const char *expected)
{
    struct buf page = BUF_INIT(64UL * 1024);
    buf_append_text(&page, "{\"Items\":[");
    for (size_t i = 0; i < count; i++)
        buf_printf(&page, "%s%s", i ? "," : "", rows[i]);
    buf_append_text(&page, "],\"NextPageLink\":\"there\"}");
    check_reads(service, buf_text(&page), expected);
    buf_deinit(&page);
}

START_TEST(disks_by_the_gib)
{
    static const char *const rows[] = {
        ROW("Storage", SSD, "E4 LRS", "E4 LRS Disk", "1/Month", "0", "2.4"),
        ROW("Storage", SSD, "E4 LRS", "E4 LRS Disk Operations", "10K", "0", "0.002"),
        ROW("Storage", SSD, "E4 ZRS", "E4 ZRS Disk", "1/Month", "0", "3.6"),
        ROW("Storage", "Premium SSD Managed Disks", "P4 LRS", "P4 LRS Disk", "1/Month", "0", "5.28"),
    };
    check_rows("Storage", rows, ARRAY_LEN(rows), "westeurope,disk,0.075,GB-month\n");
}
END_TEST

START_TEST(a_part_finer_than_a_nano_usd)
{
    static const char *const rows[] = {
        ROW("Storage", SSD, "E4 LRS", "E4 LRS Disk", "1/Month", "0", "2.400000001")};
    check_rows("Storage", rows, ARRAY_LEN(rows), "");
}
END_TEST

#define LOGS(meter, unit, tier, usd)                                                                         \
    ROW("Log Analytics", "Log Analytics", "Analytics Logs", "Analytics Logs Data " meter, unit, tier, usd)

START_TEST(logs_behind_what_is_free)
{
    static const char *const rows[] = {
        LOGS("Ingestion", "1 GB", "0.0", "0.0"),
        LOGS("Ingestion", "1 GB", "5.0", "2.99"),
        LOGS("Ingestion", "1 GB", "5000.0", "2.5"),
        LOGS("Retention", "1 GB/Month", "0", "0.13"),
    };
    check_rows("Log Analytics", rows, ARRAY_LEN(rows), "westeurope,logs,2.99,GB\n");
}
END_TEST

START_TEST(key_vaults)
{
    static const char *const rows[] = {
        ROW("Key Vault", "Key Vault", "Standard", "Operations", "10K", "0", "0.03"),
        ROW("Key Vault", "Key Vault", "Standard", "Advanced Key Operations", "10K", "0", "0.15"),
        ROW("Key Vault", "Key Vault", "Premium", "Operations", "10K", "0", "0.04"),
        ROW("Key Vault", "Azure Dedicated HSM", "Standard", "Operations", "10K", "0", "4.85"),
    };
    check_rows("Key Vault", rows, ARRAY_LEN(rows), "westeurope,secret-requests,0.003,thousand\n");
}
END_TEST

#define MGN(meter, tier, usd)                                                                                \
    ROW("Bandwidth", "Rtn Preference: MGN", "Standard", "Standard " meter, "1 GB", tier, usd)

START_TEST(traffic_between_regions)
{
    static const char *const rows[] = {
        MGN("Inter-Region Data Transfer", "0.0", "0.02"),
        MGN("Inter-Region Data Transfer", "100.0", "0.01"),
        MGN("Inter-Availability Zone Data Transfer Out", "0.0", "0.5"),
    };
    check_rows("Bandwidth", rows, ARRAY_LEN(rows), "westeurope,egress-region,0.02,GB\n");
}
END_TEST

static void check_everywhere(size_t index, const char *page, const char *expected)
{
    struct azure_reader reader;
    struct error err = {0};
    azure_reader_init(&reader, azure_everywhere[index].service, azure_everywhere[index].place, &scope,
                      &found);
    ck_assert_int_eq(azure_reader_feed(&reader, str_from(page), &err), 0);
    ck_assert_int_eq(azure_reader_page(&reader, &err), 0);
    azure_reader_deinit(&reader);
    ck_assert_list(&found, expected);
}

/* Under no place, as the list has it, and not under another's. */
START_TEST(private_zones)
{
#define ZONE(place, sku, meter, tier, usd)                                                                   \
    "{\"currencyCode\":\"USD\",\"tierMinimumUnits\":" tier ",\"retailPrice\":" usd                           \
    ",\"armRegionName\":\"" place "\",\"meterName\":\"" meter                                                \
    "\",\"productName\":\"Azure DNS\",\"skuName\":\"" sku                                                    \
    "\",\"serviceName\":\"Azure DNS\",\"unitOfMeasure\":\"1\",\"type\":\"Consumption\"}"
    static const char page[] = PAGE(ZONE("", "Private", "Private Zone", "0.0", "0.5") "," ZONE(
        "", "Private", "Private Zone", "25.0", "0.1") "," ZONE("", "Public", "Public Zone", "0.0",
                                                               "0.7") "," ZONE("US Gov Zone 1", "Private",
                                                                               "Private Zone", "0.0", "0.6"));
    ck_assert_str_eq(azure_everywhere[1].place, "");
    check_everywhere(1, page, "*,private-zone,0.5,month\n");
}
END_TEST

START_TEST(the_same_everywhere)
{
    static const char page[] =
        PAGE("{\"currencyCode\":\"USD\",\"retailPrice\":0.045,\"armRegionName\":\"Global\",\"meterName\":"
             "\"Standard Gateway\",\"productName\":\"NAT Gateway\",\"skuName\":\"Standard\","
             "\"serviceName\":\"NAT Gateway\",\"unitOfMeasure\":\"1 Hour\",\"type\":\"Consumption\"}");
    check_everywhere(0, page, "*,nat,0.045,hour\n");
}
END_TEST

START_TEST(malformed_prices)
{
    struct error err = {0};
    ck_assert_int_eq(read_page("Virtual Machines",
                               PAGE(VM("Virtual Machines BS Series", "B1s", "Standard_B1s", "\"x\"")), &err),
                     ERR_PARSE);
    ck_assert_int_eq(read_page("Virtual Machines",
                               PAGE(VM("Virtual Machines BS Series", "B1s", "Standard_B1s", "null")), &err),
                     ERR_PARSE);
    ck_assert_int_eq(read_page("Virtual Machines",
                               PAGE(VM("Virtual Machines BS Series", "B1s", "Standard_B1s", "-1")), &err),
                     ERR_PARSE);
    ck_assert_int_eq(read_page("Virtual Machines", "{\"Items\":null}", &err), ERR_PARSE);
}
END_TEST

static Suite *azure_meter_suite(void)
{
    Suite *suite = suite_create("prices_azure_meter");
    TCase *tcase = tcase_create("azure_meter");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, machines);
    tcase_add_test(tcase, databases_by_size_and_by_vcore);
    tcase_add_test(tcase, traffic_behind_what_is_free);
    tcase_add_test(tcase, another_service_or_place);
    tcase_add_test(tcase, application_gateway);
    tcase_add_test(tcase, disks_by_the_gib);
    tcase_add_test(tcase, a_part_finer_than_a_nano_usd);
    tcase_add_test(tcase, logs_behind_what_is_free);
    tcase_add_test(tcase, key_vaults);
    tcase_add_test(tcase, traffic_between_regions);
    tcase_add_test(tcase, private_zones);
    tcase_add_test(tcase, the_same_everywhere);
    tcase_add_test(tcase, malformed_prices);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(azure_meter_suite)
