/* `fraiseql deploy status FILE`: what stands, from the states and the journal, and what the gateways have
 * left with the clouds of how replication stands; asks no region. */
#include "lib/core/clock.h"
#include "provisioner/commands/commands.h"
#include "provisioner/provider.h"
#include "provisioner/run/at_once.h"
#include "provisioner/run/gateways.h"
#include "provisioner/run/known.h"
#include "provisioner/run/look.h"

#define ANSWER_NS (15 * NS_PER_S)

static const struct command_flag flags[] = {
    {"--tf-bin", "PATH", "the terraform or tofu to run (default: tofu, else terraform, on the PATH)"},
    {NULL, NULL, NULL},
};

static void component(struct json_writer *json, const char *name, const char *state, const char *detail)
{
    json_object_begin(json);
    json_kv_text(json, "name", name);
    json_kv_text(json, "state", state);
    json_kv_text(json, "detail", detail);
    json_object_end(json);
}

static void write_cloud(struct json_writer *json, const struct root_outputs *outputs)
{
    component(json, "service", outputs->url[0] ? "standing" : "absent", outputs->endpoint);
    component(json, "database", outputs->database_address[0] ? "standing" : "absent",
              outputs->database_address);
    if (outputs->gateway_address[0])
        component(json, "gateway", "standing", outputs->gateway_address);
}

static void write_gateway(struct json_writer *json, const struct gateway *gateway)
{
    component(json, "replication", gateway_standing_text(gateway->state.standing), gateway->state.detail);
}

/* Of an own host: the members of every component, and what is known of it. */
static void write_component(struct json_writer *json, const struct look_component *one)
{
    json_object_begin(json);
    json_kv_text(json, "name", one->name);
    json_kv_text(json, "state", one->state);
    json_kv_text(json, "detail", one->detail);
    json_kv_u64(json, "steps", one->steps);
    json_kv_u64(json, "steps_standing", one->standing);
    facts_put_processes(json, &one->processes);
    if (one->replication)
        facts_put_replication(json, one->replication);
    json_object_end(json);
}

static void write_region(struct json_writer *json, const struct look *look)
{
    const struct root_outputs *outputs = &look->outputs;
    json_object_begin(json);
    json_kv_text(json, "name", look->root->name);
    json_kv_text(json, "provider", look->root->region->provider->name);
    json_kv_text(json, "state", look->state);
    json_kv_text(json, "endpoint", outputs->url[0] ? outputs->url : NULL);
    json_key(json, "components");
    json_array_begin(json);
    for (size_t i = 0; i < look->component_count; i++)
        write_component(json, &look->components[i]);
    if (!look->root->own)
        write_cloud(json, outputs);
    if (look->gateway)
        write_gateway(json, look->gateway);
    json_array_end(json);
    json_kv_text(json, "detail", look->detail[0] ? look->detail : NULL);
    json_object_end(json);
}

/* --- replication --- */

struct asking {
    struct look *looks;
    struct gateway **gateways; /* a region each; NULL: it has none */
};

static void ask(void *ctx, size_t i)
{
    struct asking *asking = ctx;
    if (asking->gateways[i])
        gateway_ask(asking->looks[i].root, asking->gateways[i], clock_mono_ns() + ANSWER_NS);
}

/* Where the global state cannot be read, what a gateway reports cannot be believed. */
static void ask_gateways(struct run *run, struct look *looks)
{
    const struct node *documents = NULL;
    struct error err = {0};
    struct asking asking = {looks,
                            arena_zalloc(run->arena, (run->region_count + 1) * sizeof *asking.gateways)};
    size_t count = 0;
    for (size_t i = 0; i < run->region_count; i++)
        count += looks[i].outputs.replication_state[0] != '\0';
    if (!count || !gateways_wanted(run))
        return;
    bool failed = gateways_documents(run, &documents, &err) != 0;
    for (size_t i = 0; i < run->region_count; i++) {
        if (!looks[i].outputs.replication_state[0])
            continue;
        struct gateway *gateway = gateway_new(looks[i].root, looks[i].outputs.replication_state, documents);
        looks[i].gateway = gateway;
        if (failed)
            gateway->state = (struct gateway_state){
                .standing = GATEWAY_UNKNOWN,
                .detail = arena_printf(run->arena, "the global state could not be read: %s", err.message)};
        else
            asking.gateways[i] = gateway;
    }
    at_once(run->region_count, run->ctx->parallelism, ask, &asking);
}

/* --- showing --- */

/* Regions that are looked at together: those of the file, and each that it no longer has, as it was. */
struct part {
    struct run run;
    struct look *looks;
};

static void show_region(const struct output *out, const struct look *look)
{
    output_printf(out, "%s: %s\n", look->root->title, look->state);
    if (look->outputs.url[0])
        output_printf(out, "    service   %s\n", look->outputs.url);
    for (size_t j = 0; j < look->component_count; j++)
        output_printf(out, "    %-9s %s%s%s\n", look->components[j].name, look->components[j].state,
                      look->components[j].detail ? ": " : "",
                      look->components[j].detail ? look->components[j].detail : "");
    if (look->outputs.database_address[0] && !look->component_count)
        output_printf(out, "    database  %s\n", look->outputs.database_address);
    if (look->outputs.gateway_address[0])
        output_printf(out, "    gateway   %s\n", look->outputs.gateway_address);
    if (look->gateway)
        output_printf(out, "    replication %s: %s\n", gateway_standing_text(look->gateway->state.standing),
                      look->gateway->state.detail);
    if (look->detail[0])
        output_printf(out, "    %s\n", look->detail);
}

static void show(const struct part *parts, size_t count)
{
    const struct run *first = &parts[0].run;
    const struct output *out = first->ctx->out;
    struct buf record = BUF_INIT(16UL * 1024 * 1024);
    struct json_writer json;
    bool any = false;
    json_init(&json, &record);
    json_object_begin(&json);
    json_kv_text(&json, "type", "status");
    json_kv_text(&json, "deployment_id", first->workspace.id);
    json_key(&json, "regions");
    json_array_begin(&json);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < parts[i].run.region_count; j++) {
            const struct look *look = &parts[i].looks[j];
            write_region(&json, look);
            any = any || strcmp(look->state, "absent") != 0;
            if (!out->json)
                show_region(out, look);
        }
    }
    json_array_end(&json);
    json_object_end(&json);
    output_json(out, buf_str(&record));
    buf_deinit(&record);
    if (!out->json && !first->ctx->regions.count && !any)
        output_printf(out, "Nothing stands. Next: fraiseql deploy plan %s\n", first->ctx->file);
}

static int look_at(struct part *part)
{
    int status = look_at_regions(&part->run, &part->looks);
    if (!status && !part->run.bygone)
        ask_gateways(&part->run, part->looks);
    for (size_t i = 0; !status && part->run.bygone && i < part->run.region_count; i++) {
        struct look *look = &part->looks[i];
        look->detail = arena_printf(
            part->run.arena, "%s no longer has it; `fraiseql deploy destroy %s --region %s` removes it%s%s",
            part->run.ctx->file, part->run.ctx->file, look->root->name, look->detail[0] ? ". " : "",
            look->detail);
    }
    return status;
}

/* Opens `part` for one region that the file no longer has; false: what was known of it does not read. */
static bool open_left(const struct command_context *ctx, const struct deployment *deployment,
                      const char **name, struct part *part)
{
    struct command_context *one = arena_alloc(ctx->arena, sizeof *one);
    struct deployment *before = NULL;
    bool opened = known_take(ctx, deployment, name, one, &before) == STATUS_OK &&
                  run_open_reading(one, before, &part->run) == STATUS_OK;
    part->run.bygone = true;
    return opened;
}

static int status_run(struct command_context *ctx)
{
    struct deployment *deployment = NULL;
    struct string_list left = {0};
    int status = known_load_file(ctx, &deployment, &left);
    if (status)
        return status;
    struct part *parts = arena_zalloc(ctx->arena, (left.count + 1) * sizeof *parts);
    size_t count = 1;
    status = run_open_reading(ctx, deployment, &parts[0].run);
    if (status)
        return status;
    for (size_t i = 0; i < left.count; i++) {
        if (command_selects_name(ctx, left.items[i]) &&
            open_left(ctx, deployment, &left.items[i], &parts[count]))
            count++;
    }
    for (size_t i = 0; i < count && !status; i++)
        status = look_at(&parts[i]);
    if (!status)
        show(parts, count);
    for (size_t i = 0; i < count; i++)
        run_close(&parts[i].run);
    return status;
}

const struct command command_status = {
    .name = "status",
    .operands = "FILE",
    .summary = "Shows what stands",
    .details =
        "States: absent, standing, incomplete (a deployment did not end well: deploy again), deploying, "
        "unknown (its state cannot be read). Replication: standing, copying (set up; the first copy is under "
        "way), waiting, failed, unknown (what the region's gateway reports cannot be read).",
    .takes_file = true,
    .flags = flags,
    .run = status_run,
};
