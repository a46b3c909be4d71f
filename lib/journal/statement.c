#include "lib/journal/journal_internal.h"

#include <errno.h>

/* Saturates: SQLite would turn an overflow into a float, which a STRICT column refuses. */
#define BUCKET_SUM(column)                                                                                   \
#column " = CASE WHEN " #column " > 9223372036854775807 - excluded." #column                             \
            " THEN 9223372036854775807 ELSE " #column " + excluded." #column " END"

#define DELIVERY_COLUMNS                                                                                     \
    "id, incident_id, receiver, event, payload, created_ns, next_attempt_ns, attempts, state, last_error"
#define INCIDENT_COLUMNS "id, trigger_name, labels, state, started_ns, resolved_ns, payload"

static const char *const texts[ST_COUNT] = {
    [ST_BEGIN] = "BEGIN IMMEDIATE",
    [ST_COMMIT] = "COMMIT",
    [ST_ROLLBACK] = "ROLLBACK",
    [ST_SAVEPOINT] = "SAVEPOINT one",
    [ST_ROLLBACK_TO] = "ROLLBACK TO one",
    [ST_RELEASE] = "RELEASE one",

    [ST_SERIES_FIND] = "SELECT id FROM series WHERE slo = ? AND labels = ?",
    [ST_SERIES_ADD] = "INSERT INTO series(slo, labels) VALUES(?, ?)",
    [ST_SERIES_ALL] = "SELECT id, slo, labels FROM series ORDER BY id",

    /* Time first: a second of all series goes to one end of the tree, so that a commit touches few pages. */
    [ST_TAIL_ADD] = "INSERT INTO tail(start_s, series_id, good, bad, unknown) VALUES(?, ?, ?, ?, ?) "
                    "ON CONFLICT(start_s, series_id) DO UPDATE SET " BUCKET_SUM(good) ", " BUCKET_SUM(
                        bad) ", " BUCKET_SUM(unknown),
    [ST_TAIL_OLDEST] = "SELECT min(start_s) FROM tail",
    [ST_TAIL_RANGE] = "SELECT series_id, start_s, good, bad, unknown FROM tail "
                      "WHERE start_s >= ? AND start_s < ? ORDER BY series_id, start_s",
    [ST_TAIL_DROP] = "DELETE FROM tail WHERE start_s >= ? AND start_s < ?",

    [ST_HOUR_GET] = "SELECT data FROM hours WHERE series_id = ? AND hour_s = ?",
    [ST_HOUR_PUT] =
        "INSERT INTO hours(series_id, hour_s, width_s, data) VALUES(?, ?, ?, ?) "
        "ON CONFLICT(series_id, hour_s) DO UPDATE SET width_s = excluded.width_s, data = excluded.data",
    [ST_HOUR_COARSEN] = "SELECT series_id, hour_s FROM hours WHERE width_s = ? AND hour_s <= ? LIMIT 1000",
    [ST_HOUR_DROP] = "DELETE FROM hours WHERE width_s >= 1 AND hour_s <= ?",
    [ST_HOUR_OF_SERIES] = "SELECT hour_s, data FROM hours WHERE series_id = ? AND hour_s > ? ORDER BY hour_s",
    [ST_HOUR_SET_ASIDE] = "INSERT OR REPLACE INTO damaged_hours SELECT series_id, hour_s, data FROM hours "
                          "WHERE series_id = ? AND hour_s = ?",
    [ST_HOUR_REMOVE] = "DELETE FROM hours WHERE series_id = ? AND hour_s = ?",
    [ST_DAMAGED_COUNT] = "SELECT count(*) FROM damaged_hours",

    [ST_STATE_PUT] = "INSERT INTO state(space, key, value) VALUES(?, ?, ?) "
                     "ON CONFLICT(space, key) DO UPDATE SET value = excluded.value",
    [ST_STATE_DELETE] = "DELETE FROM state WHERE space = ? AND key = ?",
    [ST_STATE_EACH] = "SELECT key, value FROM state WHERE space = ? ORDER BY key",

    [ST_INCIDENT_PUT] =
        "INSERT INTO incidents(" INCIDENT_COLUMNS ") VALUES(?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT(id) DO UPDATE SET state = excluded.state, resolved_ns = excluded.resolved_ns, "
        "payload = excluded.payload",
    [ST_INCIDENT_LIST] = "SELECT " INCIDENT_COLUMNS " FROM incidents WHERE ?1 IS NULL OR id < ?1 "
                         "ORDER BY id DESC LIMIT ?2",
    [ST_INCIDENT_OPEN] = "SELECT " INCIDENT_COLUMNS " FROM incidents WHERE resolved_ns = 0 ORDER BY id",

    [ST_DELIVERY_ADD] = "INSERT INTO deliveries(" DELIVERY_COLUMNS ") VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [ST_DELIVERY_UPDATE] =
        "UPDATE deliveries SET state = ?, attempts = ?, next_attempt_ns = ?, last_error = ? "
        "WHERE id = ?",
    [ST_DELIVERY_PENDING] = "SELECT " DELIVERY_COLUMNS " FROM deliveries WHERE state = 0 ORDER BY seq",
    [ST_DELIVERY_INCIDENT] = "SELECT " DELIVERY_COLUMNS " FROM deliveries WHERE incident_id = ? ORDER BY seq",
    [ST_DELIVERY_EXPIRE] = "DELETE FROM deliveries WHERE state <> 0 AND incident_id IN "
                           "(SELECT id FROM incidents WHERE resolved_ns <> 0 AND resolved_ns < ?)",
};

static int code_of(int result)
{
    switch (result & 0xff) {
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
        return -EIO;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return -EROFS;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_CORRUPT;
    case SQLITE_CONSTRAINT:
        return ERR_CONFLICT;
    default:
        return ERR_PEER;
    }
}

int txn_error(struct journal_txn *txn, int result, const char *what, struct error *err)
{
    int code = code_of(result);
    txn->storage_failed |=
        code == -ENOSPC || code == -EIO || code == -ENOMEM || code == -EBUSY || code == -EROFS;
    (void)error_set(err, code, "journal: %s", sqlite3_errmsg(txn->db));
    error_set_detail(err, "SQLite result %d in: %s", result, what);
    return code;
}

int txn_statement(struct journal_txn *txn, enum statement which, sqlite3_stmt **ret_statement,
                  struct error *err)
{
    sqlite3_stmt **slot = &txn->statements[which];
    if (*slot) {
        (void)sqlite3_reset(*slot);
        (void)sqlite3_clear_bindings(*slot);
    } else {
        int result = sqlite3_prepare_v3(txn->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT, slot, NULL);
        if (result != SQLITE_OK)
            return txn_error(txn, result, texts[which], err);
    }
    *ret_statement = *slot;
    return 0;
}

int txn_step(struct journal_txn *txn, sqlite3_stmt *statement, struct error *err)
{
    int result = sqlite3_step(statement);
    if (result == SQLITE_ROW)
        return 1;
    int code = result == SQLITE_DONE ? 0 : txn_error(txn, result, sqlite3_sql(statement), err);
    (void)sqlite3_reset(statement);
    return code;
}

int txn_execute(struct journal_txn *txn, enum statement which, struct error *err)
{
    sqlite3_stmt *statement;
    int code = txn_statement(txn, which, &statement, err);
    return code ? code : txn_step(txn, statement, err);
}

void txn_reset_all(struct journal_txn *txn)
{
    for (size_t i = 0; i < ST_COUNT; i++) {
        if (txn->statements[i])
            (void)sqlite3_reset(txn->statements[i]);
    }
}

void txn_finalize_all(struct journal_txn *txn)
{
    for (size_t i = 0; i < ST_COUNT; i++) {
        (void)sqlite3_finalize(txn->statements[i]);
        txn->statements[i] = NULL;
    }
}
