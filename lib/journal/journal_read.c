#include "lib/journal/journal_internal.h"

#define READ_BUSY_MS 1000

int journal_read(const char *path, journal_fn *fn, void *arg, struct error *err)
{
    struct journal_txn txn = {0};
    int result = sqlite3_open_v2(path, &txn.db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    int code = 0;
    if (result != SQLITE_OK) {
        code = error_set(err, ERR_UNAVAILABLE, "journal %s: %s", path,
                         txn.db ? sqlite3_errmsg(txn.db) : "out of memory");
    } else {
        (void)sqlite3_busy_timeout(txn.db, READ_BUSY_MS);
        code = txn_execute(&txn, ST_BEGIN, err);
        if (!code)
            code = fn(&txn, arg, err);
    }
    txn_finalize_all(&txn);
    (void)sqlite3_close(txn.db);
    return code;
}
