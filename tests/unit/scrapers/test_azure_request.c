#include "lib/core/clock.h"
#include "scrapers/azure/azure_internal.h"
#include "scrapers/cloud/vocabulary.h"
#include "tests/support/support.h"

#define MIN    (60 * NS_PER_S)
#define START  (INT64_C(1800000000) * NS_PER_S)
#define ID     "00000000-0000-0000-0000-000000000000"
#define BASE   "/subscriptions/" ID "/resourceGroups/Shop/providers/"
#define SERVER "Microsoft.Network/loadBalancers"
#define GLOBAL "Microsoft.Network/trafficManagerProfiles"
#define LOW    "/subscriptions/" ID "/resourcegroups/shop/providers/microsoft.network/loadbalancers/"

static struct arena *arena;
static struct azure_config config;
static struct azure_state *state;
static struct cloud_plan *plan;
static struct cloud_query *queries[AZURE_RESOURCES_MAX];
static struct cloud_batch batch;
static struct cloud_reading reading;
static struct cloud_outcome outcome;
static struct error err;

static const struct azure_cloud cloud = {"public", "https://login.invalid", "https://management.invalid"};

static const char listed[] =
    "{\"value\":[{\"id\":\"" BASE SERVER "/A\",\"name\":\"A\",\"type\":\"" SERVER
    "\",\"location\":\"westeurope\"},{\"id\":\"" BASE SERVER "/b\",\"name\":\"b\",\"type\":\"" SERVER
    "\",\"location\":\"westeurope\"},{\"id\":\"" BASE SERVER "/b\",\"name\":\"b\",\"type\":\"" SERVER
    "\",\"location\":\"westeurope\"},7,{\"id\":\"/../x\",\"name\":\"x\",\"type\":\"" SERVER
    "\",\"location\":\"westeurope\"},{\"id\":\"" BASE SERVER "/c\",\"name\":\"c\",\"type\":\"" SERVER
    "\",\"location\":\"evil.example/\"},{\"id\":\"" BASE
    "x/y\",\"name\":\"y\",\"type\":\"x/y\",\"location\":\"a\"},"
    "{\"id\":\"" BASE GLOBAL "/T\",\"name\":\"T\",\"type\":\"" GLOBAL "\",\"location\":\"global\"}]}";

static int discover(int status, const char *body, enum cloud_step *ret_step,
                    struct cloud_request *ret_request)
{
    const struct http_response answer = {.status = status, .body = str_from(body)};
    outcome = (struct cloud_outcome){.verdict = CLOUD_DONE};
    cloud_plan_begin(plan);
    ck_assert_int_eq(azure_discover(state, plan, NULL, START, arena, ret_step, ret_request, &outcome, &err),
                     0);
    ck_assert_int_eq(*ret_step, CLOUD_SEND);
    ck_assert_str_eq(ret_request->http.url,
                     "http://127.0.0.1:1/subscriptions/" ID
                     "/resourceGroups/Shop/resources?api-version=2021-04-01&$filter="
                     "resourceType%20eq%20%27Microsoft.Network%2FtrafficManagerProfiles%27%20or%20"
                     "resourceType%20eq%20%27Microsoft.Network%2FloadBalancers%27");
    ck_assert_uint_eq(ret_request->credential, AZ_MANAGER);
    int code = azure_discover(state, plan, &answer, START, arena, ret_step, ret_request, &outcome, &err);
    if (code == 0 && *ret_step == CLOUD_READY)
        cloud_plan_end(plan);
    else
        cloud_plan_abort(plan);
    return code;
}

static void take(const char *lane)
{
    do {
        batch = (struct cloud_batch){.queries = queries, .lane = lane, .period_ns = MIN};
        batch.count =
            cloud_plan_take(plan, START, 1, AZURE_RESOURCES_MAX, 0, queries, &batch.from_ns, &batch.to_ns);
        ck_assert_uint_gt(batch.count, 0);
    } while (strcmp(queries[0]->lane, lane) != 0);
    cloud_reading_deinit(&reading);
    cloud_reading_init(&reading, plan, batch.count);
}

static int configure(const char *yaml)
{
    struct diag diag;
    struct node *root = NULL;
    diag_init(&diag);
    config = (struct azure_config){0};
    ck_assert_int_eq(yaml_parse(arena, "test.yaml", str_from(yaml), &root, &diag), 0);
    int code = option_parse(&azure_section, root, arena, &config, &diag);
    diag_deinit(&diag);
    return code;
}

static void begin(void)
{
    enum cloud_step step;
    struct cloud_request request;
    arena = arena_new(0);
    ck_assert_int_eq(configure("{ name: a, subscription: " ID ", resource_group: Shop, profiles: "
                               "[load-balancer, traffic-manager], endpoint: 'http://127.0.0.1:1/' }"),
                     0);
    state = azure_state_new(&config, &cloud);
    plan = cloud_plan_new(&(struct cloud_plan_options){.settle_ns = MIN,
                                                       .late_ns = 5 * MIN,
                                                       .retention_ns = 900 * MIN,
                                                       .catch_up_ns = 600 * MIN,
                                                       .max_series = 1000});
    cloud_reading_init(&reading, plan, 0);
    ck_assert_int_eq(discover(200, listed, &step, &request), 0);
    ck_assert_int_eq(step, CLOUD_READY);
    error_clear(&err);
}

static void end(void)
{
    cloud_reading_deinit(&reading);
    cloud_plan_free(plan);
    azure_state_free(state);
    arena_free(arena);
}

static int read_answer(int status, const char *body)
{
    const struct http_response answer = {.status = status, .body = str_from(body)};
    outcome = (struct cloud_outcome){.verdict = CLOUD_DONE};
    return azure_read(state, &batch, &answer, START, &reading, arena, &outcome, &err);
}

START_TEST(resources_of_a_region_are_asked_for_in_one_call)
{
    struct cloud_request request;
    take("westeurope");
    ck_assert_uint_eq(batch.count, 2);
    ck_assert_int_eq(azure_render(state, &batch, arena, &request, &err), 0);
    ck_assert_str_eq(
        request.http.url,
        "http://127.0.0.1:1/subscriptions/" ID "/metrics:getBatch?api-version=2024-02-01"
        "&starttime=2027-01-15T07%3A55%3A00.000Z&endtime=2027-01-15T08%3A00%3A00.000Z"
        "&metricnamespace=Microsoft.Network%2FloadBalancers&metricnames=VipAvailability%2C"
        "DipAvailability%2CSYNCount%2CSnatConnectionCount%2CByteCount&aggregation=average%2Ctotal"
        "&interval=PT1M");
    ck_assert_contains(request.http.body.ptr, "{\"resourceids\":[\"" LOW);
    ck_assert_uint_eq(request.credential, AZ_MONITOR);
    ck_assert_uint_eq(request.units, 2);
    config.cloud.endpoint = NULL;
    ck_assert_int_eq(azure_render(state, &batch, arena, &request, &err), 0);
    ck_assert_contains(request.http.url,
                       "https://westeurope.metrics.monitor.azure.com/subscriptions/" ID "/");
}
END_TEST

START_TEST(a_global_resource_is_asked_of_resource_manager)
{
    struct cloud_request request;
    take("global");
    ck_assert_uint_eq(batch.count, 1);
    ck_assert_int_eq(azure_render(state, &batch, arena, &request, &err), 0);
    ck_assert_str_eq(request.http.method, "GET");
    ck_assert_contains(request.http.url, "/trafficmanagerprofiles/t/providers/microsoft.insights/metrics?");
    ck_assert_contains(request.http.url, "&timespan=2027-01-15T07:55:00.000Z/2027-01-15T08:00:00.000Z&");
    ck_assert_contains(request.http.url, "&$filter=EndpointName%20eq%20%27%2A%27&top=100");
    ck_assert_uint_eq(request.credential, AZ_MANAGER);
    ck_assert_int_eq(
        read_answer(200,
                    "{\"value\":[{\"name\":{\"value\":\"QpsByEndpoint\"},\"timeseries\":[{"
                    "\"metadatavalues\":[{\"name\":{\"value\":\"endpointname\"},\"value\":\"eu\"}],"
                    "\"data\":[{\"timeStamp\":\"2027-01-15T07:57:00Z\",\"total\":7}]},{\"data\":[]}]}]}"),
        0);
    ck_assert_uint_eq(reading.point_count, 1);
    ck_assert_double_eq(reading.points[0].value, 7);
    ck_assert(str_equal_text(reading.points[0].series->resource, "T"));
    ck_assert_uint_eq(reading.unknown, 1);
    ck_assert_int_eq(reading.queries[0].status, CLOUD_PARTIAL); /* its other metric was not told */
}
END_TEST

START_TEST(values_become_points_and_errors_concern_their_metric)
{
    take("westeurope");
    ck_assert_int_eq(
        read_answer(
            200,
            "{\"values\":[{\"resourceid\":\"" BASE SERVER "/A\",\"value\":["
            "{\"name\":{\"value\":\"vipavailability\"},\"errorCode\":\"Success\",\"timeseries\":[{\"data\":["
            "{\"timeStamp\":\"2027-01-15T07:57:00Z\",\"average\":100},"
            "{\"timeStamp\":\"2027-01-15T07:58:00Z\"},"
            "{\"timeStamp\":\"2027-01-15T07:58:00Z\",\"average\":\"x\"},{\"timeStamp\":\"y\"},"
            "{\"timeStamp\":\"2027-01-15T09:58:00Z\",\"average\":1}]}]},"
            "{\"name\":{\"value\":\"ByteCount\"},\"errorCode\":\"Throttled\",\"errorMessage\":\"not now\"}"
            "]},{\"resourceid\":\"/foreign\",\"value\":[]},5]}"),
        0);
    ck_assert_int_eq(outcome.verdict, CLOUD_DONE);
    ck_assert_uint_eq(reading.point_count, 1);
    ck_assert_double_eq(reading.points[0].value, 100);
    ck_assert_str_eq(reading.points[0].series->metric->desc.name,
                     "azurerm_resource_metric_vipavailability_average_count");
    ck_assert_uint_eq(reading.bad_points, 2);
    ck_assert_uint_eq(reading.unknown, 3);
    size_t told = queries[0]->data == reading.points[0].series->query->data ? 0 : 1;
    ck_assert_int_eq(reading.queries[told].status, CLOUD_PARTIAL);
    ck_assert_str_eq(reading.queries[told].message, "not now");
    ck_assert_int_eq(reading.queries[1 - told].status, CLOUD_FAILED);
}
END_TEST

START_TEST(failures_are_told_apart)
{
    static const struct {
        int status;
        enum cloud_verdict verdict;
    } cases[] = {{429, CLOUD_THROTTLED}, {529, CLOUD_THROTTLED}, {401, CLOUD_EXPIRED}, {500, CLOUD_PASSING},
                 {408, CLOUD_PASSING},   {403, CLOUD_SPLIT},     {400, CLOUD_SPLIT}};
    take("westeurope");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        ck_assert_int_eq(read_answer(cases[i].status, "{\"error\":{\"code\":\"x\"}}"), 0);
        ck_assert_int_eq(outcome.verdict, cases[i].verdict);
    }
    ck_assert_int_eq(read_answer(410, "<html>"), ERR_PEER);
    ck_assert_int_eq(read_answer(200, "{"), ERR_PEER);
    ck_assert_int_eq(read_answer(200, "{\"values\":7}"), ERR_PEER);
    batch.count = 1;
    ck_assert_int_eq(read_answer(403, "{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":\"no\"}}"),
                     0);
    ck_assert_int_eq(outcome.verdict, CLOUD_DONE);
    ck_assert_int_eq(reading.queries[0].status, CLOUD_FORBIDDEN);
    ck_assert_contains(reading.queries[0].message, "AuthorizationFailed: no");
}
END_TEST

START_TEST(a_next_page_must_be_resource_managers)
{
    enum cloud_step step;
    struct cloud_request request;
    ck_assert_int_eq(discover(200, "{\"value\":[],\"nextLink\":\"http://127.0.0.1:1/subscriptions/x?y=z\"}",
                              &step, &request),
                     0);
    ck_assert_int_eq(step, CLOUD_SEND);
    ck_assert_str_eq(request.http.url, "http://127.0.0.1:1/subscriptions/x?y=z");
    ck_assert_int_eq(
        discover(200, "{\"value\":[],\"nextLink\":\"http://127.0.0.1:1.evil.example/\"}", &step, &request),
        ERR_PEER);
    ck_assert_int_eq(discover(200, "{\"value\":7}", &step, &request), ERR_PEER);
    ck_assert_int_eq(discover(403, "{}", &step, &request), ERR_AUTH);
}
END_TEST

START_TEST(profiles_keep_to_what_azure_takes)
{
    for (const struct azure_set *set = azure_sets; set->profile; set++) {
        ck_assert_uint_le(set->row_count, AZURE_NAMES_MAX);
        ck_assert_ptr_nonnull(azure_grain(set->period_s));
        for (size_t i = 0; i < set->row_count; i++) {
            const struct azure_row *row = &set->rows[i];
            ck_assert(!row->word || cloud_common_find(row->word));
            ck_assert(!row->word || cloud_common_find(row->word)->counter == (row->aggregation == AZ_TOTAL));
        }
    }
}
END_TEST

START_TEST(a_configuration_is_judged)
{
    static const char *const bad[] = {
        "{ name: a, subscription: x, profiles: [vm] }",
        "{ name: a, subscription: " ID ", profiles: [rds] }",
        "{ name: a, subscription: " ID ", profiles: [] }",
        "{ name: a, subscription: " ID ", profiles: [vm], resource_group: a/b }",
        "{ name: a, subscription: " ID ", profiles: [vm], endpoint: 'http://192.0.2.1' }",
        "{ name: a, subscription: " ID ", profiles: [vm], credentials: { client: c, secret_file: /s } }",
        "{ name: a, subscription: " ID
        ", profiles: [vm], credentials: { tenant: t, client: c, secret_file: /s, token_file: /t } }",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        ck_assert_int_ne(configure(bad[i]), 0);
    ck_assert_int_eq(
        configure("{ name: a, subscription: " ID ", profiles: [vm], credentials: { client: c } }"), 0);
}
END_TEST

static Suite *azure_request_suite(void)
{
    Suite *suite = suite_create("azure_request");
    TCase *tcase = tcase_create("azure_request");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, resources_of_a_region_are_asked_for_in_one_call);
    tcase_add_test(tcase, a_global_resource_is_asked_of_resource_manager);
    tcase_add_test(tcase, values_become_points_and_errors_concern_their_metric);
    tcase_add_test(tcase, failures_are_told_apart);
    tcase_add_test(tcase, a_next_page_must_be_resource_managers);
    tcase_add_test(tcase, profiles_keep_to_what_azure_takes);
    tcase_add_test(tcase, a_configuration_is_judged);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(azure_request_suite)
