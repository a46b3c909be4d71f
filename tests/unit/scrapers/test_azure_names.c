#include "scrapers/azure/azure_internal.h"
#include "tests/support/support.h"

#define SUBSCRIPTION "ABCDEF00-0000-0000-0000-000000000000"
#define ACCOUNT                                                                                              \
    "/subscriptions/abcdef00-0000-0000-0000-000000000000/resourcegroups/shop/providers/microsoft.storage/"   \
    "storageaccounts/logs"

static struct arena *arena;
static struct cloud_plan *plan;
static struct azure_state *state;
static const struct azure_config config = {.subscription = SUBSCRIPTION};

static void begin(void)
{
    arena = arena_new(0);
    plan = cloud_plan_new(&(struct cloud_plan_options){.max_series = 10});
    state = azure_state_new(&config, NULL);
}

static void end(void)
{
    azure_state_free(state);
    cloud_plan_free(plan);
    arena_free(arena);
}

START_TEST(parts_of_an_id)
{
    ck_assert_str_eq(azure_id_part(ACCOUNT, "/resourcegroups/", 0, arena), "shop");
    ck_assert_str_eq(azure_id_part(ACCOUNT, "/nothing/", 0, arena), "");
    ck_assert_str_eq(azure_id_part(ACCOUNT, "/providers/", 7, arena), "");
    ck_assert_str_eq(azure_resource_label(ACCOUNT, arena), "logs");
    ck_assert_str_eq(azure_resource_label(ACCOUNT "/blobservices/default", arena), "logs");
    ck_assert_str_eq(azure_resource_label("/subscriptions/x", arena), "");
}
END_TEST

START_TEST(a_namespace_inside_a_type_is_asked_of_its_service)
{
    struct azure_set set = {.type = "Microsoft.Storage/storageAccounts"};
    ck_assert_str_eq(azure_asked_id(&set, ACCOUNT, arena), ACCOUNT);
    set.namespace_name = "microsoft.storage/storageaccounts/blobServices";
    ck_assert_str_eq(azure_asked_id(&set, ACCOUNT, arena), ACCOUNT "/blobservices/default");
    set.namespace_name = "Microsoft.Storage/storageAccountsOfOthers";
    ck_assert_str_eq(azure_asked_id(&set, ACCOUNT, arena), ACCOUNT);
    set.namespace_name = "azure.vm.windows.guestmetrics";
    ck_assert_str_eq(azure_asked_id(&set, ACCOUNT, arena), ACCOUNT);
}
END_TEST

/* Name of the gauge, name of the counter ("" when there is none), and the labels behind the first four. */
static void check(const struct azure_row *row, const char *unit, const struct azure_dimension *dimensions,
                  size_t count, const char *name, const char *total, const char *labels)
{
    const struct azure_set set = {
        .dimensions = dimensions, .dimension_count = count, .rows = row, .row_count = 1};
    const struct azure_query data = {
        .set = &set, .resource = {.id = ACCOUNT, .name = "Logs", .group = "shop"}, .asked_id = ACCOUNT};
    cloud_plan_begin(plan);
    struct cloud_query *query =
        cloud_plan_query(plan, &(struct cloud_query_desc){.key = STR("q"), .period_ns = 1});
    const struct cloud_series *series = azure_series(state, plan, query, &data, 0, unit, dimensions);
    ck_assert_ptr_nonnull(series);
    ck_assert_str_eq(series->metric->desc.name, name);
    ck_assert_str_eq(series->metric->desc.total_name ? series->metric->desc.total_name : "", total);
    ck_assert_uint_eq(series->label_count, 4 + count);
    struct buf text = BUF_INIT(1024);
    for (size_t i = 0; i < series->label_count; i++)
        buf_printf(&text, "%s%.*s=%.*s", i ? " " : "", STR_ARGS(series->labels[i].name),
                   STR_ARGS(series->labels[i].value));
    ck_assert_str_eq(buf_text(&text),
                     arena_printf(arena,
                                  "resourceID=" ACCOUNT " resourceName=logs resourceGroup=shop "
                                  "subscriptionID=abcdef00-0000-0000-0000-000000000000%s",
                                  labels));
    buf_deinit(&text);
    cloud_plan_abort(plan);
}

#define PREFIX "azurerm_resource_metric_"

START_TEST(names_and_labels_are_azure_metrics_exporters)
{
    const struct azure_dimension one[] = {{"apiname", "GetBlob"}},
                                 two[] = {{"apiname", "GetBlob"}, {"tier.x", "Hot"}};
    check(&(struct azure_row){.name = "cpu_percent", .aggregation = AZ_AVERAGE}, "Percent", NULL, 0,
          PREFIX "cpu_percent_average_percent", "", "");
    check(&(struct azure_row){.name = "Network In Total", .aggregation = AZ_TOTAL}, "Bytes", NULL, 0,
          PREFIX "network_in_total_total_bytes", PREFIX "network_in_total_bytes_total", "");
    check(&(struct azure_row){.name = "Disk Read Bytes/sec", .aggregation = AZ_COUNT}, "BytesPerSecond", one,
          1, PREFIX "disk_read_bytes_sec_count_bytespersecond",
          PREFIX "disk_read_bytes_sec_count_bytespersecond_total", " dimension=GetBlob");
    check(&(struct azure_row){.name = "\\Memory(%)-a.b", .aggregation = AZ_MAXIMUM}, "Count", two, 2,
          PREFIX "memory_a_b_maximum_count", "", " dimensionApiname=GetBlob dimensionTierx=Hot");
}
END_TEST

static Suite *azure_names_suite(void)
{
    Suite *suite = suite_create("azure_names");
    TCase *tcase = tcase_create("azure_names");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, parts_of_an_id);
    tcase_add_test(tcase, a_namespace_inside_a_type_is_asked_of_its_service);
    tcase_add_test(tcase, names_and_labels_are_azure_metrics_exporters);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(azure_names_suite)
