/* What a deployment on own hosts would change. */
#include "provisioner/run/hosts_internal.h"

/* A saved plan removes no data: what it was saved without, it does without. */
static bool data_may_go_of(const struct run *run)
{
    return command_given(run->ctx, "--allow-data-loss") && !command_given(run->ctx, "--plan");
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

void hosts_plan_region(struct run_root *root)
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

/* "-" for no hash. */
static const char *hash_of(const struct ledger_entry *entry)
{
    return entry && entry->hash[0] ? entry->hash : "-";
}

void hosts_put_plan(const struct run_root *root, struct buf *out)
{
    static const char *const words[] = {[ACTION_CREATE] = "create", [ACTION_UPDATE] = "update"};
    const struct host_root *own = root->own;
    char hash[STEP_HASH_SIZE];
    for (size_t i = 0; i < own->steps.count; i++) {
        const struct host_step *step = &own->steps.items[i];
        enum step_action action = own->comparison.verdicts[i].action;
        if (action == ACTION_NONE)
            continue;
        step_hash(step, hash);
        buf_printf(out, "%s %s %s %s\n", words[action], step->id, hash,
                   hash_of(ledger_find(&own->ledger, step->id)));
    }
    for (size_t i = 0; i < own->comparison.removal_count; i++)
        buf_printf(out, "delete %s - %s\n", own->comparison.removals[i]->id,
                   hash_of(own->comparison.removals[i]));
}
