#include "lib/core/clock.h"
#include "scrapers/probe/probe_internal.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define REASON(name)   (1U << PROBE_REASON_##name)
#define RECEIVED_BYTES 4096U /* in which the expected text must come */

/* A name's lookup cannot be withdrawn and may take longer than its attempt, even than its probe. */
struct tcp_lookup {
    struct probe *probe; /* NULL: gone */
};

static void prepare(struct probe *probe)
{
    if (probe->config->tcp->expect)
        probe->received = xmalloc(PROBE_ATTEMPTS * (RECEIVED_BYTES + 1));
}

static void cleanup(struct probe *probe)
{
    free(TAKE(probe->received));
    if (probe->lookup)
        TAKE(probe->lookup)->probe = NULL;
}

static char *received_of(const struct probe_attempt *attempt)
{
    const struct probe *probe = attempt->probe;
    return probe->received + (size_t)(attempt - probe->attempts) * (RECEIVED_BYTES + 1);
}

static void connect_next(struct probe_attempt *attempt);

static void on_watch_closed(void *ctx)
{
    struct probe_attempt *attempt = ctx;
    bool retry = attempt->tcp.retry && attempt->state == ATTEMPT_RUNNING;
    attempt->tcp.watching = false;
    attempt->tcp.retry = false;
    if (retry)
        connect_next(attempt);
    else
        probe_attempt_released(attempt);
}

static void close_socket(struct probe_attempt *attempt)
{
    if (attempt->tcp.fd >= 0)
        (void)close(attempt->tcp.fd);
    attempt->tcp.fd = -1;
}

/* Lets go of the socket; what goes on then is decided in on_watch_closed(). */
static void drop(struct probe_attempt *attempt)
{
    struct tcp_attempt *tcp = &attempt->tcp;
    tcp->resolving = false;
    if (tcp->watching && tcp->fd >= 0)
        loop_watch_close(&tcp->watch, on_watch_closed);
    bool released = !tcp->watching;
    close_socket(attempt);
    if (released)
        probe_attempt_released(attempt);
}

static void give_verdict(struct probe_attempt *attempt, enum probe_reason reason, const char *message)
{
    probe_attempt_verdict(attempt, reason, message);
    drop(attempt);
}

static void fail_errno(struct probe_attempt *attempt, enum probe_reason reason, const char *what,
                       int errno_value)
{
    char errno_text[128], text[ERROR_TEXT_MAX];
    (void)snprintf(text, sizeof text, "%s: %s", what,
                   error_errno_text(errno_value, errno_text, sizeof errno_text));
    give_verdict(attempt, reason, text);
}

/* This address does not do: the next one, if there is one. */
static void connect_failed(struct probe_attempt *attempt, int errno_value)
{
    struct tcp_attempt *tcp = &attempt->tcp;
    if (++tcp->address >= attempt->probe->addresses.count) {
        fail_errno(attempt, PROBE_REASON_CONNECT, "cannot connect", errno_value);
        return;
    }
    if (!tcp->watching) {
        close_socket(attempt);
        connect_next(attempt);
        return;
    }
    tcp->retry = true;
    loop_watch_close(&tcp->watch, on_watch_closed);
    close_socket(attempt);
}

static void expect_met(struct probe_attempt *attempt)
{
    if (attempt->probe->config->tcp->expect)
        probe_attempt_phase(attempt, PROBE_PHASE_PROCESSING,
                            probe_attempt_elapsed(attempt) - attempt->tcp.connected_ns);
    give_verdict(attempt, PROBE_REASONS, "");
}

static void receive(struct probe_attempt *attempt)
{
    struct tcp_attempt *tcp = &attempt->tcp;
    const char *expect = attempt->probe->config->tcp->expect;
    char *received = received_of(attempt);
    for (;;) {
        if (tcp->received_len == RECEIVED_BYTES) {
            give_verdict(attempt, PROBE_REASON_BODY, "the expected text is not in the first 4096 bytes");
            return;
        }
        ssize_t got = recv(tcp->fd, received + tcp->received_len, RECEIVED_BYTES - tcp->received_len, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (got < 0) {
            fail_errno(attempt, PROBE_REASON_PROTOCOL, "cannot receive", errno);
            return;
        }
        if (got == 0) {
            give_verdict(attempt, PROBE_REASON_BODY,
                         "the connection was closed before the expected text came");
            return;
        }
        tcp->received_len += (size_t)got;
        if (memmem(received, tcp->received_len, expect, strlen(expect))) {
            expect_met(attempt);
            return;
        }
    }
}

/* False when the rest has to wait, or the attempt has ended. */
static bool send_rest(struct probe_attempt *attempt)
{
    struct tcp_attempt *tcp = &attempt->tcp;
    struct str text = str_from(attempt->probe->config->tcp->send);
    while (tcp->sent < text.len) {
        ssize_t sent = send(tcp->fd, text.ptr + tcp->sent, text.len - tcp->sent, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
            loop_watch_start(&tcp->watch, LOOP_WRITABLE);
            return false;
        }
        if (sent < 0) {
            fail_errno(attempt, PROBE_REASON_PROTOCOL, "cannot send", errno);
            return false;
        }
        tcp->sent += (size_t)sent;
    }
    return true;
}

static void connected(struct probe_attempt *attempt)
{
    struct tcp_attempt *tcp = &attempt->tcp;
    if (tcp->connected_ns == 0) {
        tcp->connected_ns = probe_attempt_elapsed(attempt);
        probe_attempt_phase(attempt, PROBE_PHASE_CONNECT, tcp->connected_ns - tcp->resolved_ns);
    }
    if (!send_rest(attempt))
        return;
    if (!attempt->probe->config->tcp->expect) {
        expect_met(attempt);
        return;
    }
    loop_watch_start(&tcp->watch, LOOP_READABLE);
}

static void on_ready(void *ctx, int status, int events)
{
    struct probe_attempt *attempt = ctx;
    struct tcp_attempt *tcp = &attempt->tcp;
    if (attempt->state != ATTEMPT_RUNNING || tcp->fd < 0)
        return;
    if (tcp->connected_ns > 0) {
        if (status >= 0 && (events & LOOP_WRITABLE))
            connected(attempt);
        else
            receive(attempt); /* an error of the descriptor is found by reading */
        return;
    }
    int failure = 0;
    socklen_t len = sizeof failure;
    if (getsockopt(tcp->fd, SOL_SOCKET, SO_ERROR, &failure, &len) != 0)
        failure = errno;
    if (failure == 0 && status < 0)
        failure = -status;
    if (failure != 0)
        connect_failed(attempt, failure);
    else
        connected(attempt);
}

/* Opens a socket and begins to connect; -errno. AI_NUMERICHOST never asks a server. */
static int open_socket(const char *address, uint16_t port, int *ret_fd)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *info = NULL;
    char service[8];
    (void)snprintf(service, sizeof service, "%u", port);
    if (getaddrinfo(address, service, &hints, &info) != 0)
        return -EINVAL;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    int rc = fd < 0 ? -errno : 0;
    int on = 1;
    if (fd >= 0) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (connect(fd, info->ai_addr, info->ai_addrlen) != 0 && errno != EINPROGRESS)
            rc = -errno;
    }
    freeaddrinfo(info);
    if (rc != 0 && fd >= 0)
        (void)close(fd);
    if (rc == 0)
        *ret_fd = fd;
    return rc;
}

static void connect_next(struct probe_attempt *attempt)
{
    struct tcp_attempt *tcp = &attempt->tcp;
    struct probe *probe = attempt->probe;
    int rc =
        open_socket(probe->addresses.addresses[tcp->address], probe->config->tcp->address.port, &tcp->fd);
    if (rc != 0) {
        connect_failed(attempt, -rc);
        return;
    }
    rc = loop_watch_init(probe->set->env.loop, &tcp->watch, tcp->fd, "probe.tcp", on_ready, attempt);
    if (rc != 0) {
        fail_errno(attempt, PROBE_REASON_CONNECT, "cannot watch the socket", -rc);
        return;
    }
    tcp->watching = true;
    loop_watch_start(&tcp->watch, LOOP_WRITABLE);
}

static void resolved(struct probe_attempt *attempt, const struct error *err)
{
    struct tcp_attempt *tcp = &attempt->tcp;
    tcp->resolving = false;
    if (err || attempt->probe->addresses.count == 0) {
        give_verdict(attempt, PROBE_REASON_RESOLVE, err ? err->message : "the name has no address");
        return;
    }
    tcp->resolved_ns = probe_attempt_elapsed(attempt);
    probe_attempt_phase(attempt, PROBE_PHASE_RESOLVE, tcp->resolved_ns);
    connect_next(attempt);
}

static void on_resolved(void *ctx, const struct resolver_answer *answer, const struct error *err)
{
    struct tcp_lookup *lookup = ctx;
    struct probe *probe = lookup->probe;
    free(lookup);
    if (!probe)
        return;
    probe->lookup = NULL;
    probe->addresses = answer ? *answer : (struct resolver_answer){0};
    for (size_t i = 0; i < PROBE_ATTEMPTS; i++) {
        if (probe->attempts[i].state == ATTEMPT_RUNNING && probe->attempts[i].tcp.resolving)
            resolved(&probe->attempts[i], err);
    }
}

static void start(struct probe_attempt *attempt)
{
    struct probe *probe = attempt->probe;
    attempt->tcp = (struct tcp_attempt){.fd = -1, .resolving = true};
    if (probe->lookup)
        return; /* a lookup of an earlier attempt is still under way */
    struct tcp_lookup *lookup = xmalloc(sizeof *lookup);
    lookup->probe = probe;
    probe->lookup = lookup;
    resolver_lookup(probe->set->env.resolver, probe->set->env.loop, probe->config->tcp->address.host,
                    on_resolved, lookup);
}

const struct probe_kind probe_tcp = {
    .reasons = REASON(TIMEOUT) | REASON(RESOLVE) | REASON(CONNECT) | REASON(BODY) | REASON(PROTOCOL),
    .prepare = prepare,
    .cleanup = cleanup,
    .start = start,
    .abort = drop,
};
