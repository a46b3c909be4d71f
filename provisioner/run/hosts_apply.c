/* Stage by stage, regions side by side: what the plan found due is done, and what follows from it. */
#include "lib/core/clock.h"
#include "provisioner/run/flow.h"
#include "provisioner/run/hosts_internal.h"
#include "provisioner/run/outputs.h"
#include "provisioner/run/view.h"

#include <stdio.h>

static const char *const stage_words[STAGE_COUNT] = {
    [STAGE_HOST] = "preparing",  [STAGE_PRIMARY] = "database", [STAGE_STANDBY] = "standby",
    [STAGE_SERVICE] = "service", [STAGE_TRAFFIC] = "traffic",  [STAGE_MONITORING] = "monitoring"};

static int fail(struct run_root *root)
{
    (void)error_prefix(&root->err, "region %s", root->name);
    root->failed = true;
    return root->err.code;
}

/* run_each() begins to count anew with each stage. */
static void show_done(struct run_root *root, uint64_t more)
{
    (void)pthread_mutex_lock(&root->run->lock);
    root->own->done += more;
    root->done = root->own->done;
    root->total = (uint64_t)root_changes(root);
    if (root->total < root->done)
        root->total = root->done;
    uint64_t done = root->done, total = root->total;
    (void)pthread_mutex_unlock(&root->run->lock);
    if (more)
        run_progress(root->run, root->name, "apply", "running", done, total,
                     clock_mono_ns() - root->run->ctx->out->started_mono_ns);
}

static int apply_step(struct run_root *root, size_t number)
{
    struct host_root *own = root->own;
    const struct host_step *step = &own->steps.items[number];
    bool due = own->comparison.verdicts[number].action != ACTION_NONE;
    /* What stood when the plan was made may not since something before it has changed, here or elsewhere. */
    if (!due && (own->changed || root->run->hosts->changed) && step->check) {
        bool stands = true;
        if (runner_stands(&own->runner, step, &stands, &root->err))
            return fail(root);
        due = !stands;
    }
    if (!due)
        return 0;
    hosts_flight(root, step->title);
    bool first = !own->ledger.deployment;
    int code = runner_apply(&own->runner, step, ledger_find(&own->ledger, step->id), first, &root->err);
    hosts_flight(root, NULL);
    if (code)
        return fail(root);
    if (first)
        own->ledger.deployment = root->run->workspace.id;
    own->changed = true;
    show_done(root, 1);
    return 0;
}

static void apply_stage(struct run_root *root)
{
    struct host_root *own = root->own;
    if (root->failed || root->skipped || !root->planned)
        return;
    show_done(root, 0);
    for (size_t i = 0; i < own->steps.count && !root->failed; i++) {
        if (own->steps.items[i].stage != root->run->hosts->stage)
            continue;
        if (run_interrupted(root->run)) {
            root->skipped = true;
            return;
        }
        if (apply_step(root, i))
            return;
    }
}

/* What the file no longer wants. */
static void apply_removals(struct run_root *root)
{
    struct host_root *own = root->own;
    for (size_t i = 0; !root->failed && !root->skipped && root->planned && i < own->comparison.removal_count;
         i++) {
        const struct ledger_entry *entry = own->comparison.removals[i];
        if (run_interrupted(root->run)) {
            root->skipped = true;
            return;
        }
        hosts_flight(root, entry->title);
        if (runner_undo(&own->runner, entry, &root->err)) {
            (void)fail(root);
            return;
        }
        own->changed = true;
        show_done(root, 1);
    }
}

static void open_journal(struct run_root *root)
{
    if (root->failed || !root_changes(root))
        return;
    if (run_journal_begin(root->run->journal, "apply", root->name, &root->err))
        (void)fail(root);
    root->own->begun = !root->failed;
}

static void close_journal(struct run_root *root)
{
    struct error err = {0};
    if (!root->own->begun)
        return;
    const char *outcome = root->failed ? "failed" : root->skipped ? "interrupted" : "ok";
    if (run_journal_end(root->run->journal, "apply", root->name, outcome,
                        root->failed ? root->err.message : "", &err) &&
        !root->failed) {
        root->err = err;
        (void)fail(root);
    }
}

static void run_stages(struct run *run)
{
    for (int stage = 0; stage < STAGE_COUNT && !run_interrupted(run); stage++) {
        run->hosts->stage = (enum step_stage)stage;
        for (size_t i = 0; i < run->region_count; i++)
            run->hosts->changed = run->hosts->changed || run->regions[i].own->changed;
        run_each_region(run, stage_words[stage], apply_stage);
    }
    if (!run_interrupted(run))
        run_each_region(run, "removing", apply_removals);
}

static int show_regions(struct run *run)
{
    int status = STATUS_OK;
    for (size_t i = 0; i < run->region_count; i++) {
        struct run_root *root = &run->regions[i];
        const char *note = root->skipped && !root->failed ? "interrupted: deploy again to go on" : NULL;
        run_step(run,
                 root->failed    ? STEP_FAILED
                 : root->skipped ? STEP_WARN
                                 : STEP_OK,
                 "apply", root->name,
                 note                                 ? note
                 : root->own->changed || root->failed ? NULL
                                                      : "nothing changed",
                 "Deploying to %s", root->title);
        if (!root->failed)
            continue;
        run_complain(run, root);
        status = root->err.code == ERR_CONFLICT ? STATUS_CONFIG : STATUS_FAILURE;
    }
    return status;
}

static void say_end(struct run *run, int status)
{
    char text[VIEW_DURATION_MAX];
    const struct output *out = run->ctx->out;
    if (out->json)
        return;
    if (status == STATUS_OK)
        output_printf(out, "\nDeployment complete!\nTotal time: %s\n",
                      view_duration(clock_mono_ns() - out->started_mono_ns, text));
    else
        output_printf(
            out,
            "\nThe deployment is not complete.\nNext: fraiseql deploy %s  (goes on from here; `fraiseql "
            "deploy status %s` shows what stands)\n",
            run->ctx->file, run->ctx->file);
}

int hosts_apply(struct run *run)
{
    for (size_t i = 0; i < run->region_count; i++)
        open_journal(&run->regions[i]);
    run_stages(run);
    for (size_t i = 0; i < run->region_count; i++)
        close_journal(&run->regions[i]);
    int status = show_regions(run);
    if (!status && !run_interrupted(run))
        status = flow_smoke(run);
    if (run_interrupted(run))
        status = STATUS_INTERRUPTED;
    say_end(run, status);
    return status;
}
