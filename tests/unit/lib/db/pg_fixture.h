/* A loop, a resolver and a connection, driven on the test's own thread. */
#ifndef FRAISEQL_TESTS_PG_FIXTURE_H
#define FRAISEQL_TESTS_PG_FIXTURE_H

#include "lib/core/clock.h"
#include "lib/db/pg.h"
#include "tests/support/pg_server.h"
#include "tests/support/support.h"

#include <stdlib.h>

#define FIXTURE_MAX 64

struct fixture {
    struct loop *loop;
    struct resolver *resolver;
    struct pg *pg;
    bool called, closed;
    struct error err; /* of the connect or of the batch; code 0: none */
    char sqlstate[6];
    size_t results;
    size_t order[FIXTURE_MAX];
    int codes[FIXTURE_MAX];
    char texts[FIXTURE_MAX][256]; /* first value, or the message of the error */
    char states[FIXTURE_MAX][6];
    bool close_in_result;
};

static inline void fixture_init(struct fixture *f)
{
    *f = (struct fixture){0};
    ck_assert_int_eq(loop_new("test", &f->loop, NULL), 0);
    ck_assert_int_eq(resolver_new(4, &f->resolver, NULL), 0);
}

static inline int64_t fixture_deadline(int64_t seconds)
{
    return clock_mono_ns() + seconds * NS_PER_S;
}

static inline void fixture_wait(struct fixture *f)
{
    if (!f->called)
        loop_run(f->loop, fixture_deadline(60));
    ck_assert_msg(f->called, "the callback did not come");
}

static inline void fixture_on_connect(void *ctx, struct pg *pg, const struct error *err)
{
    struct fixture *f = ctx;
    ck_assert(!f->called);
    f->called = true;
    if (err)
        f->err = *err;
    memcpy(f->sqlstate, pg_error_sqlstate(pg), strlen(pg_error_sqlstate(pg)) + 1);
    loop_stop(f->loop);
}

static inline int fixture_connect_with(struct fixture *f, const struct pg_options *options, int64_t deadline)
{
    struct error err;
    f->called = false;
    error_clear(&f->err);
    ck_assert_msg(pg_connect(f->loop, f->resolver, options, deadline, fixture_on_connect, f, &f->pg, &err) ==
                      0,
                  "%s", err.message);
    ck_assert_msg(!f->called, "done must come later");
    fixture_wait(f);
    return f->err.code;
}

static inline int fixture_connect(struct fixture *f, const char *conninfo)
{
    return fixture_connect_with(f, &(struct pg_options){.conninfo = conninfo}, fixture_deadline(30));
}

static inline void fixture_on_closed(void *ctx)
{
    struct fixture *f = ctx;
    f->closed = true;
    loop_stop(f->loop);
}

static inline void fixture_on_result(void *ctx, size_t index, const struct pg_result *result,
                                     const struct error *err)
{
    struct fixture *f = ctx;
    size_t at = f->results++;
    ck_assert_uint_lt(at, FIXTURE_MAX);
    f->order[at] = index;
    f->codes[at] = err ? err->code : 0;
    memcpy(f->states[at], pg_error_sqlstate(f->pg), strlen(pg_error_sqlstate(f->pg)) + 1);
    if (err)
        (void)snprintf(f->texts[at], sizeof f->texts[at], "%.250s", err->message);
    else if (pg_rows(result) && pg_columns(result))
        (void)snprintf(f->texts[at], sizeof f->texts[at], "%.*s", STR_ARGS(pg_value(result, 0, 0)));
    if (f->close_in_result) {
        f->close_in_result = false;
        pg_close(f->pg, fixture_on_closed, f);
    }
}

static inline void fixture_on_done(void *ctx, const struct error *err)
{
    struct fixture *f = ctx;
    ck_assert(!f->called);
    f->called = true;
    if (err)
        f->err = *err;
    loop_stop(f->loop);
}

static inline void fixture_send(struct fixture *f, const struct pg_statement *statements, size_t count,
                                int64_t deadline)
{
    struct error err;
    f->called = false;
    f->results = 0;
    memset(f->texts, 0, sizeof f->texts);
    error_clear(&f->err);
    ck_assert_msg(pg_run(f->pg, statements, count, deadline, fixture_on_result, fixture_on_done, f, &err) ==
                      0,
                  "%s", err.message);
    ck_assert_msg(!f->called && !f->results, "callbacks must come later");
}

static inline int fixture_run(struct fixture *f, const struct pg_statement *statements, size_t count)
{
    fixture_send(f, statements, count, fixture_deadline(30));
    fixture_wait(f);
    return f->err.code;
}

static inline const char *fixture_value(struct fixture *f, const char *sql)
{
    ck_assert_int_eq(fixture_run(f, &(struct pg_statement){.sql = sql}, 1), 0);
    ck_assert_msg(f->codes[0] == 0, "%s: %s", sql, f->texts[0]);
    return f->texts[0];
}

static inline void fixture_close(struct fixture *f)
{
    if (!f->pg)
        return;
    f->closed = false;
    pg_close(f->pg, fixture_on_closed, f);
    while (!f->closed) /* a cancelled batch stops the loop as well */
        loop_run(f->loop, fixture_deadline(30));
    f->pg = NULL;
}

static inline void fixture_deinit(struct fixture *f)
{
    fixture_close(f);
    loop_free(f->loop);
    resolver_free(f->resolver);
}

#endif
