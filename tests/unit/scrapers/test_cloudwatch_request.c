#include "lib/core/clock.h"
#include "scrapers/cloudwatch/cloudwatch_internal.h"
#include "tests/support/support.h"

#include <stdlib.h>

#define MIN   (60 * NS_PER_S)
#define START (INT64_C(1800000000) * NS_PER_S)

static struct arena *arena;
static struct cloudwatch_config config;
static struct cloudwatch_state *state;
static struct cloud_plan *plan;
static struct cloud_query *queries[16];
static struct cloud_batch batch;
static struct cloud_reading reading;
static struct error err;

/* One metric with two statistics and one with one, of a store each. */
static void begin(void)
{
    static const char yaml[] =
        "{ name: aws, location: us-east-1, endpoint: 'http://127.0.0.1:1', metrics: ["
        "  { namespace: Shop, name: Orders, statistics: [Sum, p95], dimensions: { Store: a } },"
        "  { namespace: Shop, name: Carts, statistics: [Average], dimensions: { Store: b } }] }";
    struct diag diag;
    struct node *root = NULL;
    arena = arena_new(0);
    diag_init(&diag);
    config = (struct cloudwatch_config){0};
    ck_assert_int_eq(yaml_parse(arena, "test.yaml", STR(yaml), &root, &diag), 0);
    ck_assert_int_eq(option_parse(&cloudwatch_section, root, arena, &config, &diag), 0);
    diag_deinit(&diag);
    state = cloudwatch_state_new(&config);
    state->account = "123456789012";
    plan = cloud_plan_new(&(struct cloud_plan_options){
        .settle_ns = MIN, .late_ns = 5 * MIN, .retention_ns = 900 * MIN, .catch_up_ns = 600 * MIN});
    enum cloud_step step;
    struct cloud_outcome outcome = {0};
    struct cloud_request request;
    cloud_plan_begin(plan);
    ck_assert_int_eq(cloudwatch_discover(state, plan, NULL, START, arena, &step, &request, &outcome, &err),
                     0);
    ck_assert_int_eq(step, CLOUD_READY); /* every value is exact: nothing is asked */
    cloud_plan_end(plan);
    batch = (struct cloud_batch){.queries = queries, .lane = "us-east-1", .period_ns = MIN};
    batch.count = cloud_plan_take(plan, START, 1, 500, 0, queries, &batch.from_ns, &batch.to_ns);
    ck_assert_uint_eq(batch.count, 2);
    cloud_reading_init(&reading, plan, batch.count);
    error_clear(&err);
}

static void end(void)
{
    cloud_reading_deinit(&reading);
    cloud_plan_free(plan);
    cloudwatch_state_free(state);
    arena_free(arena);
}

static int read_answer(int status, const char *body, struct cloud_outcome *ret_outcome)
{
    const struct http_response answer = {.status = status, .body = str_from(body)};
    *ret_outcome = (struct cloud_outcome){0};
    return cloudwatch_read(state, &batch, &answer, START, &reading, arena, ret_outcome, &err);
}

START_TEST(a_request_is_json_1_0)
{
    struct cloud_request request;
    ck_assert_int_eq(cloudwatch_render(state, &batch, arena, &request, &err), 0);
    ck_assert_str_eq(request.http.url, "http://127.0.0.1:1/");
    ck_assert_str_eq(request.http.headers[0].value, "application/x-amz-json-1.0");
    ck_assert_str_eq(request.http.headers[1].value, "GraniteServiceVersion20100801.GetMetricData");
    ck_assert_uint_eq(request.units, 2); /* metrics, not statistics */
    ck_assert_str_eq(
        request.http.body.ptr,
        "{\"StartTime\":1799999700,\"EndTime\":1800000000,\"ScanBy\":\"TimestampAscending\","
        "\"MetricDataQueries\":["
        "{\"Id\":\"q0_0\",\"MetricStat\":{\"Metric\":{\"Namespace\":\"Shop\",\"MetricName\":\"Orders\","
        "\"Dimensions\":[{\"Name\":\"Store\",\"Value\":\"a\"}]},\"Period\":60,\"Stat\":\"Sum\"},"
        "\"ReturnData\":true},"
        "{\"Id\":\"q0_1\",\"MetricStat\":{\"Metric\":{\"Namespace\":\"Shop\",\"MetricName\":\"Orders\","
        "\"Dimensions\":[{\"Name\":\"Store\",\"Value\":\"a\"}]},\"Period\":60,\"Stat\":\"p95\"},"
        "\"ReturnData\":true},"
        "{\"Id\":\"q1_0\",\"MetricStat\":{\"Metric\":{\"Namespace\":\"Shop\",\"MetricName\":\"Carts\","
        "\"Dimensions\":[{\"Name\":\"Store\",\"Value\":\"b\"}]},\"Period\":60,\"Stat\":\"Average\"},"
        "\"ReturnData\":true}]}");
    batch.page = "next";
    ck_assert_int_eq(cloudwatch_render(state, &batch, arena, &request, &err), 0);
    ck_assert_contains(request.http.body.ptr, "\"NextToken\":\"next\"");
    ck_assert_uint_eq(request.units, 0);
}
END_TEST

START_TEST(results_are_matched_by_id)
{
    struct cloud_outcome outcome;
    int code = read_answer(
        200,
        "{\"MetricDataResults\":[{\"Id\":\"q1_0\",\"Timestamps\":[1799999880.0],\"Values\":[4.5],"
        "\"StatusCode\":"
        "\"Complete\"},{\"Id\":\"q0_1\",\"Timestamps\":[],\"Values\":[],\"StatusCode\":\"Complete\"},"
        "{\"Id\":\"q0_0\",\"Timestamps\":[1.7999998E9,\"2027-01-15T07:57:00Z\"],\"Values\":[7,\"x\"],"
        "\"StatusCode\":\"Complete\"},{\"Id\":\"q9_0\"},{\"Id\":7},{\"Id\":\"q0_2\"}],\"Messages\":[]}",
        &outcome);
    ck_assert_int_eq(code, 0);
    ck_assert_int_eq(outcome.verdict, CLOUD_DONE);
    ck_assert_uint_eq(reading.point_count, 2);
    ck_assert_double_eq(reading.points[0].value, 4.5);
    ck_assert_str_eq(reading.points[0].series->metric->desc.name, "aws_shop_carts_average");
    ck_assert_int_eq(reading.points[1].start_ns, START - 240 * NS_PER_S);
    ck_assert_uint_eq(reading.bad_points, 1);
    ck_assert_uint_eq(reading.unknown, 3);
    ck_assert_int_eq(reading.queries[0].status, CLOUD_COMPLETE);
}
END_TEST

START_TEST(pages_are_one_answer)
{
    struct cloud_outcome outcome;
    ck_assert_int_eq(
        read_answer(200,
                    "{\"MetricDataResults\":[{\"Id\":\"q0_0\",\"Timestamps\":[1799999880],\"Values\":[1],"
                    "\"StatusCode\":\"PartialData\"}],\"NextToken\":\"t\"}",
                    &outcome),
        0);
    ck_assert_int_eq(outcome.verdict, CLOUD_MORE);
    ck_assert_str_eq(outcome.page, "t");
    ck_assert_int_eq(
        read_answer(200,
                    "{\"MetricDataResults\":[{\"Id\":\"q0_0\",\"Timestamps\":[1799999940],\"Values\":[2],"
                    "\"StatusCode\":\"Complete\"},{\"Id\":\"q0_1\",\"StatusCode\":\"Forbidden\","
                    "\"Messages\":[{\"Code\":\"Forbidden\",\"Value\":\"not yours\"}]}]}",
                    &outcome),
        0);
    ck_assert_int_eq(outcome.verdict, CLOUD_DONE);
    ck_assert_uint_eq(reading.point_count, 2);
    ck_assert_int_eq(reading.queries[0].status, CLOUD_FORBIDDEN);
    ck_assert_str_eq(reading.queries[0].message, "not yours");
    ck_assert_int_eq(reading.queries[1].status, CLOUD_FAILED); /* nothing was said of it */
}
END_TEST

START_TEST(a_partial_result_on_the_last_page_is_partial)
{
    struct cloud_outcome outcome;
    ck_assert_int_eq(read_answer(200,
                                 "{\"MetricDataResults\":[{\"Id\":\"q1_0\",\"StatusCode\":\"PartialData\"},"
                                 "{\"Id\":\"q0_0\",\"StatusCode\":\"InternalError\"}]}",
                                 &outcome),
                     0);
    ck_assert_int_eq(reading.queries[1].status, CLOUD_PARTIAL);
    ck_assert_int_eq(reading.queries[0].status, CLOUD_FAILED);
}
END_TEST

START_TEST(refusals_are_told_apart)
{
    struct cloud_outcome outcome;
    ck_assert_int_eq(
        read_answer(400, "{\"__type\":\"x#Throttling\",\"message\":\"Rate exceeded\"}", &outcome), 0);
    ck_assert_int_eq(outcome.verdict, CLOUD_THROTTLED);
    ck_assert_int_eq(read_answer(400, "{\"__type\":\"x#ExpiredTokenException\",\"message\":\"\"}", &outcome),
                     0);
    ck_assert_int_eq(outcome.verdict, CLOUD_EXPIRED);
    ck_assert_int_eq(read_answer(503, "<html>", &outcome), 0);
    ck_assert_int_eq(outcome.verdict, CLOUD_PASSING);
    ck_assert_int_eq(read_answer(413, "", &outcome), 0);
    ck_assert_int_eq(outcome.verdict, CLOUD_SPLIT);
    ck_assert_int_eq(
        read_answer(400, "{\"__type\":\"x#AccessDeniedException\",\"message\":\"no\"}", &outcome), ERR_AUTH);
    ck_assert_int_eq(outcome.verdict, CLOUD_REFUSED);
    ck_assert_int_eq(read_answer(200, "{", &outcome), ERR_PEER);
    ck_assert_int_eq(read_answer(200, "{}", &outcome), ERR_PEER);
    ck_assert_int_eq(read_answer(200, "{\"MetricDataResults\":{}}", &outcome), ERR_PEER);
}
END_TEST

static Suite *cloudwatch_request_suite(void)
{
    Suite *suite = suite_create("cloudwatch_request");
    TCase *tcase = tcase_create("cloudwatch_request");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_request_is_json_1_0);
    tcase_add_test(tcase, results_are_matched_by_id);
    tcase_add_test(tcase, pages_are_one_answer);
    tcase_add_test(tcase, a_partial_result_on_the_last_page_is_partial);
    tcase_add_test(tcase, refusals_are_told_apart);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(cloudwatch_request_suite)
