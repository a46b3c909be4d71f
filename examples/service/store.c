#include "examples/service/store.h"

#include "examples/service/pool.h"
#include "lib/core/atomic.h"
#include "lib/core/clock.h"

#include <stdlib.h>

#define READ_LIMIT_NS  (3 * NS_PER_S)
#define WRITE_LIMIT_NS (10 * NS_PER_S)
#define TRY_LIMIT_NS   (3 * NS_PER_S) /* of one attempt */
#define PING_LIMIT_NS  (800 * NS_PER_MS)
#define RETRY_WAIT_NS  (50 * NS_PER_MS)

#define COLUMNS                                                                                              \
    "id, what, region, to_char(created_at at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"

static const char create_sql[] =
    "create table if not exists orders (id bigint generated always as identity primary key, key text unique, "
    "what text not null, region text not null, created_at timestamptz not null default clock_timestamp())";
static const char insert_sql[] =
    "insert into orders (key, what, region) values ($1, $2, $3) "
    /* An update that changes nothing makes RETURNING give the row that was there. */
    "on conflict (key) do update set key = excluded.key returning " COLUMNS;

struct store {
    struct pool *reads, *writes;
    const char *region;
    struct counter statements, failures, retries;
};

struct store *store_new(const struct store_options *options)
{
    struct store *store = xcalloc(1, sizeof *store);
    store->reads = pool_new(options->read_url, "any", options->pool_max);
    store->writes = pool_new(options->write_url, "read-write", options->pool_max);
    store->region = options->region;
    return store;
}

void store_free(struct store *store)
{
    if (!store)
        return;
    pool_free(store->reads);
    pool_free(store->writes);
    free(store);
}

struct statement {
    struct pool *pool;
    const char *sql;
    const char *const *values;
    int count;
};

/* One attempt. *ret_failure says what is known when it failed. */
static int try_statement(struct store *store, const struct statement *statement, int64_t deadline_ns,
                         PGresult **ret, enum pool_failure *ret_failure, struct error *err)
{
    PGconn *connection = NULL;
    *ret_failure = POOL_NOT_DONE;
    int code = pool_take(statement->pool, deadline_ns, &connection, err);
    if (!code) {
        code = pool_query(connection, statement->sql, statement->values, statement->count, deadline_ns, ret,
                          ret_failure, err);
        pool_give(statement->pool, connection, code && *ret_failure != POOL_NOT_DONE);
    }
    counter_add(&store->statements, 1);
    if (code)
        counter_add(&store->failures, 1);
    return code;
}

/* Attempts until it succeeds, the time is over, or the server itself says no. */
static int run_statement(struct store *store, const struct statement *statement, int64_t limit_ns,
                         bool repeatable, PGresult **ret, bool *ret_unknown, struct error *err)
{
    const int64_t end_ns = clock_mono_ns() + limit_ns;
    bool unknown = false;
    for (;;) {
        int64_t now_ns = clock_mono_ns();
        int64_t deadline_ns = now_ns + TRY_LIMIT_NS < end_ns ? now_ns + TRY_LIMIT_NS : end_ns;
        enum pool_failure failure = POOL_NOT_DONE;
        int code = try_statement(store, statement, deadline_ns, ret, &failure, err);
        unknown = unknown || (code && failure == POOL_UNKNOWN);
        *ret_unknown = code && unknown;
        bool refused = code == ERR_PEER;
        if (!code || refused || (unknown && !repeatable) || clock_mono_ns() + RETRY_WAIT_NS >= end_ns)
            return code;
        counter_add(&store->retries, 1);
        clock_sleep_ns(RETRY_WAIT_NS);
    }
}

static const char *field(struct arena *arena, const PGresult *result, int row, int column)
{
    return arena_strdup(
        arena, (struct str){PQgetvalue(result, row, column), (size_t)PQgetlength(result, row, column)});
}

static struct order read_order(struct arena *arena, const PGresult *result, int row)
{
    return (struct order){.id = field(arena, result, row, 0),
                          .what = field(arena, result, row, 1),
                          .region = field(arena, result, row, 2),
                          .created_at = field(arena, result, row, 3)};
}

int store_prepare(struct store *store, struct error *err)
{
    const struct statement statement = {.pool = store->writes, .sql = create_sql};
    enum pool_failure failure = POOL_NOT_DONE;
    PGresult *result = NULL;
    int code = try_statement(store, &statement, clock_mono_ns() + TRY_LIMIT_NS, &result, &failure, err);
    PQclear(result);
    return code;
}

int store_ping(struct store *store, struct error *err)
{
    const struct statement statement = {.pool = store->reads, .sql = "select 1 from orders limit 1"};
    enum pool_failure failure = POOL_NOT_DONE;
    PGresult *result = NULL;
    int code = try_statement(store, &statement, clock_mono_ns() + PING_LIMIT_NS, &result, &failure, err);
    PQclear(result);
    return code;
}

int store_list(struct store *store, struct arena *arena, int64_t limit, struct order **ret, size_t *ret_count,
               struct error *err)
{
    const char *const values[] = {arena_printf(arena, "%lld", (long long)limit)};
    const struct statement statement = {.pool = store->reads,
                                        .sql = "select " COLUMNS " from orders order by id desc limit $1",
                                        .values = values,
                                        .count = 1};
    PGresult *result = NULL;
    bool unknown = false;
    int code = run_statement(store, &statement, READ_LIMIT_NS, true, &result, &unknown, err);
    if (code)
        return code;
    *ret_count = (size_t)PQntuples(result);
    *ret = arena_zalloc(arena, (*ret_count + 1) * sizeof **ret);
    for (size_t i = 0; i < *ret_count; i++)
        (*ret)[i] = read_order(arena, result, (int)i);
    PQclear(result);
    return 0;
}

int store_get(struct store *store, struct arena *arena, const char *id, struct order *ret, bool *ret_found,
              struct error *err)
{
    const char *const values[] = {id};
    const struct statement statement = {.pool = store->reads,
                                        .sql = "select " COLUMNS " from orders where id = $1",
                                        .values = values,
                                        .count = 1};
    PGresult *result = NULL;
    bool unknown = false;
    int code = run_statement(store, &statement, READ_LIMIT_NS, true, &result, &unknown, err);
    if (code)
        return code;
    *ret_found = PQntuples(result) == 1;
    if (*ret_found)
        *ret = read_order(arena, result, 0);
    PQclear(result);
    return 0;
}

int store_create(struct store *store, struct arena *arena, const char *what, const char *key,
                 struct order *ret, bool *ret_unknown, struct error *err)
{
    const char *const values[] = {key, what, store->region};
    const struct statement statement = {
        .pool = store->writes, .sql = insert_sql, .values = values, .count = 3};
    PGresult *result = NULL;
    int code = run_statement(store, &statement, WRITE_LIMIT_NS, key != NULL, &result, ret_unknown, err);
    if (code)
        return code;
    *ret = read_order(arena, result, 0);
    PQclear(result);
    return 0;
}

void store_read_counts(struct store *store, struct store_counts *ret)
{
    unsigned active = 0, idle = 0;
    pool_counts(store->reads, &ret->active, &ret->idle);
    pool_counts(store->writes, &active, &idle);
    ret->active += active;
    ret->idle += idle;
    ret->statements = counter_get(&store->statements);
    ret->failures = counter_get(&store->failures);
    ret->retries = counter_get(&store->retries);
}
