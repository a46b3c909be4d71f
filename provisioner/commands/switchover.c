/* `fraiseql deploy switchover FILE --to REGION`: another region writes, and nothing is lost. */
#include "provisioner/run/switchover.h"

#include "provisioner/commands/commands.h"
#include "provisioner/run/writes.h"

static const struct command_flag flags[] = {
    {"--to", "REGION", "the region that writes from now on"},
    {NULL, NULL, NULL},
};

static int run_switchover(struct command_context *ctx)
{
    struct deployment *deployment = NULL;
    struct run run;
    const char *target = command_value(ctx, "--to");
    if (!target)
        return command_usage_error(ctx, "--to REGION is missing");
    int status = command_load(ctx, false, &deployment);
    if (status)
        return status;
    if (ctx->regions.count)
        return command_usage_error(ctx, "a switchover is of all regions: leave --region out");
    status = writes_open_run(ctx, deployment, &run);
    if (status)
        return status;
    status = switchover(&run, target);
    if (run_interrupted(&run))
        status = STATUS_INTERRUPTED;
    run_close(&run);
    return status;
}

const struct command command_switchover = {
    .name = "switchover",
    .operands = "FILE --to REGION",
    .summary = "Moves the primary without loss",
    .details =
        "Closes writes, lets the region that wrote end cleanly and come back as a standby, waits until "
        "REGION has everything, lets it write, and opens writes to it. All regions must answer. The same "
        "command continues a switchover that was cut short. It refuses whatever would lose a row; where "
        "the region that wrote is gone, that is a failover.",
    .takes_file = true,
    .flags = flags,
    .run = run_switchover,
};
