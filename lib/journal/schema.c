#include "lib/journal/journal_internal.h"

#include <stdio.h>

#define APPLICATION_ID 0x4651534a /* "FQSJ" */

/* migrations[i] leads from version i to i + 1. What was released is never edited: a change is a new entry. */
static const char *const migrations[] = {
    "CREATE TABLE series(id INTEGER PRIMARY KEY, slo TEXT NOT NULL, labels TEXT NOT NULL, UNIQUE(slo, "
    "labels)) STRICT;"
    "CREATE TABLE tail(start_s INTEGER NOT NULL, series_id INTEGER NOT NULL, good INTEGER NOT NULL,"
    " bad INTEGER NOT NULL, unknown INTEGER NOT NULL, PRIMARY KEY(start_s, series_id)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE hours(series_id INTEGER NOT NULL, hour_s INTEGER NOT NULL, width_s INTEGER NOT NULL,"
    " data BLOB NOT NULL, PRIMARY KEY(series_id, hour_s)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX hours_by_width ON hours(width_s, hour_s);"
    "CREATE TABLE state(space TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY(space, key))"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE incidents(id TEXT NOT NULL PRIMARY KEY, trigger_name TEXT NOT NULL, labels TEXT NOT NULL,"
    " state TEXT NOT NULL, started_ns INTEGER NOT NULL, resolved_ns INTEGER NOT NULL, payload BLOB NOT NULL)"
    " STRICT, WITHOUT ROWID;"
    "CREATE INDEX incidents_open ON incidents(id) WHERE resolved_ns = 0;"
    "CREATE TABLE deliveries(seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
    " incident_id TEXT NOT NULL, receiver TEXT NOT NULL, event TEXT NOT NULL, payload BLOB NOT NULL,"
    " created_ns INTEGER NOT NULL, next_attempt_ns INTEGER NOT NULL, attempts INTEGER NOT NULL,"
    " state INTEGER NOT NULL, last_error TEXT NOT NULL) STRICT;"
    "CREATE INDEX deliveries_pending ON deliveries(seq) WHERE state = 0;"
    "CREATE INDEX deliveries_by_incident ON deliveries(incident_id, seq);",
    "CREATE TABLE damaged_hours(series_id INTEGER NOT NULL, hour_s INTEGER NOT NULL, data BLOB NOT NULL,"
    " PRIMARY KEY(series_id, hour_s)) STRICT, WITHOUT ROWID;",
};

static int fail(sqlite3 *db, const char *path, int result, struct error *err)
{
    if ((result & 0xff) == SQLITE_CORRUPT || (result & 0xff) == SQLITE_NOTADB) {
        (void)error_set(err, ERR_CORRUPT, "journal %s is damaged: %s", path, sqlite3_errmsg(db));
        error_set_hint(err,
                       "stop every process that uses it and move the file and its -wal away; a new one is "
                       "made at the next start, and budgets begin anew");
        return ERR_CORRUPT;
    }
    return error_set(err, ERR_UNAVAILABLE, "journal %s: %s", path, sqlite3_errmsg(db));
}

static int read_number(sqlite3 *db, const char *path, const char *sql, int64_t *ret_number, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_step(statement);
    if (result == SQLITE_ROW)
        *ret_number = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    return result == SQLITE_ROW ? 0 : fail(db, path, result, err);
}

static int execute(sqlite3 *db, const char *path, const char *sql, struct error *err)
{
    int result = sqlite3_exec(db, sql, NULL, NULL, NULL);
    return result == SQLITE_OK ? 0 : fail(db, path, result, err);
}

static int check_integrity(sqlite3 *db, const char *path, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &statement, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_step(statement);
    int code = 0;
    if (result != SQLITE_ROW) {
        code = fail(db, path, result, err);
    } else if (!str_equal_text(column_str(statement, 0), "ok")) {
        struct str found = column_str(statement, 0);
        code = fail(db, path, SQLITE_CORRUPT, err);
        error_set_detail(err, "quick_check: %.*s", STR_ARGS(found));
    }
    (void)sqlite3_finalize(statement);
    return code;
}

static int migrate(sqlite3 *db, const char *path, int64_t from, struct error *err)
{
    int code = execute(db, path, "BEGIN IMMEDIATE", err);
    for (int64_t version = from; !code && version < (int64_t)ARRAY_LEN(migrations); version++)
        code = execute(db, path, migrations[version], err);
    char pragma[96];
    (void)snprintf(pragma, sizeof pragma, "PRAGMA user_version = %zu; PRAGMA application_id = %d",
                   ARRAY_LEN(migrations), APPLICATION_ID);
    if (!code)
        code = execute(db, path, pragma, err);
    if (!code)
        return execute(db, path, "COMMIT", err);
    (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return code;
}

static int check_owner(sqlite3 *db, const char *path, int64_t version, struct error *err)
{
    int64_t application, tables;
    int code = read_number(db, path, "PRAGMA application_id", &application, err);
    if (!code)
        code = read_number(db, path, "SELECT count(*) FROM sqlite_schema", &tables, err);
    if (code)
        return code;
    if (application != APPLICATION_ID && (application || tables || version))
        return error_set(err, ERR_CONFLICT, "%s is an SQLite file of another program", path);
    if (version > (int64_t)ARRAY_LEN(migrations)) {
        (void)error_set(err, ERR_CONFLICT,
                        "journal %s has version %lld, which is newer than this program's %zu", path,
                        (long long)version, ARRAY_LEN(migrations));
        error_set_hint(err, "start the newer program again, or name another journal file");
        return ERR_CONFLICT;
    }
    return 0;
}

int schema_prepare(sqlite3 *db, const char *path, struct error *err)
{
    int64_t version;
    int code = read_number(db, path, "PRAGMA user_version", &version, err);
    if (!code)
        code = check_owner(db, path, version, err);
    if (!code)
        code = execute(
            db, path,
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 1000;"
            "PRAGMA journal_size_limit = 16777216; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -4096;"
            "PRAGMA trusted_schema = OFF",
            err);
    if (!code)
        code = check_integrity(db, path, err);
    if (!code && version < (int64_t)ARRAY_LEN(migrations))
        code = migrate(db, path, version, err);
    return code;
}
