/* What a deployment did, step by step: one JSON object a line, on the disk before a step begins and after it
 * ends, so that whatever ends this program leaves behind what it was doing.
 *
 *   {"at":"2026-11-25T10:00:00.000Z","event":"begin","step":"apply","root":"us-east"}
 *   {"at":...,"event":"child","step":"apply","root":"us-east","pid":4711}
 *   {"at":...,"event":"end","step":"apply","root":"us-east","outcome":"ok","detail":""}
 *
 * A torn last line (the machine lost power in the middle of a write) is cut off at the next opening. No
 * values of the deployment are written here, only names, outcomes and messages.
 *
 * Ownership: entries live in the journal. Threads: any. */
#ifndef FRAISEQL_PROVISIONER_RUN_JOURNAL_H
#define FRAISEQL_PROVISIONER_RUN_JOURNAL_H

#include "lib/core/arena.h"
#include "lib/core/error.h"

/* The outcome of a step that changed nothing, as if it had not been begun. */
#define RUN_REFUSED "refused"

struct run_entry {
    const char *at, *event, *step, *root, *outcome, *detail; /* never NULL */
    int64_t pid;                                             /* 0: none */
};

struct run_entries {
    struct run_entry *items;
    size_t count, capacity;
    size_t good_bytes; /* up to the end of the last whole line */
    size_t bad_lines;  /* whole lines that are no entry: left alone */
};

struct run_journal;

/* Pure: what a journal's bytes say. */
void run_journal_replay(struct arena *arena, struct str bytes, struct run_entries *ret_entries);
/* The newest entry that tells how `step` of `root` stands: its "end", or its "begin" when it did not end.
 * One that was refused is passed over. NULL when it was never begun. `step` NULL: any. */
const struct run_entry *run_entries_last(const struct run_entries *entries, const char *step,
                                         const char *root);
/* The newest child of a step that did not end, NULL otherwise. Of one that was refused it is passed over,
 * too. */
const struct run_entry *run_entries_child(const struct run_entries *entries, const char *step,
                                          const char *root);

/* With `reading` nothing is created, mended or written; later writes are dropped. */
int run_journal_open(const char *path, bool reading, struct run_journal **ret_journal, struct error *err)
    CHECK_RESULT;
void run_journal_close(struct run_journal *journal);
DEFINE_CLEANUP(struct run_journal, run_journal_close)
/* As it was when it was opened. */
const struct run_entries *run_journal_before(const struct run_journal *journal);
int run_journal_begin(struct run_journal *journal, const char *step, const char *root, struct error *err)
    CHECK_RESULT;
/* Not fatal: without it a later run finds less. */
void run_journal_child(struct run_journal *journal, const char *step, const char *root, int64_t pid);
int run_journal_end(struct run_journal *journal, const char *step, const char *root, const char *outcome,
                    const char *detail, struct error *err);

#endif
