/* `fraiseql deploy plan FILE`: what deploying would change. */
#include "provisioner/commands/commands.h"
#include "provisioner/run/flow.h"
#include "provisioner/run/hosts.h"
#include "provisioner/run/known.h"
#include "provisioner/run/saved_plan.h"

static const struct command_flag flags[] = {
    {"--out", "FOLDER", "save the plan for `deploy --plan FOLDER`; it holds values in the clear"},
    {"--tf-bin", "PATH", "the terraform or tofu to run (default: tofu, else terraform, on the PATH)"},
    {NULL, NULL, NULL},
};

static int save(struct run *run)
{
    const char *folder = command_value(run->ctx, "--out");
    struct error err = {0};
    if (!folder)
        return STATUS_OK;
    if (saved_plan_write(run, folder, &err)) {
        output_error(run->ctx->out, &err);
        return STATUS_FAILURE;
    }
    if (!run->ctx->json)
        output_printf(run->ctx->out, "\nSaved: fraiseql deploy %s --plan %s does exactly this.\n",
                      run->ctx->file, folder);
    return STATUS_OK;
}

static int steps(struct run *run)
{
    int status;
    run_step(run, STEP_OK, "validate", NULL, NULL, "Validating configuration");
    if (run->cloud_count && ((status = flow_credentials(run)) || (status = flow_render(run))))
        return status;
    if (run->hosts && ((status = hosts_reach(run)) || (status = hosts_prepare(run))))
        return status;
    if ((status = flow_plan(run)))
        return status;
    for (size_t i = 0; i < run->region_count; i++) {
        if (run->regions[i].failed)
            return STATUS_FAILURE;
    }
    status = save(run);
    return status ? status : flow_changes(run) ? STATUS_CHANGES : STATUS_OK;
}

static int plan(struct command_context *ctx)
{
    struct deployment *deployment = NULL;
    struct run run;
    int status = command_load(ctx, true, &deployment);
    if (!status)
        status = known_say(ctx, deployment, true);
    if (!status)
        status = run_open(ctx, deployment, &run);
    if (status)
        return status;
    run.unchanged = true;
    run.marks_states = command_given(ctx, "--out");
    status = steps(&run);
    if (run_interrupted(&run))
        status = STATUS_INTERRUPTED;
    run_say_unchanged(&run);
    run_close(&run);
    return status;
}

const struct command command_plan = {
    .name = "plan",
    .operands = "FILE",
    .summary = "Shows what deploying would change",
    .details = "Exit status 0: nothing would change; 2: something would. Contradictions in FILE are warnings "
               "here and keep `deploy` from going on.",
    .takes_file = true,
    .flags = flags,
    .run = plan,
};
