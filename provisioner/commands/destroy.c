/* `fraiseql deploy destroy FILE`: removes what was deployed; keeps databases unless told. */
#include "provisioner/commands/commands.h"
#include "provisioner/run/flow.h"
#include "provisioner/run/hosts.h"

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

static int destroy(struct command_context *ctx)
{
    struct deployment *deployment = NULL;
    struct run run;
    bool delete_data = command_given(ctx, "--delete-data");
    int status = command_load(ctx, true, &deployment);
    if (status)
        return status;
    if (delete_data && !ctx->dry_run)
        lift_protection(deployment);
    status = run_open(ctx, deployment, &run);
    if (status)
        return status;
    if (run.cloud_count && !(status = flow_credentials(&run)))
        status = flow_render(&run);
    if (!status && run.hosts)
        status = hosts_reach(&run);
    if (!status)
        status = flow_destroy(&run, delete_data);
    run_close(&run);
    return status;
}

const struct command command_destroy = {
    .name = "destroy",
    .operands = "FILE",
    .summary = "Removes what was deployed; keeps databases unless told",
    .details =
        "Wants the deployment's name typed, or --confirm NAME with --yes. Databases stay, with the "
        "networks and keys they need, unless --delete-data is given; each then leaves a final snapshot.",
    .takes_file = true,
    .flags = flags,
    .run = destroy,
};
