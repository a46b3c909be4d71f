/* `fraiseql deploy switchover FILE --to REGION`: another region writes, and nothing is lost. */
#include "provisioner/run/switchover.h"

#include "provisioner/commands/commands.h"
#include "provisioner/run/hosts.h"

static const struct command_flag flags[] = {
    {"--to", "REGION", "the region that writes from now on"},
    {NULL, NULL, NULL},
};

static int refuse(struct command_context *ctx, const char *text)
{
    struct error err = {0};
    (void)error_set(&err, ERR_CONFIG, "%s", text);
    output_error(ctx->out, &err);
    return STATUS_CONFIG;
}

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
    if (deployment->replication.mode != REPLICATION_STREAMING)
        return refuse(ctx, "a switchover wants replication.mode: streaming, where one region writes");
    status = run_open(ctx, deployment, &run);
    if (status)
        return status;
    if (!run.hosts)
        status =
            refuse(ctx, "a switchover is for regions on own hosts in this version; the clouds' databases are "
                        "promoted by their own consoles");
    if (!status)
        status = hosts_reach(&run);
    if (!status)
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
