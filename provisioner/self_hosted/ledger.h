/* What was done on a host: JSON lines in layout.base/ledger.jsonl, each on the disk before what follows it.
 *
 *   {"event":"owner","deployment":"UUID"}                             once, first
 *   {"event":"begin","id":"base/folders","stage":0,"hash":"...",...}  before a step: all that undoing it
 * takes
 *   {"event":"done","id":"base/folders","hash":"...","files":[...]}   after it
 *   {"event":"undone","id":"base/folders"}
 *
 * A torn last line (the machine lost power) and what is no entry are passed over. Pure; bytes from a host may
 * be anything.
 *
 * Ownership: texts live in the arena of the ledger. */
#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_LEDGER_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_LEDGER_H

#include "lib/core/option.h"
#include "provisioner/self_hosted/step.h"

#define LEDGER_MAX_BYTES (16UL * 1024 * 1024)

struct ledger_entry {
    const char *id, *title, *hash, *undo, *netns; /* never NULL; hash "" while only begun */
    struct string_list files; /* put by it, those of an earlier version too until it is done */
    int64_t stage;
    bool data, with_data, begun; /* begun: it did not end */
};

struct ledger {
    struct arena *arena;
    const char *deployment;     /* the owner's UUID; NULL: there is no ledger */
    struct ledger_entry *items; /* what stands, in the order in which it was first begun */
    size_t count, capacity;
};

void ledger_read(struct arena *arena, struct str bytes, struct ledger *ret);
/* NULL when it does not stand. */
const struct ledger_entry *ledger_find(const struct ledger *ledger, const char *id);

/* Lines with their ends, appended to `out`. */
void ledger_put_owner(struct buf *out, const char *deployment);
/* `before`: the entry of an earlier version, whose files may still be there; NULL: none. */
void ledger_put_begin(struct buf *out, const struct host_step *step, const struct ledger_entry *before,
                      const char *netns);
void ledger_put_done(struct buf *out, const struct host_step *step);
void ledger_put_undone(struct buf *out, const char *id);
/* The whole of it anew, in as few lines as there can be. */
void ledger_put_all(struct buf *out, const struct ledger *ledger);

#endif
