/* Taking back what was done on own hosts: exactly that, in reverse order. */
#include "lib/core/clock.h"
#include "provisioner/run/flow.h"
#include "provisioner/run/hosts_internal.h"

static bool stays(const struct ledger *ledger, const struct ledger_entry *entry, bool delete_data)
{
    bool data = false;
    for (size_t i = 0; i < ledger->count; i++)
        data = data || ledger->items[i].data;
    return !delete_data && data && (entry->data || entry->with_data);
}

static void plan_region(struct run_root *root, bool delete_data)
{
    const struct ledger *ledger = &root->own->ledger;
    root->changes = arena_zalloc(root->arena, (ledger->count + 1) * sizeof *root->changes);
    for (size_t i = ledger->count; i-- > 0;) {
        const struct ledger_entry *entry = &ledger->items[i];
        if (!stays(ledger, entry, delete_data))
            root->changes[root->change_count++] =
                (struct root_change){.address = entry->id,
                                     .type = entry->data ? HOSTS_DATA_TYPE : "own_step",
                                     .action = "delete",
                                     .reason = "",
                                     .import_id = ""};
    }
    root->destroy = (int64_t)root->change_count;
    root->planned = true;
}

static void undo_region(struct run_root *root)
{
    struct host_root *own = root->own;
    if (root->failed || !root->change_count)
        return;
    if (run_journal_begin(root->run->journal, "destroy", root->name, &root->err)) {
        root->failed = true;
        return;
    }
    (void)pthread_mutex_lock(&root->run->lock);
    root->total = root->change_count;
    (void)pthread_mutex_unlock(&root->run->lock);
    for (size_t i = 0; i < root->change_count && !root->failed; i++) {
        const struct ledger_entry *entry = ledger_find(&own->ledger, root->changes[i].address);
        if (run_interrupted(root->run)) {
            root->skipped = true;
            break;
        }
        hosts_flight(root, entry->title);
        root->failed = runner_undo(&own->runner, entry, &root->err) != 0;
        (void)pthread_mutex_lock(&root->run->lock);
        root->done++;
        (void)pthread_mutex_unlock(&root->run->lock);
        run_progress(root->run, root->name, "destroy", "running", i + 1, root->change_count,
                     clock_mono_ns() - root->run->ctx->out->started_mono_ns);
    }
    if (!root->failed && !root->skipped && root->change_count == own->ledger.count)
        root->failed = runner_forget(&own->runner, &root->err) != 0;
    if (root->failed)
        (void)error_prefix(&root->err, "region %s", root->name);
    const char *outcome = root->failed ? "failed" : root->skipped ? "interrupted" : "ok";
    if (run_journal_end(root->run->journal, "destroy", root->name, outcome,
                        root->failed ? root->err.message : "", root->failed ? NULL : &root->err))
        root->failed = true;
}

static bool show_plan(struct run *run, bool delete_data)
{
    bool kept = false;
    for (size_t i = 0; i < run->region_count; i++) {
        struct run_root *root = &run->regions[i];
        if (root->failed)
            continue;
        plan_region(root, delete_data);
        kept = kept || root->change_count < root->own->ledger.count;
        run_show_plan(run, root);
        run_plan_record(run, root);
    }
    return kept;
}

static int show_regions(struct run *run)
{
    int status = STATUS_OK;
    for (size_t i = 0; i < run->region_count; i++) {
        const struct run_root *root = &run->regions[i];
        run_step(run,
                 root->failed    ? STEP_FAILED
                 : root->skipped ? STEP_WARN
                                 : STEP_OK,
                 "destroy", root->name, root->skipped ? "interrupted: destroy again to go on" : NULL,
                 "Destroying %s", root->title);
        if (!root->failed)
            continue;
        run_complain(run, root);
        status = STATUS_FAILURE;
    }
    return status;
}

int hosts_destroy(struct run *run, bool delete_data)
{
    int status = STATUS_OK;
    bool kept = show_plan(run, delete_data);
    if (!flow_changes(run)) {
        if (!run->ctx->json)
            output_printf(run->ctx->out,
                          kept ? "There is nothing to destroy but data; --delete-data does that.\n"
                               : "There is nothing to destroy.\n");
        return STATUS_OK;
    }
    if (run->ctx->dry_run || !flow_confirmed(run, "destroying", "to destroy what is listed", &status))
        return status;
    run_each_region(run, "removing", undo_region);
    status = show_regions(run);
    if (kept && !run->ctx->json)
        output_printf(
            run->ctx->out,
            "\nDatabases' data stays on its hosts, with the user that owns it. `fraiseql deploy destroy %s "
            "--delete-data` removes it.\n",
            run->ctx->file);
    return run_interrupted(run) ? STATUS_INTERRUPTED : status;
}
