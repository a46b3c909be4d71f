#include "lib/net/http_client.h"

#include "lib/core/arena.h"
#include "lib/core/clock.h"
#include "lib/net/http_internal.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define DEFAULT_CONNECTIONS 256

static void finish_free(struct http_client *client);

static void on_socket_closed(void *ctx)
{
    struct http_socket *http_socket = ctx;
    struct http_client *client = http_socket->client;
    free(http_socket);
    client->closing--;
    finish_free(client);
}

static void drop_socket(struct http_socket *http_socket)
{
    *http_socket->link = http_socket->next;
    if (http_socket->next)
        http_socket->next->link = http_socket->link;
    http_socket->client->closing++;
    loop_watch_close(&http_socket->watch, on_socket_closed);
}

static void collect(struct http_client *client)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(client->multi, &left))) {
        if (message->msg != CURLMSG_DONE)
            continue;
        char *call = NULL;
        CURLcode code = message->data.result; /* gone once the handle is removed */
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
        http_call_completed((struct http_call *)(void *)call, code);
    }
}

static void drive(struct http_client *client, curl_socket_t fd, int flags)
{
    int running;
    client->in_curl = true;
    (void)curl_multi_socket_action(client->multi, fd, flags, &running);
    client->in_curl = false;
    collect(client);
}

static void on_socket(void *ctx, int status, int events)
{
    struct http_socket *http_socket = ctx;
    int flags = 0;
    if (status < 0)
        flags |= CURL_CSELECT_ERR; /* e.g. a refused connection */
    if (events & LOOP_READABLE)
        flags |= CURL_CSELECT_IN;
    if (events & LOOP_WRITABLE)
        flags |= CURL_CSELECT_OUT;
    drive(http_socket->client, http_socket->fd, flags);
}

static int socket_wanted(CURL *easy, curl_socket_t fd, int what, void *ctx, void *assigned)
{
    (void)easy;
    struct http_client *client = ctx;
    struct http_socket *http_socket = assigned;
    if (http_socket && !http_socket->link)
        http_socket = NULL; /* closed by http_client_close_socket() */
    if (what == CURL_POLL_REMOVE) {
        if (http_socket)
            drop_socket(http_socket);
        (void)curl_multi_assign(client->multi, fd, NULL);
        return 0;
    }
    if (!http_socket) {
        http_socket = xcalloc(1, sizeof *http_socket);
        http_socket->client = client;
        http_socket->fd = fd;
        if (loop_watch_init(client->loop, &http_socket->watch, fd, "http.socket", on_socket, http_socket) <
            0) {
            free(http_socket);
            return -1;
        }
        http_socket->next = client->sockets;
        http_socket->link = &client->sockets;
        if (client->sockets)
            client->sockets->link = &http_socket->next;
        client->sockets = http_socket;
        (void)curl_multi_assign(client->multi, fd, http_socket);
    }
    loop_watch_start(&http_socket->watch,
                     (what & CURL_POLL_IN ? LOOP_READABLE : 0) | (what & CURL_POLL_OUT ? LOOP_WRITABLE : 0));
    return 0;
}

/* libcurl may close a descriptor before it says that it no longer waits for it. The watch must be gone first,
 * for a new connection may get the same number at once. */
curl_socket_t http_client_close_socket(void *ctx, curl_socket_t fd)
{
    struct http_client *client = ctx;
    for (struct http_socket *http_socket = client->sockets; http_socket; http_socket = http_socket->next) {
        if (http_socket->fd != fd)
            continue;
        (void)curl_multi_assign(client->multi, fd, NULL);
        drop_socket(http_socket);
        break;
    }
    return close(fd);
}

static int timer_wanted(CURLM *multi, long timeout_ms, void *ctx)
{
    (void)multi;
    struct http_client *client = ctx;
    if (client->freeing)
        return 0; /* the timer belongs to the teardown now */
    if (timeout_ms < 0)
        loop_timer_stop(&client->timer);
    else
        loop_timer_start(&client->timer, clock_mono_ns() + timeout_ms * NS_PER_MS, 0);
    return 0;
}

static void on_timer_closed(void *ctx)
{
    struct http_client *client = ctx;
    client->closing--;
    finish_free(client);
}

/* The last of the handles to close frees the client. */
static void finish_free(struct http_client *client)
{
    if (client->closing || client->multi)
        return;
    loop_fn *freed = client->freed;
    void *ctx = client->freed_ctx;
    free(client->user_agent);
    free(client);
    if (freed)
        freed(ctx);
}

static void tear_down(struct http_client *client)
{
    CURLM *multi = client->multi;
    client->in_curl = true;
    client->closing++; /* the timer: keeps the client alive until the end of this function */
    loop_timer_close(&client->timer, on_timer_closed);
    (void)curl_multi_cleanup(multi); /* closes what is kept open for reuse */
    while (client->sockets)
        drop_socket(client->sockets);
    client->multi = NULL;
}

static void on_timer(void *ctx, int64_t lateness_ns)
{
    (void)lateness_ns;
    struct http_client *client = ctx;
    if (!client->freeing)
        drive(client, CURL_SOCKET_TIMEOUT, 0);
    else if (!client->calls)
        tear_down(client);
}

static void init_curl(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

int http_client_new(struct loop *loop, struct resolver *resolver, const struct http_client_options *options,
                    struct http_client **ret_client, struct error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, init_curl);
    CURLM *multi = curl_multi_init();
    if (!multi)
        return error_set(err, -ENOMEM, "cannot create the HTTP client");
    struct http_client *client = xcalloc(1, sizeof *client);
    long connections =
        options && options->max_connections ? (long)options->max_connections : DEFAULT_CONNECTIONS;
    client->loop = loop;
    client->resolver = resolver;
    client->multi = multi;
    client->user_agent = xstrdup(options && options->user_agent ? options->user_agent : "fraiseql-collector");
    (void)curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, socket_wanted);
    (void)curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, client);
    (void)curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, timer_wanted);
    (void)curl_multi_setopt(multi, CURLMOPT_TIMERDATA, client);
    (void)curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections);
    (void)curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, connections);
    loop_timer_init(loop, &client->timer, "http.timer", on_timer, client);
    *ret_client = client;
    return 0;
}

void http_client_free(struct http_client *client, loop_fn *freed, void *ctx)
{
    struct error err;
    (void)error_set(&err, ERR_CANCELLED, "the HTTP client is being closed");
    client->freeing = true;
    client->freed = freed;
    client->freed_ctx = ctx;
    for (struct http_call *call = client->all; call; call = call->next)
        http_call_fail_later(call, &err);
    loop_timer_start(&client->timer, clock_mono_ns(), 0);
}

void http_client_call_freed(struct http_client *client)
{
    client->calls--;
    if (client->freeing && !client->calls)
        loop_timer_start(&client->timer, clock_mono_ns(), 0);
}

int http_client_add(struct http_client *client, struct http_call *call, struct error *err)
{
    client->in_curl = true;
    CURLMcode code = curl_multi_add_handle(client->multi, call->easy);
    client->in_curl = false;
    if (code != CURLM_OK)
        return error_set(err, ERR_CONFIG, "cannot start the request: %s", curl_multi_strerror(code));
    return 0;
}

void http_client_remove(struct http_client *client, struct http_call *call)
{
    client->in_curl = true;
    (void)curl_multi_remove_handle(client->multi, call->easy);
    client->in_curl = false;
}
