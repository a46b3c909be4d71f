/* What must survive: SLI buckets, incidents, undelivered notifications, cursors. One SQLite file (WAL,
 * synchronous=FULL) written by one thread.
 *
 * Work is handed over as transactions: a function that runs on the journal thread inside a transaction. All
 * transactions waiting are committed together (one fsync for many); `done` is called on the journal thread
 * after the commit has returned, with err NULL, or with the error that made this transaction fail. A commit
 * that fails for want of space or I/O is retried with back-off for as long as the process lives: nothing
 * accepted is dropped, new work beyond the bound is refused (ERR_LIMIT), and journal_stats() shows it.
 *
 * A second process on the same journal is refused (ERR_CONFLICT) by a lock file beside it.
 *
 * Ownership: `arg` belongs to the caller until done() was called. Threads: journal_submit() from any thread.
 */
#ifndef FRAISEQL_JOURNAL_JOURNAL_H
#define FRAISEQL_JOURNAL_JOURNAL_H

#include "lib/core/error.h"
#include "lib/core/str.h"

struct journal;
struct journal_txn; /* handle inside a transaction: see buckets.h, incidents.h, outbox.h, state.h */

/* Opens (creates 0600, migrates, checks integrity; ERR_CORRUPT names the file and what to do). */
int journal_open(const char *path, struct journal **ret_journal, struct error *err) CHECK_RESULT;
/* Commits what is waiting (up to the deadline) and closes. Accepts NULL. */
void journal_close(struct journal *journal, int64_t deadline_mono_ns);

/* fn may run more than once (a transaction that shares a failed commit is run again): it must not keep state
 * of its own between runs. Returns 0 or a negative code, which rolls back this transaction alone. */
typedef int journal_fn(struct journal_txn *txn, void *arg, struct error *err);
typedef void journal_done_fn(void *arg, const struct error *err);

int journal_submit(struct journal *journal, journal_fn *fn, journal_done_fn *done, void *arg,
                   struct error *err) CHECK_RESULT;
/* Submits and waits; not on a loop's thread. For start-up, tests and tools. */
int journal_run(struct journal *journal, journal_fn *fn, void *arg, struct error *err) CHECK_RESULT;

/* Reads on a connection of its own, on the calling thread: never waits for the journal thread, sees what has
 * been committed. For HTTP threads; fn only reads. */
int journal_read(const char *path, journal_fn *fn, void *arg, struct error *err) CHECK_RESULT;

struct journal_stats {
    uint64_t commits, failed_commits, transactions, refused;
    uint64_t waiting; /* transactions not committed yet */
    int64_t last_commit_wall_ns;
    int64_t oldest_waiting_mono_ns; /* 0: none */
    int64_t last_commit_duration_ns;
    uint64_t bytes;       /* size of the file and its WAL */
    char last_error[256]; /* empty after a success */
};
void journal_stats(struct journal *journal, struct journal_stats *ret_stats);

#endif
