/* Taking back what was done on own hosts: exactly that, in reverse order. */
#include "lib/core/clock.h"
#include "provisioner/run/hosts_internal.h"

static bool stays(const struct ledger *ledger, const struct ledger_entry *entry, bool delete_data)
{
    bool data = false;
    for (size_t i = 0; i < ledger->count; i++)
        data = data || ledger->items[i].data;
    return !delete_data && data && (entry->data || entry->with_data);
}

bool hosts_plan_destruction(struct run_root *root, bool delete_data)
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
    return root->change_count < ledger->count;
}

void hosts_undo_region(struct run_root *root)
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
