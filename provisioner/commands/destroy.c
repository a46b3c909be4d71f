/* `fraiseql deploy destroy FILE`: removes what was deployed; keeps databases unless told. */
#include "provisioner/commands/commands.h"
#include "provisioner/run/flow.h"
#include "provisioner/run/hosts.h"
#include "provisioner/run/known.h"

static const struct command_flag flags[] = {
    {"--confirm", "NAME", "the deployment's name, in place of typing it; with --yes"},
    {"--delete-data", NULL, "databases too, after a final snapshot of each"},
    {"--break-lock", NULL, "remove a lock on a state that a killed run of another machine left behind"},
    {"--tf-bin", "PATH", "the terraform or tofu to run (default: tofu, else terraform, on the PATH)"},
    {NULL, NULL, NULL},
};

/* Deletion protection is an attribute that must be gone before the database can go. */
static void lift_protection(struct deployment *deployment)
{
    struct region *regions = deployment->region_list.items;
    for (size_t i = 0; i < deployment->region_list.count; i++)
        regions[i].database.deletion_protection = false;
}

static int destroy_part(struct command_context *ctx, struct deployment *deployment, bool bygone)
{
    struct run run;
    bool delete_data = command_given(ctx, "--delete-data");
    if (delete_data && !ctx->dry_run)
        lift_protection(deployment);
    int status = run_open(ctx, deployment, &run);
    if (status)
        return status;
    run.bygone = bygone;
    run.unchanged = !bygone; /* the file's own regions may be gone by then */
    if (run.cloud_count && !(status = flow_credentials(&run)))
        status = flow_render(&run);
    if (!status && run.hosts)
        status = hosts_reach(&run);
    if (!status)
        status = flow_destroy(&run, delete_data);
    run_say_unchanged(&run);
    run_close(&run);
    return status;
}

/* One that the file no longer has, as it was when it was deployed. */
static int destroy_left(const struct command_context *ctx, const struct deployment *deployment,
                        const char *name)
{
    struct command_context one;
    struct deployment *before = NULL;
    int status = known_take(ctx, deployment, &name, &one, &before);
    if (status)
        return status;
    if (!ctx->json)
        output_printf(ctx->out, "\nRegion %s, which %s no longer has:\n", name, ctx->file);
    return destroy_part(&one, before, true);
}

static int destroy(struct command_context *ctx)
{
    struct deployment *deployment = NULL;
    struct string_list left = {0};
    int status = known_load_file(ctx, &deployment, &left);
    if (status)
        return status;
    bool any = false;
    for (size_t i = 0; i < deployment_region_count(deployment); i++)
        any = any || command_selects(ctx, deployment_region(deployment, i));
    if (any)
        status = destroy_part(ctx, deployment, false);
    for (size_t i = 0; i < left.count && !status; i++) {
        if (command_selects_name(ctx, left.items[i]))
            status = destroy_left(ctx, deployment, left.items[i]);
    }
    return status;
}

const struct command command_destroy = {
    .name = "destroy",
    .operands = "FILE",
    .summary = "Removes what was deployed; keeps databases unless told",
    .details = "Wants the deployment's name typed, or --confirm NAME with --yes. Databases stay, with the "
               "networks and keys they need, unless --delete-data is given; each then leaves a final "
               "snapshot. Regions "
               "that were deployed from here and that FILE no longer has are removed too, or by --region.",
    .takes_file = true,
    .flags = flags,
    .run = destroy,
};
