#include "lib/journal/state.h"

#include "lib/journal/journal_internal.h"

int state_put(struct journal_txn *txn, const char *space, const char *key, struct str value,
              struct error *err)
{
    sqlite3_stmt *statement;
    int code = txn_statement(txn, ST_STATE_PUT, &statement, err);
    if (code)
        return code;
    bind_text(statement, 1, space);
    bind_text(statement, 2, key);
    bind_blob(statement, 3, value);
    return txn_step(txn, statement, err);
}

int state_delete(struct journal_txn *txn, const char *space, const char *key, struct error *err)
{
    sqlite3_stmt *statement;
    int code = txn_statement(txn, ST_STATE_DELETE, &statement, err);
    if (code)
        return code;
    bind_text(statement, 1, space);
    bind_text(statement, 2, key);
    return txn_step(txn, statement, err);
}

int state_each(struct journal_txn *txn, const char *space, state_each_fn *fn, void *ctx, struct error *err)
{
    sqlite3_stmt *statement;
    int code = txn_statement(txn, ST_STATE_EACH, &statement, err);
    if (code)
        return code;
    bind_text(statement, 1, space);
    while ((code = txn_step(txn, statement, err)) == 1) {
        struct str value = column_str(statement, 1);
        code = fn(ctx, (const char *)sqlite3_column_text(statement, 0), value, err);
        if (code) {
            (void)sqlite3_reset(statement);
            return code;
        }
    }
    return code;
}
