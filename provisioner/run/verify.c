/* Smoke tests: each region that was deployed answers on its readiness path. */
#include "lib/core/clock.h"
#include "provisioner/run/flow.h"
#include "provisioner/run/outputs.h"
#include "provisioner/run/region_log.h"

#include <stdio.h>

#define SMOKE_DEFAULT_S 600
#define SMOKE_MAX_S     7200
#define TRY_NS          (10 * NS_PER_S)
#define PAUSE_NS        (3 * NS_PER_S)
#define OWN_PAUSE_NS    (100 * NS_PER_MS)

static int64_t patience_ns(const struct run *run)
{
    const char *text = command_value(run->ctx, "--smoke-timeout");
    uint64_t seconds = SMOKE_DEFAULT_S;
    if (text && (!str_to_u64(str_from(text), &seconds) || seconds > SMOKE_MAX_S))
        seconds = SMOKE_DEFAULT_S;
    return (int64_t)seconds * NS_PER_S;
}

static void read_log(struct run_root *root)
{
    struct region_log *log = arena_zalloc(root->arena, sizeof *log);
    if (run_interrupted(root->run))
        return;
    region_log_read(root, REGION_LOG_LINES, patience_ns(root->run), log);
    root->service_log = log;
}

static void test_region(struct run_root *root)
{
    struct root_outputs outputs;
    struct probe_result result = {.body = ""};
    const char *path = root->run->deployment->service.readiness_path;
    if (root->failed || root->skipped)
        return;
    root->failed = root_outputs(root, &outputs, &root->err) != 0;
    /* Own hosts without a service have nothing to answer; and where one of them failed, what the others wait
     * for may be there. */
    if (root->own && (!outputs.url[0] || !root->run->own_stand))
        return;
    int64_t deadline = clock_mono_ns() + patience_ns(root->run);
    int code = ERR_TIMEOUT;
    while (!root->failed) {
        int64_t now = clock_mono_ns();
        code = probe_region(root, &outputs, path ? path : "/readiness", now + TRY_NS, &result, &root->err);
        if (code == 0 && result.status >= 200 && result.status < 300)
            return;
        if (now >= deadline || run_interrupted(root->run))
            break;
        if (code)
            root_heard(root, "%s", root->err.message);
        else
            root_heard(root, "answers %d", result.status);
        /* A host of one's own answers as soon as it can; a cloud's load balancer takes its minutes. */
        run_pause(root->run, root->own ? OWN_PAUSE_NS : PAUSE_NS);
    }
    if (!root->failed && code == 0)
        (void)error_set(&root->err, ERR_PEER, "%s answers %d: %s", root->name, result.status, result.body);
    else
        (void)error_prefix(&root->err, "%s does not answer", root->name);
    error_set_hint(&root->err, "`fraiseql deploy health %s --region %s` asks again", root->run->ctx->file,
                   root->name);
    root->failed = true;
    root->left = LEFT_UNHEALTHY;
    read_log(root);
}

/* {"type":"log"} */
static void log_record(const struct output *out, const struct run_root *root)
{
    struct buf record = BUF_INIT(16UL * 1024 * 1024);
    struct json_writer json;
    json_init(&json, &record);
    json_object_begin(&json);
    json_kv_text(&json, "type", "log");
    json_kv_text(&json, "region", root->name);
    region_log_members(&json, root->service_log);
    json_object_end(&json);
    output_json(out, buf_str(&record));
    buf_deinit(&record);
}

static void show_failure(const struct output *out, const struct run_root *root)
{
    output_error(out, &root->err);
    if (!root->service_log)
        return;
    region_log_show(out, root->service_log);
    log_record(out, root);
}

int flow_smoke(struct run *run)
{
    size_t failed = 0, before = 0;
    if (command_given(run->ctx, "--skip-smoke-tests")) {
        run_step(run, STEP_SKIPPED, "smoke", NULL, "--skip-smoke-tests", "Running smoke tests (all regions)");
        return STATUS_OK;
    }
    run->own_stand = true;
    for (size_t i = 0; i < run->region_count; i++) {
        before += run->regions[i].failed;
        run->own_stand = run->own_stand && !(run->regions[i].own && run->regions[i].failed);
    }
    run_each_region(run, "testing", test_region);
    for (size_t i = 0; i < run->region_count; i++)
        failed += run->regions[i].failed;
    run_step(run, failed > before ? STEP_FAILED : STEP_OK, "smoke", NULL, NULL, "Running smoke tests (%s)",
             before || run->ctx->regions.count ? "regions that stand" : "all regions");
    for (size_t i = 0; i < run->region_count; i++) {
        if (run->regions[i].left == LEFT_UNHEALTHY)
            show_failure(run->ctx->out, &run->regions[i]);
    }
    return failed > before ? STATUS_FAILURE : STATUS_OK;
}
