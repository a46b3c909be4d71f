#include "examples/service/pool.h"

#include "lib/core/arena.h"
#include "lib/core/clock.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define READ_ONLY_TRANSACTION "25006"

struct pool {
    const char *url, *session_attrs;
    pthread_mutex_t lock;
    pthread_cond_t freed;
    PGconn **idle; /* under lock, as all below */
    unsigned idle_count, open_count, max;
};

struct pool *pool_new(const char *url, const char *session_attrs, unsigned max)
{
    struct pool *pool = xcalloc(1, sizeof *pool);
    pthread_condattr_t attributes;
    pool->url = url;
    pool->session_attrs = session_attrs;
    pool->max = max;
    pool->idle = xcalloc(max, sizeof *pool->idle);
    (void)pthread_mutex_init(&pool->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&pool->freed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    return pool;
}

void pool_free(struct pool *pool)
{
    if (!pool)
        return;
    for (unsigned i = 0; i < pool->idle_count; i++)
        PQfinish(pool->idle[i]);
    (void)pthread_cond_destroy(&pool->freed);
    (void)pthread_mutex_destroy(&pool->lock);
    free(pool->idle);
    free(pool);
}

/* False when the deadline passed. */
static bool wait_socket(PGconn *connection, short events, int64_t deadline_mono_ns)
{
    for (;;) {
        int64_t left_ns = deadline_mono_ns - clock_mono_ns();
        struct pollfd wait = {.fd = PQsocket(connection), .events = events};
        if (left_ns <= 0)
            return false;
        int ready = poll(&wait, 1, (int)(left_ns / NS_PER_MS) + 1);
        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR)
            return false;
    }
}

/* libpq's messages end with a line end, and have several lines where an address has several meanings. */
static int fail_with(PGconn *connection, const char *what, struct error *err)
{
    struct str text = str_trim(str_from(PQerrorMessage(connection)));
    return error_set(err, ERR_UNAVAILABLE, "%s: %.*s", what, (int)(text.len < 300 ? text.len : 300),
                     text.ptr);
}

static int connect_database(const struct pool *pool, int64_t deadline_mono_ns, PGconn **ret,
                            struct error *err)
{
    /* A dbname that is a URL is taken apart, and what follows it wins. */
    const char *const names[] = {"fallback_application_name", "dbname",          "target_session_attrs",
                                 "tcp_user_timeout",          "keepalives_idle", NULL};
    const char *const values[] = {
        "fraiseql-example-service", pool->url, pool->session_attrs, "5000", "5", NULL};
    PGconn *connection = PQconnectStartParams(names, values, 1);
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;
    if (!connection || PQstatus(connection) == CONNECTION_BAD)
        state = PGRES_POLLING_FAILED;
    while (state != PGRES_POLLING_OK && state != PGRES_POLLING_FAILED) {
        if (!wait_socket(connection, state == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline_mono_ns)) {
            PQfinish(connection);
            return error_set(err, ERR_TIMEOUT, "cannot connect to the database in time");
        }
        state = PQconnectPoll(connection);
    }
    if (state == PGRES_POLLING_FAILED) {
        int code = fail_with(connection, "cannot connect to the database", err);
        PQfinish(connection);
        return code;
    }
    *ret = connection;
    return 0;
}

/* Whether an idle connection still stands: a server that went has closed it, and that can be read. */
static bool still_stands(PGconn *connection)
{
    struct pollfd look = {.fd = PQsocket(connection), .events = POLLIN};
    if (poll(&look, 1, 0) > 0 && !PQconsumeInput(connection))
        return false;
    return PQstatus(connection) == CONNECTION_OK && PQtransactionStatus(connection) == PQTRANS_IDLE;
}

static void leave_place(struct pool *pool)
{
    (void)pthread_mutex_lock(&pool->lock);
    pool->open_count--;
    (void)pthread_cond_signal(&pool->freed);
    (void)pthread_mutex_unlock(&pool->lock);
}

/* An idle connection, or NULL and a place to open one in. */
static int take_place(struct pool *pool, int64_t deadline_mono_ns, PGconn **ret, struct error *err)
{
    const struct timespec until = {.tv_sec = deadline_mono_ns / NS_PER_S,
                                   .tv_nsec = deadline_mono_ns % NS_PER_S};
    int code = 0;
    *ret = NULL;
    (void)pthread_mutex_lock(&pool->lock);
    while (pool->idle_count == 0 && pool->open_count == pool->max && code == 0)
        code = pthread_cond_timedwait(&pool->freed, &pool->lock, &until);
    if (pool->idle_count > 0) {
        *ret = pool->idle[--pool->idle_count];
        code = 0;
    } else if (pool->open_count < pool->max) {
        pool->open_count++;
        code = 0;
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return code ? error_set(err, ERR_TIMEOUT, "all %u connections to the database are busy", pool->max) : 0;
}

int pool_take(struct pool *pool, int64_t deadline_mono_ns, PGconn **ret, struct error *err)
{
    PGconn *connection = NULL;
    int code = take_place(pool, deadline_mono_ns, &connection, err);
    if (code)
        return code;
    if (connection && !still_stands(connection)) {
        PQfinish(connection);
        connection = NULL;
    }
    if (!connection)
        code = connect_database(pool, deadline_mono_ns, &connection, err);
    if (code)
        leave_place(pool);
    else
        *ret = connection;
    return code;
}

void pool_give(struct pool *pool, PGconn *connection, bool close)
{
    if (close || PQstatus(connection) != CONNECTION_OK || PQtransactionStatus(connection) != PQTRANS_IDLE) {
        PQfinish(connection);
        leave_place(pool);
        return;
    }
    (void)pthread_mutex_lock(&pool->lock);
    pool->idle[pool->idle_count++] = connection;
    (void)pthread_cond_signal(&pool->freed);
    (void)pthread_mutex_unlock(&pool->lock);
}

void pool_counts(struct pool *pool, unsigned *ret_active, unsigned *ret_idle)
{
    (void)pthread_mutex_lock(&pool->lock);
    *ret_idle = pool->idle_count;
    *ret_active = pool->open_count - pool->idle_count;
    (void)pthread_mutex_unlock(&pool->lock);
}

static int wait_result(PGconn *connection, int64_t deadline_mono_ns, struct error *err)
{
    for (int flushing = PQflush(connection); flushing || PQisBusy(connection);) {
        if (!wait_socket(connection, flushing ? POLLIN | POLLOUT : POLLIN, deadline_mono_ns))
            return error_set(err, ERR_TIMEOUT, "the database did not answer in time");
        if (!PQconsumeInput(connection))
            return fail_with(connection, "the connection to the database was lost", err);
        flushing = flushing ? PQflush(connection) : 0;
        if (flushing < 0)
            return fail_with(connection, "the connection to the database was lost", err);
    }
    return 0;
}

/* All results up to ReadyForQuery, which alone says that the transaction is committed: in the extended
 * protocol CommandComplete comes before. An error anywhere is what stays. */
static int last_result(PGconn *connection, int64_t deadline_mono_ns, PGresult **ret, struct error *err)
{
    for (;;) {
        int code = wait_result(connection, deadline_mono_ns, err);
        if (code)
            return code;
        PGresult *result = PQgetResult(connection);
        if (!result)
            return 0;
        PQclear(*ret);
        *ret = result;
    }
}

/* A server that ends a connection (FATAL, PANIC) may have committed before: it says so of a commit whose wait
 * for a standby it broke off. */
static enum pool_failure failure_of(const PGresult *result)
{
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (!severity || !state || strcmp(severity, "ERROR") != 0)
        return POOL_UNKNOWN;
    return strcmp(state, READ_ONLY_TRANSACTION) == 0 ? POOL_READ_ONLY : POOL_NOT_DONE;
}

/* Wrong data, a violated constraint, a wrong statement: another attempt gives the same. */
static bool is_final(const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    return state &&
           (strncmp(state, "22", 2) == 0 || strncmp(state, "23", 2) == 0 || strncmp(state, "42", 2) == 0);
}

int pool_query(PGconn *connection, const char *sql, const char *const *values, int count,
               int64_t deadline_mono_ns, PGresult **ret, enum pool_failure *ret_failure, struct error *err)
{
    PGresult *result = NULL;
    *ret_failure = POOL_NOT_DONE;
    (void)PQsetnonblocking(connection, 1);
    if (!PQsendQueryParams(connection, sql, count, NULL, values, NULL, NULL, 0))
        return fail_with(connection, "cannot ask the database", err);
    *ret_failure = POOL_UNKNOWN;
    int code = last_result(connection, deadline_mono_ns, &result, err);
    ExecStatusType status = PQresultStatus(result);
    if (!code && (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)) {
        *ret = result;
        return 0;
    }
    if (!code && result)
        *ret_failure = failure_of(result);
    code = code ? code : fail_with(connection, "the database refused", err);
    if (result && is_final(result) && err)
        code = err->code = ERR_PEER;
    PQclear(result);
    return code;
}
