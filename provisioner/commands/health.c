/* `fraiseql deploy health FILE`: asks every region how it is. */
#include "lib/core/clock.h"
#include "provisioner/commands/commands.h"
#include "provisioner/log_lines.h"
#include "provisioner/provider.h"
#include "provisioner/run/at_once.h"
#include "provisioner/run/look.h"
#include "provisioner/run/region_log.h"

#define ANSWER_NS  (10 * NS_PER_S)
#define CONNECT_NS (3 * NS_PER_S)

static const struct command_flag flags[] = {
    {"--log-lines", "N", "the last lines of the log of a region that is not ready (default 10, 0: none)"},
    {"--tf-bin", "PATH", "the terraform or tofu to run (default: tofu, else terraform, on the PATH)"},
    {NULL, NULL, NULL},
};

struct health {
    struct look *look;
    struct probe_result health, ready;
    struct error err; /* of the readiness probe */
    struct region_log log;
    bool ok, database_seen;
};

static void ask_region(struct health *health, size_t log_lines)
{
    const struct run_root *root = health->look->root;
    const struct deployment_service *service = &root->run->deployment->service;
    const struct root_outputs *outputs = &health->look->outputs;
    health->health.body = health->ready.body = "";
    if (!outputs->any) {
        (void)error_set(&health->err, ERR_UNAVAILABLE, "nothing stands there");
        return;
    }
    if (probe_region(root, outputs, service->health_path ? service->health_path : "/health",
                     clock_mono_ns() + ANSWER_NS, &health->health, NULL))
        health->health.status = 0;
    if (probe_region(root, outputs, service->readiness_path ? service->readiness_path : "/readiness",
                     clock_mono_ns() + ANSWER_NS, &health->ready, &health->err))
        health->ready.status = 0;
    health->ok = health->ready.status >= 200 && health->ready.status < 300;
    const char *port = outputs->database_port[0] ? outputs->database_port : "5432";
    health->database_seen =
        outputs->database_address[0] && probe_connect(outputs->database_address, port, CONNECT_NS, NULL) == 0;
    if (!health->ok)
        region_log_read(root, log_lines, ANSWER_NS, &health->log);
}

static void show(const struct run *run, const struct health *health)
{
    const struct output *out = run->ctx->out;
    const struct run_root *root = health->look->root;
    if (out->json)
        return;
    output_printf(out, "%s%s%s %s\n", output_style(out, health->ok ? STYLE_GOOD : STYLE_BAD),
                  health->ok ? "[\u2713]" : "[\u2717]", output_style(out, STYLE_PLAIN), root->title);
    if (health->err.message[0])
        output_printf(out, "    readiness: no answer: %s\n", health->err.message);
    else
        output_printf(out, "    readiness: %d in %lld ms\n", health->ready.status,
                      (long long)(health->ready.total_ns / NS_PER_MS));
    if (health->health.status)
        output_printf(out, "    health: %d\n", health->health.status);
    if (!health->ok && health->ready.body[0])
        output_printf(out, "    it says: %s\n", health->ready.body);
    if (health->look->outputs.database_address[0])
        output_printf(out, "    database: %s\n",
                      health->database_seen ? "takes connections"
                                            : "cannot be reached from here, as a private one should not be");
    region_log_show(out, &health->log);
}

static void record_of(const struct run *run, const struct health *list)
{
    struct buf record = BUF_INIT(16UL * 1024 * 1024);
    struct json_writer json;
    json_init(&json, &record);
    json_object_begin(&json);
    json_kv_text(&json, "type", "health");
    json_key(&json, "regions");
    json_array_begin(&json);
    for (size_t i = 0; i < run->region_count; i++) {
        json_object_begin(&json);
        json_kv_text(&json, "name", list[i].look->root->name);
        json_kv_text(&json, "provider", list[i].look->root->region->provider->name);
        json_kv_bool(&json, "ok", list[i].ok);
        json_kv_i64(&json, "readiness", list[i].ready.status);
        json_kv_i64(&json, "health", list[i].health.status);
        json_kv_text(&json, "body", list[i].ready.body);
        json_kv_text(&json, "problem", list[i].err.message[0] ? list[i].err.message : NULL);
        json_kv_bool(&json, "database_reachable", list[i].database_seen);
        region_log_members(&json, &list[i].log);
        json_object_end(&json);
    }
    json_array_end(&json);
    json_object_end(&json);
    output_json(run->ctx->out, buf_str(&record));
    buf_deinit(&record);
}

struct asking {
    struct health *list;
    size_t log_lines;
};

static void ask(void *ctx, size_t i)
{
    struct asking *asking = ctx;
    ask_region(&asking->list[i], asking->log_lines);
}

static int ask_all(struct run *run, struct look *looks, size_t log_lines)
{
    struct health *list = arena_zalloc(run->arena, (run->region_count + 1) * sizeof *list);
    struct asking asking = {list, log_lines};
    int status = STATUS_OK;
    size_t absent = 0;
    for (size_t i = 0; i < run->region_count; i++) {
        list[i].look = &looks[i];
        absent += strcmp(looks[i].state, "absent") == 0;
    }
    at_once(run->region_count, run->ctx->parallelism, ask, &asking);
    for (size_t i = 0; i < run->region_count; i++) {
        show(run, &list[i]);
        status = list[i].ok ? status : STATUS_FAILURE;
    }
    record_of(run, list);
    if (!run->ctx->json && !run->ctx->regions.count && absent == run->region_count)
        output_printf(run->ctx->out, "Nothing stands. Next: fraiseql deploy plan %s\n", run->ctx->file);
    return status;
}

static int log_lines_given(const struct command_context *ctx, uint64_t *ret_count)
{
    const char *text = command_value(ctx, "--log-lines");
    *ret_count = REGION_LOG_LINES;
    if (!text || (str_to_u64(str_from(text), ret_count) && *ret_count <= LOG_LINES_MAX))
        return STATUS_OK;
    return command_usage_error(ctx, "--log-lines takes a number from 0 to %u, not \"%s\"", LOG_LINES_MAX,
                               text);
}

static int health_run(struct command_context *ctx)
{
    uint64_t log_lines;
    struct deployment *deployment = NULL;
    struct run run;
    struct look *looks = NULL;
    int status = log_lines_given(ctx, &log_lines);
    if (!status)
        status = command_load(ctx, true, &deployment);
    if (!status)
        status = run_open_reading(ctx, deployment, &run);
    if (status)
        return status;
    status = look_at_regions(&run, &looks);
    if (!status)
        status = ask_all(&run, looks, log_lines);
    run_close(&run);
    return status;
}

const struct command command_health = {
    .name = "health",
    .operands = "FILE",
    .summary = "Asks every region how it is",
    .details =
        "Asks each region's readiness and health paths, all regions at the same time, and prints of one that "
        "is not ready what it answers and the last lines of its log, as the cloud has it. Exit status 0 when "
        "every region is ready, else 1.",
    .takes_file = true,
    .flags = flags,
    .run = health_run,
};
