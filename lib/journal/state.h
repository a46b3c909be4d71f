/* Small named values that must survive: counter cursors, the time up to which buckets are durable. */
#ifndef FRAISEQL_JOURNAL_STATE_H
#define FRAISEQL_JOURNAL_STATE_H

#include "lib/core/arena.h"
#include "lib/journal/journal.h"

int state_put(struct journal_txn *txn, const char *space, const char *key, struct str value,
              struct error *err) CHECK_RESULT;
int state_delete(struct journal_txn *txn, const char *space, const char *key, struct error *err) CHECK_RESULT;
typedef int state_each_fn(void *ctx, const char *key, struct str value, struct error *err);
int state_each(struct journal_txn *txn, const char *space, state_each_fn *fn, void *ctx, struct error *err)
    CHECK_RESULT;

#endif
