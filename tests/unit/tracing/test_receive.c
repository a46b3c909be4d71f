#include "lib/net/compress.h"
#include "tests/support/support.h"
#include "tests/unit/tracing/otlp_build.h"
#include "tests/unit/tracing/snapshot_dump.h"
#include "tracing/tracing.h"

#include <stdlib.h>
#include <zlib.h>

#define PROTOBUF "application/x-protobuf"

static struct hub *hub;
static struct tracing *tracing;
static struct buf answer;

static void start_with(size_t max_body_bytes, uint64_t max_inflight_bytes)
{
    const struct tracing_options options = {
        .region = "eu", .max_body_bytes = max_body_bytes, .max_inflight_bytes = max_inflight_bytes};
    struct error err = {0};
    hub = hub_new(&(struct hub_options){.max_series = 1000000});
    ck_assert_msg(tracing_new(hub, NULL, &options, &tracing, &err) == 0, "%s", err.message);
    buf_init(&answer, 100000);
}

static void start(void)
{
    start_with(0, 0);
}

static void stop(void)
{
    tracing_free(tracing);
    hub_free(hub);
    buf_deinit(&answer);
}

static struct otlp_response receive(enum otlp_signal signal, const char *type, const char *coding,
                                    struct str body)
{
    const struct otlp_request request = {
        .signal = signal, .content_type = type, .content_encoding = coding, .body = body};
    buf_reset(&answer);
    struct otlp_response response = {.http_status = 0, .body = answer};
    tracing_receive(tracing, &request, &response);
    answer = response.body;
    buf_append_byte(&answer, '\0'); /* so that tests may search it as text */
    answer.len--;
    response.body = answer;
    return response;
}

/* The value of a line of the published pages, "" when it is not there. */
static char *page(void)
{
    struct buf out = BUF_INIT(1UL << 22);
    tracing_publish(tracing, 1, 1);
    struct hub_view *view = hub_view_take(hub, NULL, NULL);
    for (uint32_t i = 0; i < view->part_count; i++)
        if (i == 0 || view->parts[i].snapshot != view->parts[i - 1].snapshot)
            dump_snapshot(&out, view->parts[i].snapshot);
    (void)hub_view_unref(view);
    buf_append_byte(&out, '\0');
    return buf_take(&out);
}

static void expect_line(const char *line)
{
    char *text = page();
    ck_assert_contains(text, line);
    free(text);
}

static void build_body(struct buf *body)
{
    const struct build_span spans[] = {
        {.trace = 1,
         .span = 2,
         .name = "GET /",
         .kind = 2,
         .start_ns = 0,
         .end_ns = 1000000,
         .attributes = 4},
        {.trace = 1, .span = 3, .parent = 2, .name = "SELECT", .kind = 3, .start_ns = 0, .end_ns = 500000}};
    *body = (struct buf)BUF_INIT(BUILD_MAX);
    build_group(body, "shop", NULL, spans, 2, true);
}

static struct buf gzip_of(struct str plain)
{
    struct compressor *compressor CLEANUP(compressor_free_cleanup) = compressor_new(6);
    struct buf out = BUF_INIT(BUILD_MAX);
    struct gzip_block block, trailer = {0, 0};
    compress_gzip_header(&out);
    compress_block(compressor, plain, &out, &block);
    compress_gzip_add(&trailer, &block);
    compress_gzip_trailer(&trailer, &out);
    return out;
}

START_TEST(full_success_is_an_empty_body)
{
    struct buf body;
    build_body(&body);
    struct otlp_response response = receive(OTLP_TRACES, PROTOBUF "; charset=utf-8", NULL, buf_str(&body));
    ck_assert_int_eq(response.http_status, 200);
    ck_assert_str_eq(response.content_type, PROTOBUF);
    ck_assert_uint_eq(response.body.len, 0);
    response =
        receive(OTLP_TRACES, PROTOBUF, NULL, (struct str){NULL, 0}); /* an empty request must succeed */
    ck_assert_int_eq(response.http_status, 200);
    ck_assert_uint_eq(response.body.len, 0);
    expect_line(
        "traces_span_metrics_calls_total{region=\"eu\",service_name=\"shop\",span_kind=\"SPAN_KIND_SERVER\","
        "span_name=\"GET /\",status_code=\"STATUS_CODE_UNSET\"} 1\n");
    expect_line("fraiseql_otlp_requests_total{code=\"200\",signal=\"traces\"} 2\n");
    expect_line("fraiseql_otlp_spans_total{} 2\n");
    expect_line("fraiseql_otlp_inflight_bytes{} 0\n");
    buf_deinit(&body);
}
END_TEST

START_TEST(takes_gzip_and_deflate)
{
    struct buf body;
    build_body(&body);
    struct buf gzip = gzip_of(buf_str(&body));
    uLongf deflated_len = compressBound(body.len);
    unsigned char *deflated = malloc(deflated_len);
    ck_assert_ptr_nonnull(deflated);
    ck_assert_int_eq(compress2(deflated, &deflated_len, (const unsigned char *)body.data, body.len, 6), Z_OK);
    ck_assert_int_eq(receive(OTLP_TRACES, PROTOBUF, "gzip", buf_str(&gzip)).http_status, 200);
    buf_append(&gzip, gzip.data, gzip.len); /* two members: the request twice over */
    ck_assert_int_eq(receive(OTLP_TRACES, PROTOBUF, "GZip", buf_str(&gzip)).http_status, 200);
    ck_assert_int_eq(
        receive(OTLP_TRACES, PROTOBUF, "deflate", (struct str){(char *)deflated, deflated_len}).http_status,
        200);
    expect_line("fraiseql_otlp_spans_total{} 8\n");
    expect_line("fraiseql_otlp_inflight_bytes{} 0\n");
    free(deflated);
    buf_deinit(&gzip);
    buf_deinit(&body);
}
END_TEST

START_TEST(partial_success_counts_and_says_why)
{
    const struct build_span spans[] = {{.trace = 1, .span = 2, .name = "ok"}, {.trace = 1, .name = "no id"}};
    struct buf body = BUF_INIT(BUILD_MAX);
    build_group(&body, "shop", NULL, spans, 2, false);
    struct otlp_response response = receive(OTLP_TRACES, PROTOBUF, NULL, buf_str(&body));
    ck_assert_int_eq(response.http_status, 200);
    ck_assert_uint_gt(response.body.len, 10);
    ck_assert_int_eq(response.body.data[0], 0x0a); /* partial_success */
    ck_assert_int_eq(response.body.data[2], 0x08); /* rejected_spans */
    ck_assert_int_eq(response.body.data[3], 1);
    ck_assert_contains(response.body.data + 6,
                       "1 of 2 spans rejected; the first is span 2: span_id is not 8 bytes");
    expect_line("fraiseql_otlp_rejected_spans_total{reason=\"span_id\"} 1\n");
    buf_deinit(&body);
}
END_TEST

START_TEST(damage_is_400_with_a_status)
{
    struct otlp_response response = receive(OTLP_TRACES, PROTOBUF, NULL, STR("\x0a\x7f"));
    ck_assert_int_eq(response.http_status, 400);
    ck_assert_str_eq(response.content_type, PROTOBUF);
    ck_assert_int_eq(response.body.data[0], 8);
    ck_assert_int_eq(response.body.data[1], 3);
    ck_assert_contains(response.body.data + 4, "near byte");
    response = receive(OTLP_TRACES, PROTOBUF, "gzip", STR("this is no gzip at all"));
    ck_assert_int_eq(response.http_status, 400);
    ck_assert_contains(response.body.data + 4, "cannot decompress");
    expect_line("fraiseql_otlp_refused_requests_total{reason=\"compression\"} 1\n");
    expect_line("fraiseql_otlp_refused_requests_total{reason=\"damaged\"} 1\n");
    expect_line("fraiseql_otlp_inflight_bytes{} 0\n");
}
END_TEST

START_TEST(other_types_and_codings_are_415)
{
    struct otlp_response response = receive(OTLP_TRACES, "application/json", NULL, STR("{}"));
    ck_assert_int_eq(response.http_status, 415);
    ck_assert_str_eq(response.content_type, "application/json");
    ck_assert_contains(response.body.data, "{\"code\":3,\"message\":\"OTLP as JSON is not supported yet");
    response = receive(OTLP_TRACES, "application/grpc", NULL, STR(""));
    ck_assert_int_eq(response.http_status, 415);
    ck_assert_str_eq(response.content_type, "text/plain; charset=utf-8");
    ck_assert_contains(response.body.data, "application/x-protobuf");
    ck_assert_int_eq(receive(OTLP_TRACES, NULL, NULL, STR("")).http_status, 415);
    response = receive(OTLP_TRACES, PROTOBUF, "zstd", STR("x"));
    ck_assert_int_eq(response.http_status, 415);
    ck_assert_contains(response.body.data + 4, "gzip, deflate or none");
}
END_TEST

START_TEST(metrics_and_logs_are_404_and_final)
{
    struct otlp_response response = receive(OTLP_METRICS, PROTOBUF, NULL, STR("x"));
    ck_assert_int_eq(response.http_status, 404);
    ck_assert_int_eq(response.retry_after_s, 0);
    ck_assert_contains(response.body.data + 4, "OTEL_METRICS_EXPORTER=none");
    response = receive(OTLP_LOGS, "application/json", NULL, STR("{}"));
    ck_assert_int_eq(response.http_status, 404);
    ck_assert_contains(response.body.data, "\"code\":12");
    expect_line("fraiseql_otlp_requests_total{code=\"404\",signal=\"logs\"} 1\n");
}
END_TEST

START_TEST(a_post_to_the_root_is_told_by_its_bytes)
{
    struct buf body, record = BUF_INIT(BUILD_MAX), scope = BUF_INIT(BUILD_MAX), group = BUF_INIT(BUILD_MAX);
    struct buf metrics = BUF_INIT(BUILD_MAX);
    build_body(&body);
    build_bytes(&record, 1, STR("http.server.duration"));
    build_message(&scope, 2, &record);
    build_message(&group, 2, &scope);
    build_message(&metrics, 1, &group);
    ck_assert_int_eq(receive(OTLP_SNIFF, PROTOBUF, NULL, buf_str(&body)).http_status, 200);
    ck_assert_int_eq(receive(OTLP_SNIFF, PROTOBUF, NULL, buf_str(&metrics)).http_status, 404);
    ck_assert_int_eq(receive(OTLP_SNIFF, PROTOBUF, NULL, STR("{\"a\":1}")).http_status, 400);
    expect_line("fraiseql_otlp_spans_total{} 2\n");
    expect_line("fraiseql_otlp_requests_total{code=\"200\",signal=\"traces\"} 1\n");
    expect_line("fraiseql_otlp_requests_total{code=\"404\",signal=\"metrics\"} 1\n");
    expect_line("fraiseql_otlp_requests_total{code=\"400\",signal=\"unknown\"} 1\n");
    expect_line("fraiseql_otlp_root_requests_total{} 3\n");
    buf_deinit(&body);
    buf_deinit(&record);
    buf_deinit(&scope);
    buf_deinit(&group);
    buf_deinit(&metrics);
}
END_TEST

/* 3 MB of zeros in 3 kB, with and without a lie in the last four bytes about their length. */
START_TEST(gzip_bombs_are_413)
{
    size_t len = 3000000;
    char *zeros = calloc(1, len);
    ck_assert_ptr_nonnull(zeros);
    struct buf bomb = gzip_of((struct str){zeros, len});
    ck_assert_uint_lt(bomb.len, 10000);
    stop();
    start_with(1000000, 0);
    struct otlp_response response = receive(OTLP_TRACES, PROTOBUF, "gzip", buf_str(&bomb));
    ck_assert_int_eq(response.http_status, 413);
    ck_assert_contains(response.body.data + 4, "over 1000000 bytes when decompressed");
    memset(bomb.data + bomb.len - 4, 0, 4);
    response = receive(OTLP_TRACES, PROTOBUF, "gzip", buf_str(&bomb));
    ck_assert(response.http_status == 413 || response.http_status == 400);
    response = receive(OTLP_TRACES, PROTOBUF, NULL, (struct str){zeros, len});
    ck_assert_int_eq(response.http_status, 413);
    expect_line("fraiseql_otlp_inflight_bytes{} 0\n");
    buf_deinit(&bomb);
    free(zeros);
}
END_TEST

START_TEST(too_much_in_flight_is_503_to_be_retried)
{
    struct buf body;
    build_body(&body);
    stop();
    start_with(1000, body.len - 1);
    struct otlp_response response = receive(OTLP_TRACES, PROTOBUF, NULL, buf_str(&body));
    ck_assert_int_eq(response.http_status, 503);
    ck_assert_int_gt(response.retry_after_s, 0);
    expect_line("fraiseql_otlp_refused_requests_total{reason=\"memory\"} 1\n");
    expect_line("fraiseql_otlp_inflight_bytes{} 0\n");
    buf_deinit(&body);
}
END_TEST

static Suite *suite(void)
{
    Suite *tested = suite_create("receive");
    TCase *tests = tcase_create("receive");
    tcase_add_checked_fixture(tests, start, stop);
    tcase_add_test(tests, full_success_is_an_empty_body);
    tcase_add_test(tests, takes_gzip_and_deflate);
    tcase_add_test(tests, partial_success_counts_and_says_why);
    tcase_add_test(tests, damage_is_400_with_a_status);
    tcase_add_test(tests, other_types_and_codings_are_415);
    tcase_add_test(tests, metrics_and_logs_are_404_and_final);
    tcase_add_test(tests, a_post_to_the_root_is_told_by_its_bytes);
    tcase_add_test(tests, gzip_bombs_are_413);
    tcase_add_test(tests, too_much_in_flight_is_503_to_be_retried);
    suite_add_tcase(tested, tests);
    return tested;
}

TEST_MAIN(suite)
