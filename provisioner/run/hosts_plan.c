/* What a deployment on own hosts would change. */
#include "lib/core/clock.h"
#include "provisioner/run/flow.h"
#include "provisioner/run/hosts_internal.h"

#include <stdio.h>

static bool data_may_go_of(const struct run *run)
{
    return command_given(run->ctx, "--allow-data-loss");
}

static void add_change(struct run_root *root, const char *id, const char *action, const char *reason,
                       bool data)
{
    root->changes[root->change_count++] = (struct root_change){.address = id,
                                                               .type = data ? HOSTS_DATA_TYPE : "own_step",
                                                               .action = action,
                                                               .reason = reason,
                                                               .import_id = ""};
}

static void plan_region(struct run_root *root)
{
    struct host_root *own = root->own;
    if (root->failed)
        return;
    struct arena *arena = own->steps.arena;
    const char **found = arena_zalloc(arena, (own->steps.count + 1) * sizeof *found);
    if (runner_probe(&own->runner, &own->steps, &own->ledger, found, &root->err)) {
        (void)error_prefix(&root->err, "region %s", root->name);
        root->failed = true;
        return;
    }
    struct comparison *comparison = &own->comparison;
    compare_steps(&own->steps, &own->ledger, found, data_may_go_of(root->run), arena, comparison);
    root->changes = arena_zalloc(arena, (own->steps.count + own->ledger.count + 1) * sizeof *root->changes);
    for (size_t i = 0; i < own->steps.count; i++) {
        const struct step_verdict *verdict = &comparison->verdicts[i];
        if (verdict->action)
            add_change(root, own->steps.items[i].id, verdict->action == ACTION_CREATE ? "create" : "update",
                       verdict->reason, own->steps.items[i].data);
    }
    for (size_t i = 0; i < comparison->removal_count; i++)
        add_change(root, comparison->removals[i]->id, "delete", "", comparison->removals[i]->data);
    root->create = (int64_t)comparison->create;
    root->update = (int64_t)comparison->update;
    root->destroy = (int64_t)comparison->removal_count;
    root->planned = true;
}

int hosts_plan(struct run *run, bool data_may_go)
{
    size_t failed = 0, steps = 0, before = 0;
    (void)data_may_go;
    for (size_t i = 0; i < run->region_count; i++)
        before += run->regions[i].failed;
    run_each_region(run, "planning", plan_region);
    for (size_t i = 0; i < run->region_count; i++) {
        failed += run->regions[i].failed;
        steps += run->regions[i].change_count;
    }
    run_step(run, failed > before ? STEP_FAILED : STEP_OK, "plan", NULL, NULL, "Planning (%zu steps to do)",
             steps);
    for (size_t i = 0; i < run->region_count; i++) {
        struct run_root *root = &run->regions[i];
        if (root->planned) {
            run_show_plan(run, root);
            run_plan_record(run, root);
        } else if (root->failed && failed > before) {
            run_complain(run, root);
        }
    }
    if (!run->ctx->json)
        output_printf(run->ctx->out,
                      "    Own hosts have no cloud bill; what they cost you is not known here\n");
    return run_interrupted(run)          ? STATUS_INTERRUPTED
           : failed == run->region_count ? STATUS_FAILURE
                                         : STATUS_OK;
}

int hosts_plan_only(struct run *run)
{
    int status = hosts_reach(run);
    if (!status)
        status = hosts_prepare(run);
    return status ? status : hosts_plan(run, false);
}
