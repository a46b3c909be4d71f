/* Inside lib/journal: the transaction handle, its prepared statements and helpers over SQLite. */
#ifndef FRAISEQL_JOURNAL_JOURNAL_INTERNAL_H
#define FRAISEQL_JOURNAL_JOURNAL_INTERNAL_H

#include "lib/core/arena.h"
#include "lib/journal/journal.h"

#include <sqlite3.h>

enum statement {
    ST_BEGIN,
    ST_COMMIT,
    ST_ROLLBACK,
    ST_SAVEPOINT,
    ST_ROLLBACK_TO,
    ST_RELEASE,
    ST_SERIES_FIND,
    ST_SERIES_ADD,
    ST_SERIES_ALL,
    ST_TAIL_ADD,
    ST_TAIL_OLDEST,
    ST_TAIL_RANGE,
    ST_TAIL_DROP,
    ST_HOUR_GET,
    ST_HOUR_PUT,
    ST_HOUR_COARSEN,
    ST_HOUR_DROP,
    ST_HOUR_OF_SERIES,
    ST_HOUR_SET_ASIDE,
    ST_HOUR_REMOVE,
    ST_DAMAGED_COUNT,
    ST_STATE_PUT,
    ST_STATE_DELETE,
    ST_STATE_EACH,
    ST_INCIDENT_PUT,
    ST_INCIDENT_LIST,
    ST_INCIDENT_OPEN,
    ST_DELIVERY_ADD,
    ST_DELIVERY_UPDATE,
    ST_DELIVERY_PENDING,
    ST_DELIVERY_INCIDENT,
    ST_DELIVERY_EXPIRE,
    ST_COUNT
};

/* One connection's handle; statements are prepared at first use and kept. Journal thread only. */
struct journal_txn {
    sqlite3 *db;
    sqlite3_stmt *statements[ST_COUNT];
    bool storage_failed; /* space, I/O or memory: a retry may help, and the whole group is run again */
};

/* A reset statement without bindings. */
int txn_statement(struct journal_txn *txn, enum statement which, sqlite3_stmt **ret_statement,
                  struct error *err) CHECK_RESULT;
/* 1: a row, 0: the end (and reset), negative: failed (and reset). */
int txn_step(struct journal_txn *txn, sqlite3_stmt *statement, struct error *err) CHECK_RESULT;
/* Runs one without rows and parameters. */
int txn_execute(struct journal_txn *txn, enum statement which, struct error *err) CHECK_RESULT;
void txn_reset_all(struct journal_txn *txn);
void txn_finalize_all(struct journal_txn *txn);
/* Fills err from SQLite's result and notes whether the storage is at fault. */
int txn_error(struct journal_txn *txn, int result, const char *what, struct error *err);

/* Bound bytes must live until the statement is stepped. */
static inline void bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    (void)sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

static inline void bind_blob(sqlite3_stmt *statement, int at, struct str bytes)
{
    (void)sqlite3_bind_blob64(statement, at, bytes.len ? bytes.ptr : "", bytes.len, SQLITE_STATIC);
}

static inline void bind_i64(sqlite3_stmt *statement, int at, int64_t number)
{
    (void)sqlite3_bind_int64(statement, at, number);
}

static inline struct str column_str(sqlite3_stmt *statement, int at)
{
    const void *bytes = sqlite3_column_blob(statement, at);
    return (struct str){bytes ? bytes : "", (size_t)sqlite3_column_bytes(statement, at)};
}

static inline const char *column_text(sqlite3_stmt *statement, int at, struct arena *arena)
{
    return arena_strdup(arena, column_str(statement, at));
}

/* schema.c: application id, version, migrations, integrity. */
int schema_prepare(sqlite3 *db, const char *path, struct error *err) CHECK_RESULT;

#endif
