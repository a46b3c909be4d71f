#include "lib/core/clock.h"
#include "scrapers/google/google_internal.h"
#include "tests/support/support.h"

#define MIN   (60 * NS_PER_S)
#define START (INT64_C(1800000000) * NS_PER_S) /* 2027-01-15T08:00:00Z */
#define TYPE  "loadbalancing.googleapis.com/https/request_count"
#define BASE  "http://127.0.0.1:1/v3/projects/shop-1"

static struct arena *arena;
static struct google_config config;
static struct google_state *state;
static struct cloud_plan *plan;
static struct cloud_query *queries[4];
static struct cloud_batch batch;
static struct cloud_reading reading;
static struct cloud_outcome outcome;
static struct cloud_request request;
static struct error err;

static int discover(int status, const char *body, enum cloud_step *ret_step)
{
    const struct http_response answer = {.status = status, .body = str_from(body)};
    outcome = (struct cloud_outcome){.verdict = CLOUD_DONE};
    error_clear(&err);
    cloud_plan_begin(plan);
    ck_assert_int_eq(google_discover(state, plan, NULL, START, arena, ret_step, &request, &outcome, &err), 0);
    ck_assert_int_eq(*ret_step, CLOUD_SEND);
    ck_assert_str_eq(request.http.url, BASE "/metricDescriptors/" TYPE);
    int code = google_discover(state, plan, &answer, START, arena, ret_step, &request, &outcome, &err);
    if (code == 0 && *ret_step == CLOUD_READY)
        cloud_plan_end(plan);
    else
        cloud_plan_abort(plan);
    return code;
}

/* Discovers the type as one of that kind, and takes its batch. */
static void describe(const char *kind, const char *value)
{
    enum cloud_step step;
    const char *body = arena_printf(
        arena,
        "{\"type\":\"" TYPE "\",\"metricKind\":\"%s\",\"valueType\":\"%s\",\"unit\":\"1\",\"metadata\":"
        "{\"samplePeriod\":\"60s\",\"ingestDelay\":\"60s\"},\"monitoredResourceTypes\":[\"https_lb_rule\"]}",
        kind, value);
    ck_assert_int_eq(discover(200, body, &step), 0);
    ck_assert_int_eq(step, CLOUD_READY);
    batch = (struct cloud_batch){.queries = queries, .period_ns = MIN};
    batch.count = cloud_plan_take(plan, START, 1, 1, 0, queries, &batch.from_ns, &batch.to_ns);
    ck_assert_uint_eq(batch.count, 1);
    cloud_reading_deinit(&reading);
    cloud_reading_init(&reading, plan, batch.count);
}

static void begin(void)
{
    static const char yaml[] = "{ name: gcp, project: shop-1, endpoint: 'http://127.0.0.1:1/', "
                               "metrics: [ { type: " TYPE ", period: 60s } ] }";
    struct diag diag;
    struct node *root = NULL;
    arena = arena_new(0);
    diag_init(&diag);
    config = (struct google_config){0};
    ck_assert_int_eq(yaml_parse(arena, "test.yaml", STR(yaml), &root, &diag), 0);
    ck_assert_int_eq(option_parse(&google_section, root, arena, &config, &diag), 0);
    diag_deinit(&diag);
    state = google_state_new(&config);
    plan = cloud_plan_new(&(struct cloud_plan_options){.settle_ns = MIN,
                                                       .late_ns = 5 * MIN,
                                                       .retention_ns = 900 * MIN,
                                                       .catch_up_ns = 600 * MIN,
                                                       .max_series = 1000});
    cloud_reading_init(&reading, plan, 0);
    error_clear(&err);
}

static void end(void)
{
    cloud_reading_deinit(&reading);
    cloud_plan_free(plan);
    google_state_free(state);
    arena_free(arena);
}

static int read_answer(int status, const char *body)
{
    const struct http_response answer = {.status = status, .body = str_from(body)};
    outcome = (struct cloud_outcome){.verdict = CLOUD_DONE};
    error_clear(&err);
    return google_read(state, &batch, &answer, START, &reading, arena, &outcome, &err);
}

/* An answer with one series, of one point that ends at that minute of the hour before START. */
static const char *series(const char *minute, const char *value)
{
    return arena_printf(
        arena,
        "{\"timeSeries\":[{\"metric\":{\"type\":\"" TYPE "\",\"labels\":{\"code\":\"200\"}},"
        "\"resource\":{\"type\":\"https_lb_rule\",\"labels\":{\"url_map_name\":\"a:web\","
        "\"project_id\":\"shop-1\",\"code\":\"of the resource\",\"7\":\"no name\"}},\"points\":["
        "{\"interval\":{\"endTime\":\"2027-01-15T07:%s:00Z\"},\"value\":%s}]}]}",
        minute, value);
}

START_TEST(names_are_stackdriver_exporters)
{
    static const struct {
        const char *resource, *type, *name;
    } cases[] = {
        {"cloudsql_database", "cloudsql.googleapis.com/database/cpu/utilization",
         "stackdriver_cloudsql_database_cloudsql_googleapis_com_database_cpu_utilization"},
        {"k8s_container", "kubernetes.io/container/cpu/core_usage_time",
         "stackdriver_k_8_s_container_kubernetes_io_container_cpu_core_usage_time"},
        {"l3_lb_rule", "loadbalancing.googleapis.com/l3/external/RTTLatencies",
         "stackdriver_l_3_lb_rule_loadbalancing_googleapis_com_l_3_external_rtt_latencies"},
        {"global", "custom.googleapis.com/__myMetric--9/aB",
         "stackdriver_global_custom_googleapis_com_my_metric_9_a_b"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        ck_assert_str_eq(google_family_name(cases[i].resource, cases[i].type, arena), cases[i].name);
}
END_TEST

START_TEST(what_absence_means_is_known_or_said)
{
    static struct google_metric_config metrics[] = {
        {.type = "loadbalancing.googleapis.com/https/request_count"},
        {.type = "loadbalancing.googleapis.com/https/backend_request_count",
         .absent = GOOGLE_ABSENT_IS_UNKNOWN},
        {.type = "pubsub.googleapis.com/topic/send_request_count"},
        {.type = "run.googleapis.com/request_count", .absent = GOOGLE_ABSENT_IS_ZERO},
    };
    static const bool zero[] = {true, false, false, true};
    struct google_config own = config;
    own.metrics = (struct section_list){ARRAY_LEN(metrics), metrics};
    struct google_state *made = google_state_new(&own);
    ck_assert_uint_eq(made->wanted_count, ARRAY_LEN(metrics));
    for (size_t i = 0; i < ARRAY_LEN(metrics); i++)
        ck_assert_int_eq((made->wanted[i].metric.flags & GOOGLE_ABSENT_ZERO) != 0, zero[i]);
    google_state_free(made);
}
END_TEST

START_TEST(a_query_names_its_type_window_and_aligner)
{
    describe("DELTA", "INT64");
    batch.page = "a/b+=";
    ck_assert_int_eq(google_render(state, &batch, arena, &request, &err), 0);
    ck_assert_contains(request.http.url, BASE "/timeSeries?filter=metric.type%20%3D%20%22");
    ck_assert_contains(request.http.url, "&interval.endTime=2027-01-15T");
    ck_assert_contains(request.http.url,
                       "&aggregation.alignmentPeriod=60s&aggregation.perSeriesAligner=ALIGN_");
    ck_assert_contains(request.http.url, "&view=FULL&pageSize=100000&pageToken=a%2Fb%2B%3D");
    ck_assert_str_eq(request.http.method, "GET");
}
END_TEST

START_TEST(a_counter_of_googles_is_read_as_it_is)
{
    describe("CUMULATIVE", "INT64");
    ck_assert_int_eq(google_render(state, &batch, arena, &request, &err), 0);
    ck_assert_ptr_null(strstr(request.http.url, "aggregation"));
}
END_TEST

START_TEST(points_belong_to_the_minute_that_they_end)
{
    describe("DELTA", "INT64");
    ck_assert_int_eq(read_answer(200, series("57", "{\"int64Value\":\"12\"}")), 0);
    ck_assert_int_eq(outcome.verdict, CLOUD_DONE);
    ck_assert_uint_eq(outcome.units, 1);
    ck_assert_uint_eq(reading.point_count, 1);
    const struct cloud_reading_point *point = &reading.points[0];
    ck_assert_double_eq(point->value, 12);
    ck_assert_int_eq(point->start_ns, START - 4 * MIN);
    ck_assert_str_eq(point->series->metric->desc.name,
                     "stackdriver_https_lb_rule_loadbalancing_googleapis_com_https_request_count");
    ck_assert_int_eq(point->series->metric->desc.kind, CLOUD_SUM);
    ck_assert(str_equal_text(point->series->resource, "web"));
    ck_assert_uint_eq(point->series->label_count, 4); /* unit, code, url_map_name, project_id */
    for (size_t i = 0; i < point->series->label_count; i++)
        ck_assert(!str_equal_text(point->series->labels[i].value, "of the resource"));
}
END_TEST

START_TEST(what_is_no_point_is_counted_and_left_out)
{
    static const char *const bad[] = {"{}",
                                      "7",
                                      "{\"doubleValue\":\"NaN\"}",
                                      "{\"int64Value\":\"x\"}",
                                      "{\"distributionValue\":{}}",
                                      "{\"stringValue\":\"7\"}"};
    describe("GAUGE", "DOUBLE");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        ck_assert_int_eq(read_answer(200, series("57", bad[i])), 0);
    ck_assert_uint_eq(reading.point_count, 0);
    ck_assert_uint_eq(reading.bad_points, ARRAY_LEN(bad));
    ck_assert_int_eq(read_answer(200, series("01", "{\"doubleValue\":1}")), 0); /* before the window */
    ck_assert_int_eq(read_answer(200, "{\"timeSeries\":[7,{\"points\":[]}]}"), 0);
    ck_assert_uint_eq(reading.point_count, 0);
    ck_assert_uint_eq(reading.unknown, 3);
}
END_TEST

START_TEST(a_distribution_has_counts_and_a_sum)
{
    describe("DELTA", "DISTRIBUTION");
    ck_assert_int_eq(
        read_answer(
            200, series("57", "{\"distributionValue\":{\"count\":\"3\",\"mean\":40,\"bucketOptions\":{"
                              "\"explicitBuckets\":{\"bounds\":[10,100]}},\"bucketCounts\":[\"1\",\"2\"]}}")),
        0);
    ck_assert_uint_eq(reading.point_count, 1);
    const struct cloud_reading_point *point = &reading.points[0];
    ck_assert_uint_eq(point->width, 4);
    const double values[] = {1, 2, 0, 120};
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        ck_assert_double_eq(point->values[i], values[i]);
    ck_assert_double_eq(point->bounds[1], 100);
}
END_TEST

START_TEST(many_buckets_are_merged_and_nonsense_is_none)
{
    static const char *const bad[] = {
        "{\"bucketCounts\":[\"1\",\"2\",\"3\"],\"bucketOptions\":{\"explicitBuckets\":{\"bounds\":[1]}}}",
        "{\"bucketCounts\":[\"-1\"],\"bucketOptions\":{\"explicitBuckets\":{\"bounds\":[1]}}}",
        "{\"bucketCounts\":[\"1\",\"1\"],\"bucketOptions\":{\"explicitBuckets\":{\"bounds\":[2,1]}}}",
        "{\"bucketCounts\":[\"1\",\"1\"],\"bucketOptions\":{\"linearBuckets\":{\"numFiniteBuckets\":1e9}}}"};
    describe("DELTA", "DISTRIBUTION");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        ck_assert_int_eq(
            read_answer(200, series("57", arena_printf(arena, "{\"distributionValue\":%s}", bad[i]))), 0);
    ck_assert_uint_eq(reading.point_count, 0);
    ck_assert_uint_eq(reading.bad_points, ARRAY_LEN(bad));
    ck_assert_int_eq(
        read_answer(200, series("57", "{\"distributionValue\":{\"count\":\"5\",\"mean\":2,\"bucketOptions\":{"
                                      "\"linearBuckets\":{\"numFiniteBuckets\":199,\"width\":1}},"
                                      "\"bucketCounts\":[\"1\",\"1\",\"1\",\"1\",\"1\"]}}")),
        0);
    ck_assert_uint_eq(reading.point_count, 1);
    ck_assert_uint_le(reading.points[0].width, GOOGLE_BOUNDS_MAX + 2);
    double sum = 0;
    for (uint32_t i = 0; i + 1 < reading.points[0].width; i++)
        sum += reading.points[0].values[i];
    ck_assert_double_eq(sum, 5);
}
END_TEST

START_TEST(a_page_goes_on_and_errors_inside_are_partial)
{
    describe("GAUGE", "DOUBLE");
    ck_assert_int_eq(read_answer(200, "{\"nextPageToken\":\"more\"}"), 0);
    ck_assert_int_eq(outcome.verdict, CLOUD_MORE);
    ck_assert_str_eq(outcome.page, "more");
    ck_assert_uint_eq(outcome.units, 1);
    ck_assert_int_eq(read_answer(200, "{\"executionErrors\":[{\"code\":4,\"message\":\"a shard is slow\"}]}"),
                     0);
    ck_assert_int_eq(outcome.verdict, CLOUD_DONE);
    ck_assert_int_eq(reading.queries[0].status, CLOUD_PARTIAL);
    ck_assert_str_eq(reading.queries[0].message, "a shard is slow");
}
END_TEST

START_TEST(failures_mean_what_they_mean)
{
    static const struct {
        int status;
        enum cloud_verdict verdict;
    } rows[] = {{401, CLOUD_EXPIRED},   {403, CLOUD_REFUSED}, {400, CLOUD_REFUSED},
                {429, CLOUD_THROTTLED}, {500, CLOUD_PASSING}, {503, CLOUD_PASSING}};
    describe("GAUGE", "DOUBLE");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int code = read_answer(rows[i].status, "{\"error\":{\"message\":\"why not\"}}");
        ck_assert_int_eq(outcome.verdict, rows[i].verdict);
        ck_assert_int_eq(code != 0, rows[i].verdict == CLOUD_REFUSED);
        ck_assert_contains(err.message, "why not");
    }
    ck_assert_int_ne(read_answer(200, "<html>"), 0);
    ck_assert_contains(err.message, "not JSON");
}
END_TEST

START_TEST(a_type_that_is_not_there_is_told_and_another_one_refused)
{
    enum cloud_step step;
    ck_assert_int_eq(discover(404, "{}", &step), 0);
    ck_assert_int_eq(step, CLOUD_READY);
    ck_assert_str_eq(cloud_plan_infos(plan)->name, "stackdriver_metric_type_found");
    ck_assert_double_eq(cloud_plan_infos(plan)->value, 0);
    ck_assert_ptr_null(cloud_plan_queries(plan));
    ck_assert_int_ne(discover(200, "{\"type\":\"another\"}", &step), 0);
    ck_assert_int_ne(discover(403, "{\"error\":{\"message\":\"denied\"}}", &step), 0);
    ck_assert_contains(err.message, "403: denied");
}
END_TEST

static Suite *google_series_suite(void)
{
    Suite *suite = suite_create("google_series");
    TCase *tcase = tcase_create("google_series");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, names_are_stackdriver_exporters);
    tcase_add_test(tcase, what_absence_means_is_known_or_said);
    tcase_add_test(tcase, a_query_names_its_type_window_and_aligner);
    tcase_add_test(tcase, a_counter_of_googles_is_read_as_it_is);
    tcase_add_test(tcase, points_belong_to_the_minute_that_they_end);
    tcase_add_test(tcase, what_is_no_point_is_counted_and_left_out);
    tcase_add_test(tcase, a_distribution_has_counts_and_a_sum);
    tcase_add_test(tcase, many_buckets_are_merged_and_nonsense_is_none);
    tcase_add_test(tcase, a_page_goes_on_and_errors_inside_are_partial);
    tcase_add_test(tcase, failures_mean_what_they_mean);
    tcase_add_test(tcase, a_type_that_is_not_there_is_told_and_another_one_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(google_series_suite)
