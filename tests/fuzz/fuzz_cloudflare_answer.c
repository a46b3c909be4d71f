/* Answers of Cloudflare: the first byte says to what (d discovery, l balancing, p pools, f a failure, else
 * analytics), the rest is the body. What is read must be points of series of the plan, inside the window. */
#include "scrapers/cloudflare/cloudflare_internal.h"

#include <assert.h>
#include <math.h>

#define MIN   (60 * NS_PER_S)
#define START (INT64_C(1800000000) * NS_PER_S)
#define ID    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *zones[] = {"*"};
static const struct cloudflare_config config = {.target = {.name = "a", .region = "r"},
                                                .cloud = {.endpoint = "http://127.0.0.1:1"},
                                                .zones = {1, zones},
                                                .token_file = "/t",
                                                .load_balancers = true};

static void discover(struct cloudflare_state *state, struct cloud_plan *plan,
                     const struct http_response *answer)
{
    struct arena *arena = arena_new(0);
    enum cloud_step step = CLOUD_READY;
    struct cloud_request request = {0};
    struct cloud_outcome outcome = {.verdict = CLOUD_DONE};
    struct error err = {0};
    cloud_plan_begin(plan);
    int code = cloudflare_discover(state, plan, NULL, START, arena, &step, &request, &outcome, &err);
    for (unsigned i = 0; code == 0 && step == CLOUD_SEND && outcome.verdict == CLOUD_DONE && i < 3; i++)
        code = cloudflare_discover(state, plan, answer, START, arena, &step, &request, &outcome, &err);
    assert(code == 0 || err.message[0]);
    if (code == 0 && step == CLOUD_READY)
        cloud_plan_end(plan);
    else
        cloud_plan_abort(plan);
    arena_free(arena);
}

static void poll_batch(struct cloudflare_state *state, struct cloud_plan *plan, struct cloud_batch *batch,
                       const struct http_response *answer)
{
    struct arena *arena = arena_new(0);
    struct cloud_reading reading;
    struct cloud_request request;
    struct cloud_outcome outcome = {.verdict = CLOUD_DONE};
    struct error err = {0};
    cloud_reading_init(&reading, plan, batch->count);
    for (unsigned i = 0; i < 2 && outcome.verdict != CLOUD_REFUSED; i++) {
        if (cloudflare_render(state, batch, arena, &request, &err) != 0 ||
            cloudflare_read(state, batch, answer, START, &reading, arena, &outcome, &err) != 0) {
            assert(err.message[0]);
            break;
        }
        batch->page = outcome.page;
    }
    for (size_t i = 0; i < reading.point_count; i++) {
        const struct cloud_reading_point *point = &reading.points[i];
        assert(point->start_ns >= batch->from_ns && point->start_ns < batch->to_ns && isfinite(point->value));
        assert(cloud_plan_find(plan, str_from(point->series->key)) == point->series);
    }
    cloud_reading_deinit(&reading);
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char listed[] =
        "{\"result\":[{\"id\":\"" ID "\",\"name\":\"a\",\"account\":{\"id\":\"" ID "\",\"name\":\"b\"}}]}";
    const struct http_response good = {.status = 200, .body = STR(listed)};
    if (size < 1)
        return 0;
    const struct http_response answer = {.status = data[0] == 'f' ? 400 : 200,
                                         .body = {(const char *)data + 1, size - 1}};
    struct cloudflare_state *state = cloudflare_state_new(&config);
    struct cloud_plan *plan = cloud_plan_new(&(struct cloud_plan_options){.settle_ns = MIN,
                                                                          .late_ns = 10 * MIN,
                                                                          .retention_ns = 1000 * MIN,
                                                                          .catch_up_ns = 100 * MIN,
                                                                          .max_series = 50});
    struct cloud_query *queries[10];
    struct cloud_batch batch = {.queries = queries, .lane = "", .period_ns = MIN};
    discover(state, plan, data[0] == 'd' ? &answer : &good);
    for (unsigned i = 0; i < 3; i++) {
        batch.page = NULL;
        batch.count = cloud_plan_take(plan, START, 1, 10, 0, queries, &batch.from_ns, &batch.to_ns);
        if (batch.count)
            poll_batch(state, plan, &batch, data[0] == 'd' ? &good : &answer);
    }
    cloud_plan_free(plan);
    cloudflare_state_free(state);
    return 0;
}
