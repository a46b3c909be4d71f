/* Answers of Google Cloud Monitoring: the first byte says to what (d the descriptor, f a failure, else a
 * metric of that kind: g gauge, s sum, c counter, h distribution, b truth), the rest is the body. What is
 * read must be points of series of the plan, inside the window. */
#include "scrapers/google/google_internal.h"

#include <assert.h>
#include <math.h>

#define MIN   (60 * NS_PER_S)
#define START (INT64_C(1800000000) * NS_PER_S)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct google_metric_config metrics[] = {{.type = "a.example/b"}};
static const struct google_config config = {.target = {.name = "a", .region = "r"},
                                            .cloud = {.endpoint = "http://127.0.0.1:1"},
                                            .project = "p",
                                            .metrics = {1, metrics}};

static void discover(struct google_state *state, struct cloud_plan *plan, const struct http_response *answer)
{
    struct arena *arena = arena_new(0);
    enum cloud_step step = CLOUD_READY;
    struct cloud_request request = {0};
    struct cloud_outcome outcome = {.verdict = CLOUD_DONE};
    struct error err = {0};
    cloud_plan_begin(plan);
    int code = google_discover(state, plan, NULL, START, arena, &step, &request, &outcome, &err);
    assert(code == 0 && step == CLOUD_SEND);
    code = google_discover(state, plan, answer, START, arena, &step, &request, &outcome, &err);
    assert(code == 0 || err.message[0]);
    if (code == 0 && step == CLOUD_READY)
        cloud_plan_end(plan);
    else
        cloud_plan_abort(plan);
    arena_free(arena);
}

static void poll_batch(struct google_state *state, struct cloud_plan *plan, struct cloud_batch *batch,
                       const struct http_response *answer)
{
    struct arena *arena = arena_new(0);
    struct cloud_reading reading;
    struct cloud_request request;
    struct cloud_outcome outcome = {.verdict = CLOUD_DONE};
    struct error err = {0};
    cloud_reading_init(&reading, plan, batch->count);
    for (unsigned i = 0; i < 2; i++) {
        if (google_render(state, batch, arena, &request, &err) != 0 ||
            google_read(state, batch, answer, START, &reading, arena, &outcome, &err) != 0) {
            assert(err.message[0]);
            break;
        }
        assert(answer->status != 200 || outcome.units >= 1);
        if (outcome.verdict != CLOUD_MORE)
            break;
        batch->page = outcome.page;
    }
    for (size_t i = 0; i < reading.point_count; i++) {
        const struct cloud_reading_point *point = &reading.points[i];
        assert(point->start_ns >= batch->from_ns && point->start_ns < batch->to_ns);
        assert(cloud_plan_find(plan, str_from(point->series->key)) == point->series);
        assert(point->width <= GOOGLE_BOUNDS_MAX + 2);
        for (uint32_t k = 0; k < point->width && point->width > 1; k++)
            assert(isfinite(point->values[k]));
        for (uint32_t k = 1; k + 2 < point->width; k++)
            assert(point->bounds[k] > point->bounds[k - 1]);
        assert(point->width != 1 || isfinite(point->value));
    }
    cloud_reading_deinit(&reading);
    arena_free(arena);
}

static struct str descriptor_of(uint8_t kind)
{
#define DESCRIPTOR(kind, value)                                                                              \
    STR("{\"type\":\"a.example/b\",\"metricKind\":\"" kind "\",\"valueType\":\"" value                       \
        "\",\"monitoredResourceTypes\":[\"global\",\"gce_instance\"]}")
    switch (kind) {
    case 's':
        return DESCRIPTOR("DELTA", "INT64");
    case 'c':
        return DESCRIPTOR("CUMULATIVE", "DOUBLE");
    case 'h':
        return DESCRIPTOR("DELTA", "DISTRIBUTION");
    case 'b':
        return DESCRIPTOR("GAUGE", "BOOL");
    default:
        return DESCRIPTOR("GAUGE", "DOUBLE");
    }
#undef DESCRIPTOR
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const struct http_response good = {.status = 200, .body = descriptor_of(data[0])};
    const struct http_response answer = {.status = data[0] == 'f' ? 400 : 200,
                                         .body = {(const char *)data + 1, size - 1}};
    const struct http_response empty = {.status = 200, .body = STR("{}")};
    struct google_state *state = google_state_new(&config);
    struct cloud_plan *plan = cloud_plan_new(&(struct cloud_plan_options){.settle_ns = MIN,
                                                                          .late_ns = 10 * MIN,
                                                                          .retention_ns = 1000 * MIN,
                                                                          .catch_up_ns = 100 * MIN,
                                                                          .max_series = 50});
    struct cloud_query *queries[1];
    struct cloud_batch batch = {.queries = queries, .lane = "", .period_ns = MIN};
    discover(state, plan, data[0] == 'd' ? &answer : &good);
    batch.count = cloud_plan_take(plan, START, 1, 1, 0, queries, &batch.from_ns, &batch.to_ns);
    if (batch.count) {
        batch.period_ns = queries[0]->period_ns;
        poll_batch(state, plan, &batch, data[0] == 'd' ? &empty : &answer);
    }
    cloud_plan_free(plan);
    google_state_free(state);
    return 0;
}
