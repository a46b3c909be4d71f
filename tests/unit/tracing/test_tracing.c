#include "tracing/tracing.h"

#include "lib/core/atomic.h"
#include "tests/support/support.h"
#include "tests/unit/tracing/otlp_build.h"
#include "tests/unit/tracing/snapshot_dump.h"

#include <pthread.h>
#include <stdlib.h>

struct tally {
    uint64_t good, bad;
};

static void tally_spans(void *ctx, const struct sli_span_counts *counts)
{
    struct tally *tally = ctx;
    tally->good += counts->good;
    tally->bad += counts->bad;
}

static const struct sli_span_selector requests = {.slo = "requests", .service = "shop", .entry = true};

static void receive_body(struct tracing *tracing, struct str body)
{
    const struct otlp_request request = {
        .signal = OTLP_TRACES, .content_type = "application/x-protobuf", .body = body};
    struct otlp_response response = {.body = BUF_INIT(1000)};
    tracing_receive(tracing, &request, &response);
    ck_assert_int_eq(response.http_status, 200);
    buf_deinit(&response.body);
}

static void build_requests(struct buf *body, size_t count)
{
    struct build_span *spans = calloc(count, sizeof *spans);
    ck_assert_ptr_nonnull(spans);
    for (size_t i = 0; i < count; i++)
        spans[i] = (struct build_span){.trace = 1,
                                       .span = i + 1,
                                       .name = i % 2 ? "GET /" : "POST /",
                                       .kind = 2,
                                       .status = i % 10 ? 0 : 2,
                                       .trace_state = i ? NULL : "ot=th:8",
                                       .end_ns = 1000 * i};
    *body = (struct buf)BUF_INIT(BUILD_MAX);
    build_group(body, "shop", NULL, spans, count, false);
    free(spans);
}

static char *page(struct hub *hub)
{
    struct buf out = BUF_INIT(1UL << 22);
    struct hub_view *view = hub_view_take(hub, "otlp", NULL);
    for (uint32_t i = 0; i < view->part_count; i++)
        if (i == 0 || view->parts[i].snapshot != view->parts[i - 1].snapshot)
            dump_snapshot(&out, view->parts[i].snapshot);
    (void)hub_view_unref(view);
    buf_append_byte(&out, '\0');
    return buf_take(&out);
}

enum { THREADS = 6, BODIES = 20, BODY_SPANS = 5000 };

struct worker {
    pthread_t thread;
    struct tracing *tracing;
    struct str body;
    struct counter *running;
};

static void *work(void *argument)
{
    struct worker *worker = argument;
    for (int i = 0; i < BODIES; i++)
        receive_body(worker->tracing, worker->body);
    counter_add(worker->running, (uint64_t)-1);
    return NULL;
}

/* Threads receive while another publishes and reconfigures: nothing is lost or counted twice. Run under TSan.
 */
START_TEST(concurrent_receiving_loses_nothing)
{
    struct hub *hub = hub_new(&(struct hub_options){.max_series = 100000});
    struct tally tally = {0};
    const struct sli_sink sink = {.ctx = &tally, .spans = tally_spans};
    const struct tracing_options options = {.region = "eu", .selectors = &requests, .selector_count = 1};
    struct tracing *tracing;
    struct buf body;
    struct counter running = {THREADS};
    struct worker workers[THREADS];
    ck_assert_int_eq(tracing_new(hub, &sink, &options, &tracing, NULL), 0);
    build_requests(&body, BODY_SPANS);
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.tracing = tracing, .body = buf_str(&body), .running = &running};
        ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (int64_t now = 1; counter_get(&running); now++) {
        tracing_publish(tracing, now, now);
        if (now % 16 == 0)
            ck_assert_int_eq(tracing_reconfigure(tracing, &options, NULL), 0);
    }
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(workers[i].thread, NULL);
    tracing_publish(tracing, 1, 1);
    ck_assert_uint_eq(tally.good + tally.bad, (uint64_t)THREADS * BODIES * BODY_SPANS);
    ck_assert_uint_eq(tally.bad, (uint64_t)THREADS * BODIES * BODY_SPANS / 10);
    char *text = page(hub);
    ck_assert_contains(text, "span_name=\"GET /\",status_code=\"STATUS_CODE_UNSET\"} 300000\n");
    ck_assert_contains(text, "fraiseql_otlp_spans_total{} 600000\n");
    free(text);
    buf_deinit(&body);
    tracing_free(tracing);
    hub_free(hub);
}
END_TEST

START_TEST(says_what_it_is_doing)
{
    struct hub *hub = hub_new(&(struct hub_options){.max_series = 100000});
    const struct tracing_options options = {.region = "eu", .max_series = 2000};
    struct tracing *tracing;
    struct buf body;
    ck_assert_int_eq(tracing_new(hub, NULL, &options, &tracing, NULL), 0);
    build_requests(&body, 10);
    receive_body(tracing, buf_str(&body));
    tracing_publish(tracing, 1, 1);
    char *text = page(hub);
    ck_assert_contains(text, "fraiseql_otlp_label_sets{} 3\n");
    ck_assert_contains(text, "fraiseql_otlp_label_sets_limit{} 100\n");
    ck_assert_contains(text, "fraiseql_otlp_sampled_spans_total{} 1\n");
    ck_assert_contains(text, "fraiseql_otlp_skewed_spans_total{} 0\n");
    ck_assert_contains(text, "fraiseql_otlp_overflow_spans_total{} 0\n");
    free(text);
    buf_deinit(&body);
    tracing_free(tracing);
    hub_free(hub);
}
END_TEST

START_TEST(refuses_selectors_that_cannot_be)
{
    struct hub *hub = hub_new(&(struct hub_options){.max_series = 100000});
    const struct sli_span_selector odd = {.slo = "odd", .kind = "SERVE"};
    struct tracing_options options = {.selectors = &odd, .selector_count = 1};
    struct tracing *tracing;
    struct error err = {0};
    ck_assert_int_eq(tracing_new(hub, NULL, &options, &tracing, &err), ERR_CONFIG);
    ck_assert_contains(err.message, "slo odd");
    options.selector_count = 0;
    ck_assert_int_eq(tracing_new(hub, NULL, &options, &tracing, &err), 0);
    options.selector_count = 1;
    ck_assert_int_eq(tracing_reconfigure(tracing, &options, &err), ERR_CONFIG); /* and the old ones go on */
    tracing_publish(tracing, 1, 1);
    tracing_free(tracing);
    tracing_free(NULL);
    hub_free(hub);
}
END_TEST

static Suite *suite(void)
{
    Suite *tested = suite_create("tracing");
    TCase *tests = tcase_create("tracing");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, concurrent_receiving_loses_nothing);
    tcase_add_test(tests, says_what_it_is_doing);
    tcase_add_test(tests, refuses_selectors_that_cannot_be);
    suite_add_tcase(tested, tests);
    return tested;
}

TEST_MAIN(suite)
