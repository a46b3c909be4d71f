#include "lib/net/http_wait.h"

#include "lib/core/clock.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* How long after its deadline a call may take to report that it has passed. */
#define GRACE_NS (5 * NS_PER_S)

struct http_wait {
    struct loop *loop;
    struct resolver *resolver;
    struct http_client *client;
};

struct exchange {
    struct http_wait *client;
    struct arena *arena;
    struct http_response *response;
    struct error *err;
    http_body_fn *body;
    void *body_ctx;
    int code;
    bool ended;
};

static void on_freed(void *arg)
{
    loop_stop(arg);
}

int http_wait_new(const char *user_agent, struct http_wait **ret_client, struct error *err)
{
    struct http_wait *client = xcalloc(1, sizeof *client);
    const struct http_client_options options = {.user_agent = user_agent, .max_connections = 4};
    int code = loop_new("http-wait", &client->loop, err);
    if (!code)
        code = resolver_new(1, &client->resolver, err);
    if (!code)
        code = http_client_new(client->loop, client->resolver, &options, &client->client, err);
    if (code) {
        http_wait_free(client);
        return code;
    }
    *ret_client = client;
    return 0;
}

void http_wait_free(struct http_wait *client)
{
    if (!client)
        return;
    if (client->client) {
        http_client_free(client->client, on_freed, client->loop);
        loop_run(client->loop, 0);
    }
    loop_free(client->loop);
    if (client->resolver)
        resolver_free(client->resolver);
    free(client);
}

static struct str kept_str(struct arena *arena, struct str text)
{
    return (struct str){arena_strdup(arena, text), text.len};
}

static void keep(struct exchange *exchange, const struct http_response *response)
{
    struct arena *arena = exchange->arena;
    struct http_response *ret = exchange->response;
    *ret = *response;
    ret->body = kept_str(arena, response->body);
    ret->content_type = kept_str(arena, response->content_type);
    ret->location = kept_str(arena, response->location);
    ret->retry_after = kept_str(arena, response->retry_after);
    ret->effective_url = arena_strdup(arena, str_from(response->effective_url));
    ret->remote_address = arena_strdup(arena, str_from(response->remote_address));
    struct http_header *headers = arena_alloc(arena, (response->header_count + 1) * sizeof *headers);
    for (size_t i = 0; i < response->header_count; i++) {
        headers[i] = (struct http_header){arena_strdup(arena, str_from(response->headers[i].name)),
                                          arena_strdup(arena, str_from(response->headers[i].value))};
    }
    ret->headers = headers;
}

static void on_answer(void *ctx, const struct http_response *response, const struct error *err)
{
    struct exchange *exchange = ctx;
    exchange->code = 0;
    if (response)
        keep(exchange, response);
    if (err) {
        exchange->code = err->code;
        if (exchange->err)
            *exchange->err = *err;
    }
    exchange->ended = true;
    loop_stop(exchange->client->loop);
}

static bool on_body(void *ctx, struct str chunk)
{
    struct exchange *exchange = ctx;
    return exchange->body(exchange->body_ctx, chunk);
}

static int run(struct exchange *exchange, const struct http_request *request)
{
    struct http_wait *client = exchange->client;
    struct http_call *call = NULL;
    int code =
        exchange->body
            ? http_client_stream(client->client, request, on_body, on_answer, exchange, &call, exchange->err)
            : http_client_send(client->client, request, on_answer, exchange, &call, exchange->err);
    if (code)
        return code;
    loop_run(client->loop, request->deadline_mono_ns + GRACE_NS);
    if (!exchange->ended) {
        http_call_cancel(call);
        while (!exchange->ended)
            loop_run(client->loop, 0);
    }
    return exchange->code;
}

int http_wait_send(struct http_wait *client, const struct http_request *request, struct arena *arena,
                   struct http_response *ret_response, struct error *err)
{
    struct exchange exchange = {.client = client, .arena = arena, .response = ret_response, .err = err};
    *ret_response = (struct http_response){.effective_url = "", .remote_address = ""};
    return run(&exchange, request);
}

int http_wait_stream(struct http_wait *client, const struct http_request *request, http_body_fn *body,
                     void *body_ctx, struct arena *arena, struct http_response *ret_response,
                     struct error *err)
{
    struct exchange exchange = {.client = client,
                                .arena = arena,
                                .response = ret_response,
                                .err = err,
                                .body = body,
                                .body_ctx = body_ctx};
    *ret_response = (struct http_response){.effective_url = "", .remote_address = ""};
    return run(&exchange, request);
}

const char *http_response_header(const struct http_response *response, const char *name)
{
    for (size_t i = 0; i < response->header_count; i++) {
        if (strcasecmp(response->headers[i].name, name) == 0)
            return response->headers[i].value;
    }
    return NULL;
}
