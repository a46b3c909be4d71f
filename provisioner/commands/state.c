/* `fraiseql deploy state show|migrate FILE`: where each root's state is, and moving all of them to the
 * backend that the file names now. A migration that was interrupted is finished by running it again: a root
 * whose state has moved already is only looked at. */
#include "provisioner/commands/commands.h"
#include "provisioner/render/render.h"
#include "provisioner/run/workspace.h"
#include "provisioner/terraform/terraform.h"

#include <unistd.h>

struct root {
    const char *name, *folder; /* folder: of the rendered root */
};

struct roots {
    size_t count;
    struct root *items;
};

static struct roots list_roots(const struct command_context *ctx, const struct deployment *deployment,
                               const char *render)
{
    size_t regions = deployment_region_count(deployment);
    struct roots roots = {0, arena_alloc(ctx->arena, (regions + 1) * sizeof(struct root))};
    for (size_t i = 0; i < regions; i++) {
        const struct region *region = deployment_region(deployment, i);
        if (command_selects(ctx, region))
            roots.items[roots.count++] =
                (struct root){region->name, arena_printf(ctx->arena, "%s/regions/%s", render, region->name)};
    }
    if (!ctx->regions.count && render_has_global(deployment))
        roots.items[roots.count++] = (struct root){"global", arena_printf(ctx->arena, "%s/global", render)};
    return roots;
}

static bool exists(const struct command_context *ctx, const char *folder, const char *name)
{
    return access(arena_printf(ctx->arena, "%s/%s", folder, name), F_OK) == 0;
}

/* --- show --- */

static void show_root(const struct command_context *ctx, const struct deployment *deployment,
                      const struct root *root, const char *render, struct json_writer *json)
{
    struct buf address = BUF_INIT(65536);
    render_state_address(deployment, root->name, &address);
    bool local = deployment->state.backend == STATE_LOCAL;
    bool present = local && exists(ctx, render, buf_text(&address));
    const char *place = local ? arena_printf(ctx->arena, "%s/%s", render, buf_text(&address))
                              : arena_strdup(ctx->arena, buf_str(&address));
    buf_deinit(&address);
    json_object_begin(json);
    json_kv_text(json, "root", root->name);
    json_kv_text(json, "address", place);
    json_key(json, "exists");
    if (local)
        json_bool(json, present);
    else
        json_null(json);
    json_object_end(json);
    if (!ctx->json)
        output_printf(ctx->out, "%-20s %s%s\n", root->name, place,
                      local && !present ? " (not there yet)" : "");
}

static int show(struct command_context *ctx, const struct deployment *deployment)
{
    const char *render = arena_printf(ctx->arena, "%s/render", render_work_folder(deployment, ctx->arena));
    struct roots roots = list_roots(ctx, deployment, render);
    struct buf record = BUF_INIT(16UL * 1024 * 1024);
    struct json_writer json;
    json_init(&json, &record);
    json_object_begin(&json);
    json_kv_text(&json, "type", "state");
    json_kv_text(&json, "backend", render_backend_name(deployment));
    json_key(&json, "roots");
    json_array_begin(&json);
    if (!ctx->json)
        output_printf(ctx->out, "backend: %s\n", render_backend_name(deployment));
    for (size_t i = 0; i < roots.count; i++)
        show_root(ctx, deployment, &roots.items[i], render, &json);
    json_array_end(&json);
    json_object_end(&json);
    output_json(ctx->out, buf_str(&record));
    buf_deinit(&record);
    return STATUS_OK;
}

/* --- migrate --- */

static int init(const struct terraform *terraform, const struct root *root, bool migrate, struct error *err)
{
    static const char *const plain[] = {"init", "-input=false", "-no-color", NULL};
    static const char *const moving[] = {"init",           "-input=false", "-no-color",
                                         "-migrate-state", "-force-copy",  NULL};
    struct buf said = BUF_INIT(TF_CAPTURE_MAX);
    int code = terraform_capture(terraform, root->folder, migrate ? moving : plain, &said, err);
    buf_deinit(&said);
    return code ? error_prefix(err, "%s", root->name) : 0;
}

/* Terraform remembers the backend of the last init in the root's folder, and migrates from that one. A root
 * that was rendered and never initialised here is initialised with the backend that it still names. */
static int remember_backends(const struct command_context *ctx, const struct terraform *terraform,
                             const struct roots *roots, size_t *ret_rendered, struct error *err)
{
    *ret_rendered = 0;
    for (size_t i = 0; i < roots->count; i++) {
        const struct root *root = &roots->items[i];
        if (!exists(ctx, root->folder, "main.tf.json"))
            continue;
        ++*ret_rendered;
        int code =
            exists(ctx, root->folder, ".terraform/terraform.tfstate") ? 0 : init(terraform, root, false, err);
        if (code)
            return code;
    }
    return 0;
}

static int move(struct command_context *ctx, const struct deployment *deployment,
                const struct workspace *workspace, struct error *err)
{
    struct terraform terraform;
    struct roots roots = list_roots(ctx, deployment, workspace->render);
    struct render_identity identity = {workspace->id};
    size_t rendered;
    int code = terraform_find(command_value(ctx, "--tf-bin"), ctx->arena, &terraform, err);
    if (!code)
        code = remember_backends(ctx, &terraform, &roots, &rendered, err);
    if (!code && !rendered) {
        code = error_set(err, ERR_CONFIG, "%s has no rendered root, so there is no state to move",
                         workspace->render);
        error_set_hint(
            err,
            "Deploy uses the backend at once. Where state.path named another folder before, move that "
            "folder's %s here first.",
            deployment->metadata.name);
    }
    for (size_t i = 0; i < roots.count && !code; i++)
        roots.items[i].folder =
            exists(ctx, roots.items[i].folder, "main.tf.json") ? roots.items[i].folder : NULL;
    if (!code)
        code = render_folder(deployment, &identity, workspace->render, NULL, err);
    for (size_t i = 0; i < roots.count && !code; i++) {
        if (!roots.items[i].folder)
            continue;
        code = init(&terraform, &roots.items[i], true, err);
        if (code || ctx->json)
            continue;
        struct buf address = BUF_INIT(65536);
        render_state_address(deployment, roots.items[i].name, &address);
        output_printf(ctx->out, "%-20s now in %s\n", roots.items[i].name, buf_text(&address));
        buf_deinit(&address);
    }
    return code;
}

static int migrate(struct command_context *ctx, const struct deployment *deployment)
{
    if (ctx->regions.count)
        return command_usage_error(
            ctx, "--region does not go with migrate: all roots move together, as the global "
                 "one reads the others' states");
    if (ctx->dry_run)
        return show(ctx, deployment);
    struct error err = {0};
    struct workspace workspace = {.lock_fd = -1};
    int code = workspace_open(deployment, true, ctx->arena, &workspace, &err);
    if (!code)
        code = move(ctx, deployment, &workspace, &err);
    workspace_close(&workspace);
    if (code) {
        output_error(ctx->out, &err);
        return code == ERR_CONFIG ? STATUS_CONFIG : STATUS_FAILURE;
    }
    return show(ctx, deployment);
}

/* What own hosts have in its place, and how it moves. */
static int refuse(struct command_context *ctx, const struct deployment *deployment)
{
    struct error err = {0};
    (void)error_set(&err, ERR_CONFIG,
                    "own hosts have no state: what was done is in a ledger on each of them");
    error_set_hint(
        &err,
        "`fraiseql deploy status FILE` reads them. To deploy from another machine, copy FILE and %s "
        "there, with its modes: that folder has the deployment's id, journal and secrets",
        render_work_folder(deployment, ctx->arena));
    output_error(ctx->out, &err);
    return STATUS_CONFIG;
}

static int run(struct command_context *ctx)
{
    const char *action = ctx->operands[0];
    bool moving = strcmp(action, "migrate") == 0;
    if (!moving && strcmp(action, "show") != 0)
        return command_usage_error(ctx, "\"%s\" is neither show nor migrate", action);
    ctx->file = ctx->operands[1];
    struct deployment *deployment = NULL;
    int status = command_load(ctx, true, &deployment);
    if (status)
        return status;
    deployment = deployment_part(deployment, false);
    if (!deployment_region_count(deployment))
        return refuse(ctx, deployment);
    return moving ? migrate(ctx, deployment) : show(ctx, deployment);
}

static const struct command_flag flags[] = {
    {"--tf-bin", "PATH", "the terraform or tofu to run (default: tofu, else terraform, on the PATH)"},
    {NULL, NULL, NULL},
};

const struct command command_state = {
    .name = "state",
    .operands = "show|migrate FILE",
    .summary = "Shows and migrates the deployment's state",
    .details = "`show` tells where the state of each root is. `migrate` moves every state to the backend "
               "that the file names now; change `state` in the file first, and run it on the machine that "
               "deployed last.\nInterrupted, it is finished by running it again.",
    .min_operands = 2,
    .max_operands = 2,
    .flags = flags,
    .run = run,
};
