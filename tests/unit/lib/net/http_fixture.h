/* A loop, a resolver, a client and a server, driven on the test's own thread. */
#ifndef FRAISEQL_TESTS_HTTP_FIXTURE_H
#define FRAISEQL_TESTS_HTTP_FIXTURE_H

#include "lib/core/clock.h"
#include "lib/net/http_client.h"
#include "tests/support/support.h"
#include "tests/support/test_server.h"

#include <stdlib.h>

struct http_fixture {
    struct loop *loop;
    struct resolver *resolver;
    struct http_client *client;
    struct test_server *server;
    char url[1200];
    /* The last call. */
    struct http_call *call;
    unsigned called, wanted;
    struct error err;              /* code 0: none */
    struct http_response response; /* its pointers are gone; copies below */
    char *body, *content_type, *location, *effective_url, *remote_address, *header_x;
    size_t body_len;
    bool freed;
};

static inline void http_fixture_init(struct http_fixture *f, test_server_fn *fn, void *ctx)
{
    *f = (struct http_fixture){0};
    ck_assert_int_eq(loop_new("test", &f->loop, NULL), 0);
    ck_assert_int_eq(resolver_new(4, &f->resolver, NULL), 0);
    ck_assert_int_eq(http_client_new(f->loop, f->resolver,
                                     &(struct http_client_options){.user_agent = "unit/1"}, &f->client, NULL),
                     0);
    if (fn)
        f->server = test_server_new(fn, ctx);
}

static inline void http_fixture_forget(struct http_fixture *f)
{
    free(TAKE(f->body));
    free(TAKE(f->content_type));
    free(TAKE(f->location));
    free(TAKE(f->effective_url));
    free(TAKE(f->remote_address));
    free(TAKE(f->header_x));
    error_clear(&f->err);
    f->called = 0;
    f->wanted = 1;
}

static inline void http_fixture_done(void *ctx, const struct http_response *response, const struct error *err)
{
    struct http_fixture *f = ctx;
    f->response = *response;
    free(f->body);
    free(f->content_type);
    free(f->location);
    free(f->effective_url);
    free(f->remote_address);
    f->body = xstrndup(response->body);
    f->body_len = response->body.len;
    f->content_type = xstrndup(response->content_type);
    f->location = xstrndup(response->location);
    f->effective_url = xstrdup(response->effective_url);
    f->remote_address = xstrdup(response->remote_address);
    for (size_t i = 0; i < response->header_count; i++)
        if (strcmp(response->headers[i].name, "X-Test") == 0 && !f->header_x)
            f->header_x = xstrdup(response->headers[i].value);
    if (err)
        f->err = *err;
    if (++f->called == f->wanted)
        loop_stop(f->loop);
}

static inline const char *http_fixture_url(struct http_fixture *f, const char *path)
{
    (void)snprintf(f->url, sizeof f->url, "http://127.0.0.1:%u%s", test_server_port(f->server), path);
    return f->url;
}

static inline void http_fixture_wait(struct http_fixture *f)
{
    if (f->called < f->wanted)
        loop_run(f->loop, clock_mono_ns() + 60 * NS_PER_S);
    ck_assert_msg(f->called == f->wanted, "the callback did not come");
}

static inline int http_fixture_send(struct http_fixture *f, struct http_request request)
{
    struct error err;
    http_fixture_forget(f);
    if (!request.deadline_mono_ns)
        request.deadline_mono_ns = clock_mono_ns() + 30 * NS_PER_S;
    int rc = http_client_send(f->client, &request, http_fixture_done, f, &f->call, &err);
    ck_assert_msg(rc == 0, "%s", err.message);
    ck_assert_msg(!f->called, "done must come later");
    http_fixture_wait(f);
    return f->err.code;
}

static inline int http_fixture_get(struct http_fixture *f, const char *path)
{
    return http_fixture_send(f, (struct http_request){.url = http_fixture_url(f, path)});
}

static inline void http_fixture_on_freed(void *ctx)
{
    struct http_fixture *f = ctx;
    f->freed = true;
    loop_stop(f->loop);
}

static inline void http_fixture_deinit(struct http_fixture *f)
{
    http_client_free(f->client, http_fixture_on_freed, f);
    while (!f->freed)
        loop_run(f->loop, clock_mono_ns() + 30 * NS_PER_S);
    test_server_free(f->server);
    loop_free(f->loop);
    resolver_free(f->resolver);
    http_fixture_forget(f);
}

#endif
