/* Answers of Azure: the first byte says to what (d discovery, g a global resource, f a failure, else
 * getBatch), the rest is the body. What is read must be points of series of the plan, inside the window. */
#include "scrapers/azure/azure_internal.h"

#include <assert.h>
#include <math.h>

#define MIN   (60 * NS_PER_S)
#define START (INT64_C(1800000000) * NS_PER_S)
#define SCOPE "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *profiles[] = {"postgresql-flexible", "traffic-manager"};
/* Its unit, and how many labels its series have, stand in the answer. */
static const char *aggregations[] = {"total", "count"};
static struct string_pair dimensions[] = {{"ApiName", "*"}, {"Tier", "*"}};
static struct azure_metric_config metrics[] = {{.type = "Microsoft.DBforPostgreSQL/flexibleServers",
                                                .name = "Transactions",
                                                .aggregations = {2, aggregations},
                                                .dimensions = {2, dimensions},
                                                .period_ns = MIN}};
static const struct azure_config config = {.target = {.name = "a", .region = "r"},
                                           .cloud = {.endpoint = "http://127.0.0.1:1"},
                                           .subscription = "00000000-0000-0000-0000-000000000000",
                                           .profiles = {2, profiles},
                                           .metrics = {1, metrics}};
static const struct azure_cloud cloud = {"public", "https://login.invalid", "https://management.invalid"};

static void discover(struct azure_state *state, struct cloud_plan *plan, const struct http_response *answer)
{
    struct arena *arena = arena_new(0);
    enum cloud_step step = CLOUD_READY;
    struct cloud_request request = {0};
    struct cloud_outcome outcome = {.verdict = CLOUD_DONE};
    struct error err = {0};
    cloud_plan_begin(plan);
    int code = azure_discover(state, plan, NULL, START, arena, &step, &request, &outcome, &err);
    for (unsigned i = 0; code == 0 && step == CLOUD_SEND && outcome.verdict == CLOUD_DONE && i < 3; i++)
        code = azure_discover(state, plan, answer, START, arena, &step, &request, &outcome, &err);
    assert(code == 0 || err.message[0]);
    if (code == 0 && step == CLOUD_READY)
        cloud_plan_end(plan);
    else
        cloud_plan_abort(plan);
    arena_free(arena);
}

static void poll_batch(struct azure_state *state, struct cloud_plan *plan, const struct cloud_batch *batch,
                       const struct http_response *answer)
{
    struct arena *arena = arena_new(0);
    struct cloud_reading reading;
    struct cloud_request request;
    struct cloud_outcome outcome = {.verdict = CLOUD_DONE};
    struct error err = {0};
    cloud_reading_init(&reading, plan, batch->count);
    if (azure_render(state, batch, arena, &request, &err) != 0 ||
        azure_read(state, batch, answer, START, &reading, arena, &outcome, &err) != 0)
        assert(err.message[0]);
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
        "{\"value\":[{\"id\":\"" SCOPE
        "Microsoft.DBforPostgreSQL/flexibleServers/a\",\"name\":\"a\",\"type\":"
        "\"Microsoft.DBforPostgreSQL/flexibleServers\",\"location\":\"westeurope\"},{\"id\":\"" SCOPE
        "Microsoft.Network/trafficManagerProfiles/t\",\"name\":\"t\",\"type\":"
        "\"Microsoft.Network/trafficManagerProfiles\",\"location\":\"global\"}]}";
    const struct http_response good = {.status = 200, .body = STR(listed)};
    if (size < 1)
        return 0;
    const struct http_response answer = {.status = data[0] == 'f' ? 403 : 200,
                                         .body = {(const char *)data + 1, size - 1}};
    struct azure_state *state = azure_state_new(&config, &cloud);
    struct cloud_plan *plan = cloud_plan_new(&(struct cloud_plan_options){.settle_ns = MIN,
                                                                          .late_ns = 10 * MIN,
                                                                          .retention_ns = 1000 * MIN,
                                                                          .catch_up_ns = 100 * MIN,
                                                                          .max_series = 50});
    struct cloud_query *queries[AZURE_RESOURCES_MAX];
    struct cloud_batch batch = {.queries = queries, .lane = "", .period_ns = MIN};
    discover(state, plan, data[0] == 'd' ? &answer : &good);
    for (unsigned i = 0; i < 4; i++) {
        batch.count =
            cloud_plan_take(plan, START, 1, AZURE_RESOURCES_MAX, 0, queries, &batch.from_ns, &batch.to_ns);
        if (batch.count)
            poll_batch(state, plan, &batch, data[0] == 'd' ? &good : &answer);
    }
    cloud_plan_free(plan);
    azure_state_free(state);
    return 0;
}
