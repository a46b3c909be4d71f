/* `fraiseql deploy failover FILE --to REGION --lost REGION`: another region writes, although one is given up.
 */
#include "provisioner/run/failover.h"

#include "provisioner/commands/commands.h"
#include "provisioner/run/writes.h"

static const struct command_flag flags[] = {
    {"--to", "REGION", "the region that writes from now on"},
    {"--lost", "REGION", "a region that is given up, with what only it has; may be repeated"},
    {"--confirm", "NAME", "the deployment's name: no database that cannot be ended writes; with --yes"},
    {NULL, NULL, NULL},
};

static bool is_lost(const struct command_context *ctx, const char *region)
{
    for (size_t i = 0; i < ctx->value_count; i++) {
        if (strcmp(ctx->values[i].flag->name, "--lost") == 0 && strcmp(ctx->values[i].text, region) == 0)
            return true;
    }
    return false;
}

/* The run is of the regions that are not given up. */
static int leave_out_lost(struct command_context *ctx, const struct deployment *deployment)
{
    size_t count = deployment_region_count(deployment), kept = 0;
    const char **names = arena_alloc(ctx->arena, (count + 1) * sizeof *names);
    for (size_t i = 0; i < ctx->value_count; i++) {
        if (strcmp(ctx->values[i].flag->name, "--lost") == 0 &&
            !deployment_find_region(deployment, ctx->values[i].text))
            return command_usage_error(ctx, "--lost %s: %s has no region of that name", ctx->values[i].text,
                                       deployment->path);
    }
    for (size_t i = 0; i < count; i++) {
        const char *name = deployment_region(deployment, i)->name;
        if (!is_lost(ctx, name))
            names[kept++] = name;
    }
    ctx->regions = (struct string_list){kept, names};
    return STATUS_OK;
}

static int run_failover(struct command_context *ctx)
{
    struct deployment *deployment = NULL;
    struct run run;
    const char *target = command_value(ctx, "--to");
    if (!target)
        return command_usage_error(ctx, "--to REGION is missing");
    if (is_lost(ctx, target))
        return command_usage_error(ctx, "--lost %s: it is the one that shall write", target);
    if (ctx->regions.count)
        return command_usage_error(ctx, "a failover is of all regions: leave --region out");
    int status = command_load(ctx, false, &deployment);
    if (!status)
        status = leave_out_lost(ctx, deployment);
    if (!status)
        status = writes_open_run(ctx, deployment, &run);
    if (status)
        return status;
    status = failover(&run, target);
    if (run_interrupted(&run))
        status = STATUS_INTERRUPTED;
    run_close(&run);
    return status;
}

const struct command command_failover = {
    .name = "failover",
    .operands = "FILE --to REGION [--lost REGION]",
    .summary = "Lets another region write although one is lost",
    .details =
        "Ends the databases of the regions that --lost names, where their hosts answer, so that they come "
        "back "
        "as standbys; lets REGION have what can still be had of them; lets it write, opens writes to it, and "
        "deploys the other regions anew. It says how much of the log was not copied. Every region that "
        "--lost "
        "does not name must answer, and none of them may have more than REGION. A database that cannot be "
        "reached may go on writing: the deployment's name is asked for then. The same command again, once "
        "its "
        "host is back, ends it. `switchover` loses nothing, and wants every region.",
    .takes_file = true,
    .flags = flags,
    .run = run_failover,
};
