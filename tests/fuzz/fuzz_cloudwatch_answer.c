/* Answers of CloudWatch: the first byte says to what, the rest is the body. What is read must be points of
 * series that were asked for, inside the window. */
#include "scrapers/cloudwatch/cloudwatch_internal.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define MIN   (60 * NS_PER_S)
#define START (INT64_C(1800000000) * NS_PER_S)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct string_pair any_store[] = {{"Store", "*"}}, store[] = {{"Store", "a"}};
static const char *statistics[] = {"Sum", "p95"};
static struct cloudwatch_metric_config metrics[] = {
    {"Shop", "Orders", {2, statistics}, MIN, {1, any_store}},
    {"Shop", "Carts", {1, statistics}, MIN, {1, store}},
};
static const struct cloudwatch_config config = {.target = {.name = "a", .region = "r"},
                                                .cloud = {.endpoint = "http://127.0.0.1:1"},
                                                .location = "us-east-1",
                                                .metrics = {2, metrics},
                                                .discover = {.tags = {1, store}}};

/* Answers every step of discovery with the same body. */
static void discover(struct cloudwatch_state *state, struct cloud_plan *plan,
                     const struct http_response *answer)
{
    struct arena *arenas[] = {arena_new(0), arena_new(0)};
    enum cloud_step step = CLOUD_READY;
    struct cloud_request request = {0};
    struct cloud_outcome outcome = {.verdict = CLOUD_DONE};
    struct error err = {0};
    cloud_plan_begin(plan);
    int code = cloudwatch_discover(state, plan, NULL, START, arenas[0], &step, &request, &outcome, &err);
    for (unsigned i = 0; code == 0 && step == CLOUD_SEND && outcome.verdict == CLOUD_DONE && i < 8; i++) {
        arena_reset(arenas[~i & 1]);
        code =
            cloudwatch_discover(state, plan, answer, START, arenas[~i & 1], &step, &request, &outcome, &err);
    }
    assert(code == 0 || err.message[0]);
    if (code == 0 && step == CLOUD_READY)
        cloud_plan_end(plan);
    else
        cloud_plan_abort(plan);
    arena_free(arenas[0]);
    arena_free(arenas[1]);
}

static void poll(struct cloudwatch_state *state, struct cloud_plan *plan, const struct http_response *answer)
{
    struct cloud_query *queries[64];
    struct cloud_batch batch = {.queries = queries, .lane = "us-east-1", .period_ns = MIN};
    struct arena *arena = arena_new(0);
    struct cloud_reading reading;
    struct cloud_outcome outcome = {.verdict = CLOUD_DONE};
    struct error err = {0};
    batch.count = cloud_plan_take(plan, START, 1, 64, 0, queries, &batch.from_ns, &batch.to_ns);
    cloud_reading_init(&reading, plan, batch.count);
    if (batch.count && cloudwatch_read(state, &batch, answer, START, &reading, arena, &outcome, &err) != 0)
        assert(err.message[0]);
    for (size_t i = 0; i < reading.point_count; i++) {
        const struct cloud_reading_point *point = &reading.points[i];
        assert(point->start_ns >= batch.from_ns && point->start_ns < batch.to_ns && isfinite(point->value));
        assert(cloud_plan_find(plan, str_from(point->series->key)) == point->series);
    }
    cloud_reading_deinit(&reading);
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct cloudwatch_state *state = cloudwatch_state_new(&config);
    struct cloud_plan *plan = cloud_plan_new(&(struct cloud_plan_options){.settle_ns = MIN,
                                                                          .late_ns = 10 * MIN,
                                                                          .retention_ns = 1000 * MIN,
                                                                          .catch_up_ns = 100 * MIN,
                                                                          .max_series = 50});
    const struct http_response answer = {.status = data[0] == 'f' ? 400 : 200,
                                         .body = {(const char *)data + 1, size - 1}};
    static const char listed[] =
        "{\"ResourceTagMappingList\":[],\"Metrics\":[{\"Namespace\":\"Shop\",\"MetricName\":\"Orders\","
        "\"Dimensions\":[{\"Name\":\"Store\",\"Value\":\"b\"}]}]}";
    const struct http_response good = {.status = 200, .body = STR(listed)};
    if (data[0] != 'i')
        state->account = "1";
    discover(state, plan, data[0] == 'd' || data[0] == 'i' ? &answer : &good);
    poll(state, plan, data[0] == 'd' || data[0] == 'i' ? &good : &answer);
    cloud_plan_free(plan);
    cloudwatch_state_free(state);
    return 0;
}
