#include "provisioner/self_hosted/compare.h"

static bool same_hash(const struct host_step *step, const struct ledger_entry *entry)
{
    char hash[STEP_HASH_SIZE];
    step_hash(step, hash);
    return strcmp(hash, entry->hash) == 0;
}

bool compare_needs_probe(const struct host_step *step, const struct ledger_entry *entry)
{
    return entry && !entry->begun && same_hash(step, entry) && (step->check || step->file_count);
}

/* The first watched path that an earlier step with something to do puts; NULL: none. */
static const char *moved(const struct step_list *steps, size_t number, const struct step_verdict *verdicts)
{
    const char *const *watches = steps->items[number].watches;
    for (; watches && *watches; watches++) {
        for (size_t i = 0; i < steps->count; i++) {
            const struct host_step *other = &steps->items[i];
            for (size_t j = 0; i != number && verdicts[i].action && j < other->file_count; j++) {
                if (strcmp(other->files[j].path, *watches) == 0)
                    return *watches;
            }
        }
    }
    return NULL;
}

static struct step_verdict judge(const struct host_step *step, const struct ledger_entry *entry,
                                 const char *found)
{
    if (!entry)
        return (struct step_verdict){ACTION_CREATE, ""};
    if (entry->begun)
        return (struct step_verdict){ACTION_CREATE, "an earlier run left it half done"};
    if (!same_hash(step, entry))
        return (struct step_verdict){ACTION_UPDATE, ""};
    if (found)
        return (struct step_verdict){ACTION_UPDATE, found};
    return (struct step_verdict){ACTION_NONE, ""};
}

static bool is_wanted(const struct step_list *steps, const char *id)
{
    for (size_t i = 0; i < steps->count; i++) {
        if (strcmp(steps->items[i].id, id) == 0)
            return true;
    }
    return false;
}

static void find_removals(const struct step_list *steps, const struct ledger *ledger, bool data_may_go,
                          struct comparison *ret)
{
    for (size_t i = 0; i < ledger->count; i++)
        ret->kept_data += ledger->items[i].data && !data_may_go && !is_wanted(steps, ledger->items[i].id);
    for (size_t i = ledger->count; i-- > 0;) {
        const struct ledger_entry *entry = &ledger->items[i];
        if (is_wanted(steps, entry->id) || (entry->data && !data_may_go) ||
            (entry->with_data && ret->kept_data))
            continue;
        ret->removals[ret->removal_count++] = entry;
    }
}

void compare_steps(const struct step_list *steps, const struct ledger *ledger, const char *const *found,
                   bool data_may_go, struct arena *arena, struct comparison *ret)
{
    *ret = (struct comparison){.verdicts = arena_zalloc(arena, (steps->count + 1) * sizeof *ret->verdicts),
                               .removals = arena_zalloc(arena, (ledger->count + 1) * sizeof *ret->removals)};
    for (size_t i = 0; i < steps->count; i++)
        ret->verdicts[i] = judge(&steps->items[i], ledger_find(ledger, steps->items[i].id), found[i]);
    for (size_t i = 0; i < steps->count; i++) {
        const char *path = ret->verdicts[i].action ? NULL : moved(steps, i, ret->verdicts);
        if (path)
            ret->verdicts[i] = (struct step_verdict){ACTION_UPDATE, arena_printf(arena, "%s changes", path)};
        ret->create += ret->verdicts[i].action == ACTION_CREATE;
        ret->update += ret->verdicts[i].action == ACTION_UPDATE;
    }
    find_removals(steps, ledger, data_may_go, ret);
}
