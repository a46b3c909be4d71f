/* The life of one call: resolve, hand to libcurl, follow redirects, report once (lib/net/http_internal.h). */
#include "lib/core/arena.h"
#include "lib/core/clock.h"
#include "lib/core/limits.h"
#include "lib/net/http_internal.h"

#include <stdlib.h>

static void on_call_closed(void *ctx)
{
    struct http_call *call = ctx;
    struct http_client *client = call->client;
    *call->link = call->next;
    if (call->next)
        call->next->link = call->link;
    http_request_free(call);
    free(call);
    http_client_call_freed(client);
}

/* Reports and lets go; only from the top of a loop callback, never inside libcurl. */
static void end(struct http_call *call, const struct error *err)
{
    struct http_response response;
    if (call->lookup)
        TAKE(call->lookup)->call = NULL;
    http_fill_response(call, &response);
    if (err) {
        response.body = (struct str){"", 0};
        response.total_ns = clock_mono_ns() - call->start_ns;
    }
    if (call->in_multi)
        http_client_remove(call->client, call);
    call->in_multi = false;
    call->state = HTTP_DONE;
    call->done(call->ctx, &response, err);
    loop_timer_close(&call->timer, on_call_closed);
}

void http_call_fail_later(struct http_call *call, const struct error *err)
{
    if (call->state == HTTP_DONE || call->state == HTTP_ENDING)
        return;
    call->state = HTTP_ENDING;
    call->failure = *err;
    loop_timer_start(&call->timer, clock_mono_ns(), 0);
}

static void start_transfer(struct http_call *call)
{
    struct error err;
    call->hop_ns = clock_mono_ns();
    if (http_setup_hop(call, &err) < 0 || http_client_add(call->client, call, &err) < 0) {
        http_call_fail_later(call, &err);
        return;
    }
    call->in_multi = true;
    call->state = HTTP_RUNNING;
}

static void on_resolved(void *ctx, const struct resolver_answer *answer, const struct error *err)
{
    struct http_lookup *lookup = ctx;
    struct http_call *call = lookup->call;
    free(lookup);
    if (!call)
        return;
    call->lookup = NULL;
    if (err) {
        http_call_fail_later(call, err);
        return;
    }
    call->addresses = *answer;
    if (!call->resolve_ns)
        call->resolve_ns = clock_mono_ns() - call->start_ns;
    if (!call->client->in_curl) {
        start_transfer(call);
        return;
    }
    call->state = HTTP_READY;
    loop_timer_start(&call->timer, clock_mono_ns(), 0);
}

static void resolve(struct http_call *call)
{
    struct http_lookup *lookup = xcalloc(1, sizeof *lookup);
    lookup->call = call;
    call->lookup = lookup;
    call->state = HTTP_RESOLVING;
    resolver_lookup(call->client->resolver, call->client->loop, call->target.host, on_resolved, lookup);
}

static void on_timer(void *ctx, int64_t lateness_ns)
{
    (void)lateness_ns;
    struct http_call *call = ctx;
    struct error err;
    switch (call->state) {
    case HTTP_ENDING:
        err = call->failure; /* a copy: the callback may not look at ours */
        end(call, &err);
        break;
    case HTTP_READY:
        loop_timer_start(&call->timer, call->deadline_ns, 0);
        start_transfer(call);
        break;
    case HTTP_RESOLVING:
    case HTTP_RUNNING:
        http_timeout_error(call, &err);
        end(call, &err);
        break;
    case HTTP_DONE:
        break;
    }
}

/* True when the answer was a redirect and its target is on the way (or failed, which is reported later). */
static bool follow(struct http_call *call)
{
    long status = 0;
    (void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    const char *location = http_find_header(call, "location");
    if (!call->max_redirects || !http_is_redirect(status) || !location)
        return false;
    struct error err;
    call->state = HTTP_RESOLVING;
    if (!call->redirects_left) {
        (void)error_set(&err, ERR_PEER, "%s:%u: more than %u redirects", call->target.host, call->target.port,
                        call->max_redirects);
        http_call_fail_later(call, &err);
        return true;
    }
    call->redirects_left--;
    if (http_setup_redirect(call, status, location, &err) < 0) {
        http_call_fail_later(call, &err);
        return true;
    }
    buf_reset(&call->body);
    http_reset_headers(call);
    call->stopped_early = false;
    resolve(call);
    return true;
}

void http_call_completed(struct http_call *call, CURLcode code)
{
    http_client_remove(call->client, call);
    call->in_multi = false;
    if (call->state != HTTP_RUNNING)
        return; /* cancelled inside libcurl; its timer reports */
    struct error err;
    if (call->stopped_early || (code == CURLE_OK && !call->failure.code)) {
        if (!follow(call))
            end(call, NULL);
        return;
    }
    (void)http_map_error(call, code, &err);
    end(call, &err);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct http_call *call = ctx;
    size_t len = size * count;
    long status = 0;
    if (call->state != HTTP_RUNNING)
        return 0;
    if (call->no_body) {
        call->stopped_early = true;
        return 0;
    }
    call->streamed_bytes += len;
    if (call->streamed_bytes > call->max_body_bytes) {
        (void)error_set(&call->failure, ERR_LIMIT, "%s:%u: the answer is larger than %zu bytes",
                        call->target.host, call->target.port, call->max_body_bytes);
        return 0;
    }
    (void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    if (call->max_redirects && http_is_redirect(status) && http_find_header(call, "location"))
        return len; /* of an answer that nobody will see */
    if (!call->on_body) {
        buf_append(&call->body, bytes, len);
        return len;
    }
    if (!call->on_body(call->ctx, (struct str){bytes, len})) {
        (void)error_set(&call->failure, ERR_CANCELLED, "the reader of the body has stopped");
        return 0;
    }
    return len;
}

int http_client_stream(struct http_client *client, const struct http_request *request, http_body_fn *body,
                       http_done_fn *done, void *ctx, struct http_call **ret_call, struct error *err)
{
    if (client->freeing)
        return error_set(err, ERR_CANCELLED, "the HTTP client is being closed");
    struct http_call *call = xcalloc(1, sizeof *call);
    call->client = client;
    call->done = done;
    call->on_body = body;
    call->ctx = ctx;
    call->start_ns = call->hop_ns = clock_mono_ns();
    call->deadline_ns = request->deadline_mono_ns;
    call->max_body_bytes = request->max_body_bytes ? request->max_body_bytes : LIMIT_BODY_BYTES;
    call->max_redirects = call->redirects_left = request->max_redirects;
    buf_init(&call->body, call->max_body_bytes);
    buf_init(&call->head, LIMIT_HTTP_HEADER_BYTES);
    int rc = http_setup(call, request, err);
    if (rc < 0) {
        http_request_free(call);
        free(call);
        return rc;
    }
    (void)curl_easy_setopt(call->easy, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(call->easy, CURLOPT_WRITEDATA, call);
    (void)curl_easy_setopt(call->easy, CURLOPT_PRIVATE, (char *)call);
    http_capture_headers(call);
    call->next = client->all;
    call->link = &client->all;
    if (client->all)
        client->all->link = &call->next;
    client->all = call;
    client->calls++;
    loop_timer_init(client->loop, &call->timer, "http.call", on_timer, call);
    loop_timer_start(&call->timer, call->deadline_ns, 0);
    if (ret_call)
        *ret_call = call;
    resolve(call);
    return 0;
}

int http_client_send(struct http_client *client, const struct http_request *request, http_done_fn *done,
                     void *ctx, struct http_call **ret_call, struct error *err)
{
    return http_client_stream(client, request, NULL, done, ctx, ret_call, err);
}

void http_call_cancel(struct http_call *call)
{
    struct error err;
    (void)error_set(&err, ERR_CANCELLED, "the request was cancelled");
    http_call_fail_later(call, &err);
}
