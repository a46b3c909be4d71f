#include "failover/haproxy_call.h"

#include "lib/core/arena.h"
#include "lib/core/buf.h"
#include "lib/core/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define READ_BYTES 16384U

struct haproxy_call {
    struct loop *loop;
    struct loop_timer timer; /* the deadline; at once when the socket could not be opened */
    struct loop_watch watch;
    bool watching;
    unsigned closing; /* handles that are not closed yet */
    int fd;
    char *path;
    struct buf request, answer;
    size_t sent;
    struct error failure;
    haproxy_done_fn *done; /* NULL: cancelled, or called */
    void *ctx;
};

static void on_closed(void *ctx)
{
    struct haproxy_call *call = ctx;
    if (--call->closing)
        return;
    if (call->fd >= 0)
        (void)close(call->fd);
    buf_deinit(&call->request);
    buf_deinit(&call->answer);
    free(call->path);
    free(call);
}

static void close_handles(struct haproxy_call *call)
{
    call->done = NULL;
    call->closing = call->watching ? 2 : 1;
    if (call->watching)
        loop_watch_close(&call->watch, on_closed);
    loop_timer_close(&call->timer, on_closed);
}

static void end(struct haproxy_call *call, const struct error *err)
{
    haproxy_done_fn *done = TAKE(call->done);
    if (!done)
        return;
    done(call->ctx, buf_str(&call->answer), err);
    close_handles(call);
}

static void fail(struct haproxy_call *call, int errno_value, const char *what)
{
    struct error err = {0};
    (void)error_set_errno(&err, errno_value, "%s HAProxy's socket %s", what, call->path);
    err.code = ERR_UNAVAILABLE;
    end(call, &err);
}

static void on_time(void *ctx, int64_t lateness_ns)
{
    struct haproxy_call *call = ctx;
    (void)lateness_ns;
    if (!call->failure.code)
        (void)error_set(&call->failure, ERR_TIMEOUT, "HAProxy does not answer on %s in time", call->path);
    end(call, &call->failure);
}

static bool send_rest(struct haproxy_call *call)
{
    while (call->sent < call->request.len) {
        ssize_t sent =
            send(call->fd, call->request.data + call->sent, call->request.len - call->sent, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR))
            return false;
        if (sent < 0) {
            fail(call, errno, "cannot write to");
            return false;
        }
        call->sent += (size_t)sent;
    }
    return true;
}

/* HAProxy closes the connection behind the answer to one line. */
static void receive(struct haproxy_call *call)
{
    char bytes[READ_BYTES];
    for (;;) {
        ssize_t got = recv(call->fd, bytes, sizeof bytes, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (got < 0) {
            fail(call, errno, "cannot read from");
            return;
        }
        if (got == 0) {
            end(call, NULL);
            return;
        }
        buf_append(&call->answer, bytes, (size_t)got);
        if (call->answer.failed) {
            struct error err = {0};
            (void)error_set(&err, ERR_LIMIT, "HAProxy's answer is larger than %lu bytes",
                            HAPROXY_ANSWER_MAX_BYTES);
            end(call, &err);
            return;
        }
    }
}

static void on_ready(void *ctx, int status, int events)
{
    struct haproxy_call *call = ctx;
    (void)status; /* what is wrong is found by using the descriptor */
    (void)events;
    if (!call->done)
        return;
    if (call->sent < call->request.len) {
        if (send_rest(call))
            loop_watch_start(&call->watch, LOOP_READABLE);
        return;
    }
    receive(call);
}

/* A Unix socket connects at once, or not at all (EAGAIN: too many wait to be accepted). */
static int connect_to(struct haproxy_call *call, struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(call->path) >= sizeof address.sun_path)
        return error_set(err, ERR_CONFIG, "the path of HAProxy's socket is longer than %zu bytes",
                         sizeof address.sun_path - 1);
    memcpy(address.sun_path, call->path, strlen(call->path));
    call->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (call->fd < 0 || connect(call->fd, (const struct sockaddr *)&address, sizeof address) != 0)
        return error_set_errno(err, errno, "cannot reach HAProxy's socket %s", call->path);
    int code = loop_watch_init(call->loop, &call->watch, call->fd, "haproxy.socket", on_ready, call);
    if (code)
        return error_set_errno(err, -code, "cannot watch HAProxy's socket %s", call->path);
    call->watching = true;
    loop_watch_start(&call->watch, LOOP_WRITABLE);
    return 0;
}

struct haproxy_call *haproxy_call_start(struct loop *loop, const char *path, struct str line,
                                        int64_t timeout_ns, haproxy_done_fn *done, void *ctx)
{
    struct haproxy_call *call = xcalloc(1, sizeof *call);
    call->loop = loop;
    call->fd = -1;
    call->path = xstrdup(path);
    call->done = done;
    call->ctx = ctx;
    buf_init(&call->request, line.len + 1);
    buf_append_str(&call->request, line);
    buf_append_byte(&call->request, '\n');
    buf_init(&call->answer, HAPROXY_ANSWER_MAX_BYTES);
    loop_timer_init(loop, &call->timer, "haproxy.timeout", on_time, call);
    int64_t wait_ns = connect_to(call, &call->failure) ? 0 : timeout_ns;
    loop_timer_start(&call->timer, clock_mono_ns() + wait_ns, 0);
    return call;
}

void haproxy_call_cancel(struct haproxy_call *call)
{
    close_handles(call);
}
