#include "lib/core/clock.h"
#include "scrapers/cloudflare/cloudflare_internal.h"
#include "tests/support/support.h"

#include <stdlib.h>

#define MIN     (60 * NS_PER_S)
#define START   (INT64_C(1800000000) * NS_PER_S)
#define ZONE_A  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ZONE_B  "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define ACCOUNT "cccccccccccccccccccccccccccccccc"

static struct arena *arena;
static struct cloudflare_config config;
static struct cloudflare_state *state;
static struct cloud_plan *plan;
static struct cloud_query *queries[16];
static struct cloud_batch batch;
static struct cloud_reading reading;
static struct cloud_outcome outcome;
static struct error err;

static const char zones_answer[] =
    "{\"success\":true,\"result\":["
    "{\"id\":\"" ZONE_A "\",\"name\":\"example.com\",\"account\":{\"id\":\"" ACCOUNT "\",\"name\":\"Shop\"}},"
    "{\"id\":\"../../x\",\"name\":\"example.com\"},7,"
    "{\"id\":\"" ZONE_B "\",\"name\":\"example.org\",\"account\":{\"id\":\"" ACCOUNT "\",\"name\":\"Shop\"}},"
    "{\"id\":\"dddddddddddddddddddddddddddddddd\",\"name\":\"foreign.net\"}]}";

static int discover(int status, const char *body, enum cloud_step *ret_step)
{
    const struct http_response answer = {.status = status, .body = str_from(body)};
    struct cloud_request request = {0};
    outcome = (struct cloud_outcome){.verdict = CLOUD_DONE};
    cloud_plan_begin(plan);
    ck_assert_int_eq(cloudflare_discover(state, plan, NULL, START, arena, ret_step, &request, &outcome, &err),
                     0);
    ck_assert_int_eq(*ret_step, CLOUD_SEND);
    ck_assert_str_eq(request.http.url, "http://127.0.0.1:1/client/v4/zones?per_page=50&page=1");
    int code = cloudflare_discover(state, plan, &answer, START, arena, ret_step, &request, &outcome, &err);
    if (code == 0 && *ret_step == CLOUD_READY)
        cloud_plan_end(plan);
    else
        cloud_plan_abort(plan);
    return code;
}

static void take(void)
{
    batch = (struct cloud_batch){.queries = queries, .period_ns = MIN};
    batch.count = cloud_plan_take(plan, START, 1, 10, 0, queries, &batch.from_ns, &batch.to_ns);
    cloud_reading_deinit(&reading);
    cloud_reading_init(&reading, plan, batch.count);
}

static void begin(void)
{
    static const char yaml[] =
        "{ name: edge, zones: [example.com, example.org], token_file: /t, load_balancers: "
        "true, endpoint: 'http://127.0.0.1:1/' }";
    struct diag diag;
    struct node *root = NULL;
    enum cloud_step step;
    arena = arena_new(0);
    diag_init(&diag);
    config = (struct cloudflare_config){0};
    ck_assert_int_eq(yaml_parse(arena, "test.yaml", STR(yaml), &root, &diag), 0);
    ck_assert_int_eq(option_parse(&cloudflare_section, root, arena, &config, &diag), 0);
    diag_deinit(&diag);
    state = cloudflare_state_new(&config);
    plan = cloud_plan_new(&(struct cloud_plan_options){.settle_ns = MIN,
                                                       .late_ns = 5 * MIN,
                                                       .retention_ns = 900 * MIN,
                                                       .catch_up_ns = 600 * MIN,
                                                       .max_series = 1000});
    cloud_reading_init(&reading, plan, 0);
    ck_assert_int_eq(discover(200, zones_answer, &step), 0);
    ck_assert_int_eq(step, CLOUD_READY);
    take();
    ck_assert_uint_eq(batch.count, 2);
    error_clear(&err);
}

static void end(void)
{
    cloud_reading_deinit(&reading);
    cloud_plan_free(plan);
    cloudflare_state_free(state);
    arena_free(arena);
}

static int read_answer(int status, const char *body)
{
    const struct http_response answer = {.status = status, .body = str_from(body)};
    outcome = (struct cloud_outcome){.verdict = CLOUD_DONE};
    return cloudflare_read(state, &batch, &answer, START, &reading, arena, &outcome, &err);
}

START_TEST(a_query_names_its_zones_and_window)
{
    struct cloud_request request;
    ck_assert_int_eq(cloudflare_render(state, &batch, arena, &request, &err), 0);
    ck_assert_str_eq(request.http.url, "http://127.0.0.1:1/client/v4/graphql");
    ck_assert_contains(request.http.body.ptr, "\"zones\":[\"" ZONE_A "\",\"" ZONE_B "\"]");
    ck_assert_contains(request.http.body.ptr, "\"from\":\"2027-01-15T07:55:00.000Z\"");
    ck_assert_contains(request.http.body.ptr, "\"to\":\"2027-01-15T08:00:00.000Z\"");
    batch.page = "1799999880";
    ck_assert_int_eq(cloudflare_render(state, &batch, arena, &request, &err), 0);
    ck_assert_contains(request.http.body.ptr, "\"from\":\"2027-01-15T07:58:00.000Z\"");
}
END_TEST

START_TEST(minutes_become_points_of_their_zone)
{
    ck_assert_int_eq(
        read_answer(200,
                    "{\"errors\":null,\"data\":{\"viewer\":{\"zones\":[{\"zoneTag\":\"" ZONE_B "\",\"rows\":["
                    "{\"dimensions\":{\"minute\":\"2027-01-15T07:57:00Z\"},\"uniq\":{\"uniques\":3},\"sum\":{"
                    "\"requests\":7,\"cachedRequests\":-1,\"responseStatusMap\":["
                    "{\"edgeResponseStatus\":503,\"requests\":2},{\"edgeResponseStatus\":\"x\"}]}},"
                    "{\"dimensions\":{\"minute\":\"2027-01-15T08:57:00Z\"}},{\"dimensions\":{}},9]},"
                    "{\"zoneTag\":\"none\",\"rows\":[]}]}}}"),
        0);
    ck_assert_int_eq(outcome.verdict, CLOUD_DONE);
    ck_assert_uint_eq(reading.point_count, 3);
    ck_assert_str_eq(reading.points[0].series->metric->desc.name, "cloudflare_zone_requests");
    ck_assert_double_eq(reading.points[0].value, 7);
    ck_assert_int_eq(reading.points[0].start_ns, START - 3 * MIN);
    ck_assert_uint_eq(reading.unknown, 2); /* the zone, and a minute outside of the window */
    ck_assert_int_eq(reading.queries[0].status, CLOUD_FAILED);
    ck_assert_int_eq(reading.queries[1].status, CLOUD_COMPLETE);
}
END_TEST

/* As many rows as fit, of the minutes given. */
static const char *full_answer(const char *first, const char *last)
{
    struct buf text = BUF_INIT(8UL << 20);
    buf_append_text(&text, "{\"data\":{\"viewer\":{\"zones\":[{\"zoneTag\":\"" ZONE_A "\",\"rows\":[");
    for (size_t i = 0; i < CLOUDFLARE_ROWS_MAX; i++)
        buf_printf(&text, "%s{\"dimensions\":{\"minute\":\"%s\"}}", i ? "," : "",
                   i < CLOUDFLARE_ROWS_MAX / 2 ? first : last);
    buf_append_text(&text, "]},{\"zoneTag\":\"" ZONE_B "\",\"rows\":[]}]}}}");
    const char *copy = arena_strdup(arena, buf_str(&text));
    buf_deinit(&text);
    return copy;
}

START_TEST(a_full_answer_goes_on_with_its_last_minute)
{
    ck_assert_int_eq(read_answer(200, full_answer("2027-01-15T07:55:00Z", "2027-01-15T07:57:00Z")), 0);
    ck_assert_int_eq(outcome.verdict, CLOUD_MORE);
    ck_assert_str_eq(outcome.page, "1799999820");
    batch.page = outcome.page;
    ck_assert_int_eq(read_answer(200, full_answer("2027-01-15T07:57:00Z", "2027-01-15T07:57:00Z")), 0);
    ck_assert_int_eq(outcome.verdict, CLOUD_DONE);
    ck_assert_int_eq(reading.queries[0].status, CLOUD_PARTIAL);
}
END_TEST

START_TEST(errors_are_told_apart)
{
    static const struct {
        int status;
        const char *body;
        enum cloud_verdict verdict;
    } cases[] = {
        {200, "{\"errors\":[{\"message\":\"rate limit reached\"}]}", CLOUD_THROTTLED},
        {200, "{\"errors\":[{\"message\":\"Internal server error\"}]}", CLOUD_PASSING},
        {200, "{\"errors\":[{\"message\":\"x\",\"extensions\":{\"code\":\"authz\"}}]}", CLOUD_SPLIT},
        {429, "", CLOUD_THROTTLED},
        {401, "{\"errors\":[{\"message\":\"Invalid\"}]}", CLOUD_EXPIRED},
        {502, "<html>", CLOUD_PASSING},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        ck_assert_int_eq(read_answer(cases[i].status, cases[i].body), 0);
        ck_assert_int_eq(outcome.verdict, cases[i].verdict);
    }
    ck_assert_int_eq(read_answer(403, "{\"errors\":[{\"message\":\"no\"}]}"), ERR_AUTH);
    ck_assert_int_eq(read_answer(200, "{"), ERR_PEER);
    ck_assert_int_eq(read_answer(200, "{\"data\":{\"viewer\":[]}}"), ERR_PEER);
    batch.count = 1;
    ck_assert_int_eq(read_answer(200, cases[2].body), 0);
    ck_assert_int_eq(outcome.verdict, CLOUD_DONE);
    ck_assert_int_eq(reading.queries[0].status, CLOUD_FORBIDDEN);
}
END_TEST

START_TEST(pools_tell_what_their_monitors_see)
{
    struct cloud_request request;
    take();
    ck_assert_uint_eq(batch.count, 2); /* the balancing of two zones */
    take();
    ck_assert_uint_eq(batch.count, 1);
    ck_assert_int_eq(cloudflare_render(state, &batch, arena, &request, &err), 0);
    ck_assert_str_eq(request.http.method, "GET");
    ck_assert_str_eq(request.http.url,
                     "http://127.0.0.1:1/client/v4/accounts/" ACCOUNT "/load_balancers/pools");
    ck_assert_int_eq(read_answer(200, "{\"result\":[{\"id\":\"" ZONE_A "\",\"name\":\"eu\",\"healthy\":false,"
                                      "\"origins\":[{\"name\":\"a\",\"healthy\":true},{\"name\":\"b\"},3]},"
                                      "{\"id\":\"?\",\"name\":\"x\"},[]]}"),
                     0);
    ck_assert_uint_eq(reading.point_count, 5);
    ck_assert_double_eq(reading.points[0].value, 0);
    ck_assert_str_eq(reading.points[1].series->metric->desc.name, "cloudflare_pool_origin_health_status");
    ck_assert_uint_eq(reading.unknown, 2);
    ck_assert_int_eq(read_answer(200, "{\"result\":{}}"), ERR_PEER);
}
END_TEST

START_TEST(discovery_refuses_what_it_cannot_use)
{
    enum cloud_step step;
    ck_assert_int_eq(discover(200, "{\"result\":[]}", &step), ERR_CONFIG);
    ck_assert_int_eq(discover(200, "{\"result\":7}", &step), ERR_PEER);
    ck_assert_int_eq(discover(503, "", &step), 0);
    ck_assert_int_eq(outcome.verdict, CLOUD_PASSING);
}
END_TEST

static Suite *cloudflare_query_suite(void)
{
    Suite *suite = suite_create("cloudflare_query");
    TCase *tcase = tcase_create("cloudflare_query");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_query_names_its_zones_and_window);
    tcase_add_test(tcase, minutes_become_points_of_their_zone);
    tcase_add_test(tcase, a_full_answer_goes_on_with_its_last_minute);
    tcase_add_test(tcase, errors_are_told_apart);
    tcase_add_test(tcase, pools_tell_what_their_monitors_see);
    tcase_add_test(tcase, discovery_refuses_what_it_cannot_use);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(cloudflare_query_suite)
