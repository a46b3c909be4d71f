/* Stage by stage, regions side by side: what the plan found due is done, and what follows from it. */
#include "lib/core/clock.h"
#include "provisioner/run/hosts_internal.h"

#define PHASE_REMOVAL STAGE_COUNT

static const char *const phase_words[STAGE_COUNT + 1] = {
    [STAGE_HOST] = "preparing",  [STAGE_PRIMARY] = "database", [STAGE_STANDBY] = "standby",
    [STAGE_SERVICE] = "service", [STAGE_TRAFFIC] = "traffic",  [STAGE_MONITORING] = "monitoring",
    [PHASE_REMOVAL] = "removing"};

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
        if (own->steps.items[i].stage != (enum step_stage)root->run->hosts->phase)
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

static void close_journal(struct run_root *root)
{
    struct error err = {0};
    if (!root->own->begun)
        return;
    root->own->begun = false;
    const char *outcome = root->failed ? "failed" : root->skipped ? "interrupted" : "ok";
    if (run_journal_end(root->run->journal, "apply", root->name, outcome,
                        root->failed ? root->err.message : "", &err) &&
        !root->failed) {
        root->err = err;
        (void)fail(root);
    }
}

/* An entry is closed as soon as its region is through: others may take long. */
static void apply_phase(struct run_root *root)
{
    if (root->run->hosts->phase < PHASE_REMOVAL) {
        apply_stage(root);
        return;
    }
    apply_removals(root);
    close_journal(root);
}

static void enter(struct run *run, size_t phase)
{
    run->hosts->phase = phase;
    for (size_t i = 0; i < run->own_count; i++)
        run->hosts->changed = run->hosts->changed || run->own_roots[i]->own->changed;
}

void hosts_begin(struct run *run)
{
    for (size_t i = 0; i < run->own_count; i++) {
        struct run_root *root = run->own_roots[i];
        if (root->failed || !root_changes(root))
            continue;
        if (run_journal_begin(run->journal, "apply", root->name, &root->err))
            (void)fail(root);
        root->own->begun = !root->failed;
    }
}

void hosts_lane(struct run *run, struct run_lane *ret)
{
    *ret = (struct run_lane){.roots = run->own_roots,
                             .count = run->own_count,
                             .doing = phase_words,
                             .phases = ARRAY_LEN(phase_words),
                             .work = apply_phase,
                             .enter = enter};
}

void hosts_end(struct run *run)
{
    for (size_t i = 0; i < run->own_count; i++)
        close_journal(run->own_roots[i]);
}

bool hosts_changed(const struct run_root *root)
{
    return root->own->changed;
}
