/* `fraiseql deploy FILE`: validate, price, plan, ask, deploy; again after whatever cut it short. */
#include "provisioner/commands/commands.h"
#include "provisioner/run/flow.h"
#include "provisioner/run/hosts.h"
#include "provisioner/run/known.h"
#include "provisioner/run/saved_plan.h"

#include <stdio.h>

static const struct command_flag flags[] = {
    {"--plan", "FOLDER", "deploy exactly what `plan --out FOLDER` saved, or refuse because something moved"},
    {"--allow-data-loss", NULL, "go on although the plan replaces or destroys a database"},
    {"--skip-smoke-tests", NULL, "do not ask the regions whether they are ready"},
    {"--smoke-timeout", "SECONDS", "how long a region may take to be ready (default 600)"},
    {"--skip-replication-wait", NULL, "do not wait until the gateways have set replication up"},
    {"--replication-timeout", "SECONDS", "how long that may take (default 900)"},
    {"--break-lock", NULL, "remove a lock on a state that a killed run of another machine left behind"},
    {"--tf-bin", "PATH", "the terraform or tofu to run (default: tofu, else terraform, on the PATH)"},
    {NULL, NULL, NULL},
};

static bool loses_data(const struct run_root *root)
{
    for (size_t i = 0; i < root->change_count; i++) {
        const struct root_change *change = &root->changes[i];
        if (run_is_database(change->type) &&
            (strcmp(change->action, "replace") == 0 || strcmp(change->action, "delete") == 0))
            return true;
    }
    return false;
}

/* A database is never destroyed by default. */
static int refuse_data_loss(struct run *run)
{
    for (size_t i = 0; i < run->region_count; i++) {
        if (!loses_data(&run->regions[i]) || command_given(run->ctx, "--allow-data-loss"))
            continue;
        struct error err = {0};
        (void)error_set(&err, ERR_CONFIG,
                        "%s: this plan replaces or destroys the database; nothing was changed",
                        run->regions[i].name);
        error_set_hint(&err, "Take a backup, then give --allow-data-loss; or change the file so that the "
                             "database can stay");
        output_error(run->ctx->out, &err);
        return STATUS_CONFIG;
    }
    return STATUS_OK;
}

/* All of a saved plan or nothing. */
static int refuse_saved(struct run *run, int status)
{
    for (size_t i = 0; i < run->cloud_count; i++) {
        if (run->cloud_roots[i]->failed)
            run_complain(run, run->cloud_roots[i]);
    }
    if (!run->ctx->json && status != STATUS_INTERRUPTED)
        output_printf(run->ctx->out, "Nothing was changed.\n");
    return status;
}

static int plan(struct run *run)
{
    const char *saved = command_value(run->ctx, "--plan");
    struct error err = {0};
    if (!saved)
        return flow_plan(run);
    /* What would be done on own hosts is found out again, and must be what was saved. */
    if (run->hosts)
        run_each_own(run, "planning", hosts_plan_region);
    int code = saved_plan_read(run, saved, &err);
    int status = code ? STATUS_OK : saved_plan_check(run);
    if (!code && !status) {
        flow_plan_global(run);
        if (run_interrupted(run))
            status = STATUS_INTERRUPTED;
        else if (!run->global.failed)
            code = saved_plan_check_between(run, &err);
    }
    run_step(run, code || status ? STEP_FAILED : STEP_OK, "plan", NULL, NULL, "Taking the saved plan %s",
             saved);
    if (status)
        return refuse_saved(run, status);
    if (code)
        output_error(run->ctx->out, &err);
    else
        flow_show_plans(run);
    if (run->global.failed)
        return STATUS_FAILURE;
    return code == 0 ? STATUS_OK : code == ERR_CONFLICT || code == ERR_PARSE ? STATUS_CONFIG : STATUS_FAILURE;
}

/* But replication may not have been set up yet when an earlier run ended. */
static int nothing_to_apply(struct run *run)
{
    enum replication_left left = REPLICATION_NOTHING_LEFT;
    int settled = flow_settle(run);
    if (settled)
        return settled;
    int status = flow_replication_again(run, &left);
    if (run->ctx->json || status == STATUS_INTERRUPTED)
        return status;
    if (left == REPLICATION_NOT_SET_UP)
        output_printf(run->ctx->out, "\nAll regions stand as %s describes, but for replication.\n",
                      run->ctx->file);
    else
        output_printf(run->ctx->out, "\nNothing to do: what stands is what %s describes.\n", run->ctx->file);
    return status;
}

static int go_on(struct run *run)
{
    int status = refuse_data_loss(run);
    if (status || run->ctx->dry_run)
        return status ? status : flow_changes(run) ? STATUS_CHANGES : STATUS_OK;
    bool planned_all = true;
    for (size_t i = 0; i < run->region_count; i++)
        planned_all = planned_all && !run->regions[i].failed;
    if (!flow_changes(run) && planned_all)
        return nothing_to_apply(run);
    if (!run->ctx->yes && !flow_ask(run, "Deploy this? Only `yes` goes on:", "yes", &status))
        return status;
    return flow_apply(run);
}

/* Everything before the plan. */
static int prepare(struct run *run)
{
    int status = STATUS_OK;
    if (run->cloud_count && ((status = flow_credentials(run)) || (status = flow_render(run))))
        return status;
    if (run->hosts && ((status = hosts_reach(run)) || (status = hosts_prepare(run))))
        return status;
    if (run->cloud_count && !run->ctx->dry_run && !command_given(run->ctx, "--plan"))
        status = flow_keep_identity(run);
    return status;
}

static int steps(struct run *run)
{
    int status;
    run_step(run, STEP_OK, "validate", NULL, NULL, "Validating configuration");
    if ((status = prepare(run)) || (status = plan(run)))
        return status;
    return go_on(run);
}

static int deploy(struct command_context *ctx)
{
    struct deployment *deployment = NULL;
    struct run run;
    int status = command_load(ctx, ctx->dry_run, &deployment);
    if (!status)
        status = known_say(ctx, deployment, ctx->dry_run);
    if (!status)
        status = run_open(ctx, deployment, &run);
    if (status)
        return status;
    run.unchanged = true;
    status = steps(&run);
    if (run_interrupted(&run))
        status = STATUS_INTERRUPTED;
    run_say_unchanged(&run);
    run_close(&run);
    return status;
}

const struct command command_deploy = {
    .name = "deploy",
    .operands = "FILE",
    .summary = "Deploys what FILE describes",
    .details =
        "Shows the price and the plan first and asks. Regions are deployed at the same time; one that "
        "fails stops no other. The same command continues a deployment that was cut short, whatever cut "
        "it, and does nothing when nothing has changed. The first Ctrl-C, or a session that is closed, lets "
        "what is in flight finish; a second Ctrl-C stops. Work is kept in .fraiseql/NAME beside FILE.",
    .takes_file = true,
    .flags = flags,
    .run = deploy,
};
