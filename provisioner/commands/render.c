/* `fraiseql deploy render`: the Terraform folder, or a Pulumi program; scripts for own hosts. */
#include "provisioner/render/render.h"
#include "provisioner/commands/commands.h"
#include "provisioner/run/workspace.h"

#include <stdio.h>
#include <unistd.h>

static int take_format(const struct command_context *ctx, enum render_format *ret_format)
{
    const char *text = command_value(ctx, "--format");
    if (!text || strcmp(text, "terraform") == 0)
        *ret_format = RENDER_TERRAFORM;
    else if (strcmp(text, "pulumi") == 0)
        *ret_format = RENDER_PULUMI;
    else
        return command_usage_error(ctx, "--format takes terraform or pulumi, not \"%s\"", text);
    return STATUS_OK;
}

static void say(const struct command_context *ctx, const char *folder, const struct render_report *report)
{
    struct buf record = BUF_INIT(1UL << 20);
    struct json_writer json;
    json_init(&json, &record);
    json_object_begin(&json);
    json_kv_text(&json, "type", "render");
    json_kv_text(&json, "folder", folder);
    json_kv_u64(&json, "written", report->written);
    json_kv_u64(&json, "unchanged", report->unchanged);
    json_key(&json, "stale");
    json_array_begin(&json);
    for (size_t i = 0; i < report->stale.count; i++)
        json_text(&json, report->stale.items[i]);
    json_array_end(&json);
    json_object_end(&json);
    output_json(ctx->out, buf_str(&record));
    buf_deinit(&record);
    if (!ctx->json)
        output_printf(ctx->out, "%s: %zu file%s %s, %zu unchanged\n", folder, report->written,
                      PLURAL(report->written), ctx->dry_run ? "to write" : "written", report->unchanged);
}

static void warn_stale(const struct command_context *ctx, const char *folder,
                       const struct render_report *report)
{
    struct findings findings;
    findings_init(&findings, ctx->arena);
    for (size_t i = 0; i < report->stale.count; i++) {
        struct finding *finding = findings_add(&findings, DIAG_WARNING, "render-stale", NULL,
                                               "%s/%s belongs to no region of the file and was left as it is",
                                               folder, report->stale.items[i]);
        finding_hint(&findings, finding,
                     "What it describes may still stand: destroy it there, then delete the folder.");
    }
    output_findings(ctx->out, &findings, true);
}

/* Scripts for own hosts are made with the secrets that a deployment is made with: they, and the deployment's
 * id, are kept in its work folder. */
static int take_secrets(struct command_context *ctx, const struct deployment *deployment,
                        struct render_identity *identity, const char **ret_secrets, struct error *err)
{
    struct workspace workspace = {.lock_fd = -1};
    int code = workspace_open(deployment, false, ctx->arena, &workspace, err);
    if (!code && workspace.new_id)
        code = workspace_set_id(&workspace, identity->deployment_id, ctx->arena, err);
    if (!code) {
        identity->deployment_id = workspace.id;
        *ret_secrets = arena_printf(ctx->arena, "%s/secrets", workspace.folder);
    }
    workspace_close(&workspace);
    return code;
}

/* 0 or an exit status. */
static int check_own(const struct command_context *ctx, const struct deployment *deployment,
                     enum render_format format)
{
    if (format == RENDER_PULUMI)
        return command_usage_error(ctx, "regions on own hosts are rendered as scripts, not with --format "
                                        "pulumi");
    if (ctx->dry_run &&
        access(arena_printf(ctx->arena, "%s/secrets", render_work_folder(deployment, ctx->arena)), F_OK) != 0)
        return command_usage_error(ctx, "--dry-run cannot tell what regions on own hosts get before their "
                                        "secrets have been made, by `plan`, `render` or `deploy`");
    return STATUS_OK;
}

static int run(struct command_context *ctx)
{
    struct render_options options = {.dry_run = ctx->dry_run, .only = &ctx->regions};
    int status = take_format(ctx, &options.format);
    const char *folder = command_value(ctx, "--out");
    if (status)
        return status;
    if (options.format == RENDER_PULUMI && ctx->regions.count)
        return command_usage_error(ctx, "--region does not go with --format pulumi: that is one program");
    if (!folder || !*folder)
        return command_usage_error(ctx, "where to? Give --out DIR");
    struct deployment *deployment = NULL;
    status = command_load(ctx, true, &deployment);
    if (status)
        return status;
    bool own = deployment_region_count(deployment_part(deployment, true)) > 0;
    status = own ? check_own(ctx, deployment, options.format) : STATUS_OK;
    if (status)
        return status;
    struct error err = {0};
    struct render_identity identity;
    struct render_report report = {.arena = ctx->arena};
    int code = render_identity_load(deployment, folder, ctx->dry_run, ctx->arena, &identity, &err);
    if (!code && own)
        code = take_secrets(ctx, deployment, &identity, &options.secrets, &err);
    if (!code)
        code = render_folder_as(deployment, &identity, folder, &options, &report, &err);
    if (code) {
        output_error(ctx->out, &err);
        return code == ERR_CONFIG ? STATUS_CONFIG : STATUS_FAILURE;
    }
    warn_stale(ctx, folder, &report);
    say(ctx, folder, &report);
    return STATUS_OK;
}

static const struct command_flag flags[] = {
    {"--out", "DIR", "the folder to write; made when it is missing"},
    {"--format", "terraform|pulumi", "what is written (default: terraform)"},
    {NULL, NULL, NULL},
};

const struct command command_render = {
    .name = "render",
    .operands = "FILE --out DIR",
    .summary = "Writes Terraform, and scripts for own hosts",
    .details =
        "The folder works without us: its README.md says how. For each region on own hosts it has a shell "
        "script, with every file that is put on the host, and what is secret apart in secrets/. "
        "Contradictions of the file are warnings here.\nThe same file gives the same bytes; files are "
        "written only when they differ, and folders of regions that the file no longer has are named and "
        "left as they are. `--format pulumi` writes a Pulumi program that uses the same modules.",
    .takes_file = true,
    .flags = flags,
    .run = run,
};
