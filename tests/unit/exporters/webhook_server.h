/* A receiver of webhooks for tests: one thread a connection, answers scripted by a function, every request
 * recorded. */
#ifndef FRAISEQL_TESTS_WEBHOOK_SERVER_H
#define FRAISEQL_TESTS_WEBHOOK_SERVER_H

#include "tests/support/support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define SERVER_MAX_REQUESTS 256
#define SERVER_WAIT_S       60

struct server_request {
    char id[64], timestamp[32], signature[512], path[128];
    char *body;
};

struct webhook_server;
/* Text of the answer (status line and headers), or NULL: never answer. number counts from 0. Called with the
 * lock held; may wait on server->changed. */
typedef const char *server_script(struct webhook_server *server, size_t number,
                                  const struct server_request *request);

struct webhook_server {
    int fd;
    uint16_t port;
    pthread_t acceptor, connections[SERVER_MAX_REQUESTS];
    int sockets[SERVER_MAX_REQUESTS];
    size_t connection_count;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    server_script *script;
    struct server_request requests[SERVER_MAX_REQUESTS];
    size_t count;
    size_t closed_by_peer; /* connections that the client closed */
    bool stopping;
    int flag; /* for scripts */
};

#define ANSWER(status) "HTTP/1.1 " status "\r\nContent-Length: 0\r\n\r\n"

struct server_connection {
    struct webhook_server *server;
    int fd;
};

static void server_header(const char *head, const char *name, char *out, size_t size)
{
    const char *at = strcasestr(head, name);
    out[0] = 0;
    if (!at)
        return;
    at += strlen(name);
    size_t len = strcspn(at, "\r\n");
    (void)snprintf(out, size, "%.*s", (int)len, at);
}

/* One request into *request; false at the end of the connection. */
static bool server_read(int fd, struct server_request *request)
{
    struct buf in CLEANUP(buf_deinit) = BUF_INIT(1024UL * 1024);
    size_t need = 0;
    for (;;) {
        const char *text = buf_text(&in);
        const char *end = strstr(text, "\r\n\r\n");
        if (end && !need) {
            char length[32];
            server_header(text, "\r\nContent-Length: ", length, sizeof length);
            need = (size_t)(end + 4 - text) + strtoul(length, NULL, 10);
        }
        if (need && in.len >= need)
            break;
        char chunk[4096];
        ssize_t got = recv(fd, chunk, sizeof chunk, 0);
        if (got <= 0)
            return false;
        buf_append(&in, chunk, (size_t)got);
    }
    const char *text = buf_text(&in);
    server_header(text, "\r\nwebhook-id: ", request->id, sizeof request->id);
    server_header(text, "\r\nwebhook-timestamp: ", request->timestamp, sizeof request->timestamp);
    server_header(text, "\r\nwebhook-signature: ", request->signature, sizeof request->signature);
    server_header(text, "POST ", request->path, sizeof request->path);
    request->body = xstrdup(strstr(text, "\r\n\r\n") + 4);
    return true;
}

static void *server_connection_main(void *arg)
{
    struct server_connection connection = *(struct server_connection *)arg;
    struct webhook_server *server = connection.server;
    free(arg);
    struct server_request request = {0};
    while (server_read(connection.fd, &request)) {
        (void)pthread_mutex_lock(&server->lock);
        size_t number = server->count++;
        ck_assert_uint_lt(number, SERVER_MAX_REQUESTS);
        server->requests[number] = request;
        (void)pthread_cond_broadcast(&server->changed);
        const char *answer = server->script(server, number, &request);
        while (!answer && !server->stopping)
            (void)pthread_cond_wait(&server->changed, &server->lock);
        (void)pthread_mutex_unlock(&server->lock);
        if (!answer || send(connection.fd, answer, strlen(answer), MSG_NOSIGNAL) < 0)
            return NULL;
        request = (struct server_request){0};
    }
    (void)pthread_mutex_lock(&server->lock);
    server->closed_by_peer++;
    (void)pthread_cond_broadcast(&server->changed);
    (void)pthread_mutex_unlock(&server->lock);
    return NULL;
}

static void *server_accept_main(void *arg)
{
    struct webhook_server *server = arg;
    for (;;) {
        int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            return NULL;
        (void)pthread_mutex_lock(&server->lock);
        if (server->stopping) {
            (void)pthread_mutex_unlock(&server->lock);
            (void)close(fd);
            return NULL;
        }
        struct server_connection *connection = xmalloc(sizeof *connection);
        *connection = (struct server_connection){server, fd};
        size_t index = server->connection_count++;
        ck_assert_uint_lt(index, SERVER_MAX_REQUESTS);
        server->sockets[index] = fd;
        ck_assert_int_eq(
            pthread_create(&server->connections[index], NULL, server_connection_main, connection), 0);
        (void)pthread_mutex_unlock(&server->lock);
    }
}

/* Binds only; connections wait in the backlog until server_run(). */
static void server_listen(struct webhook_server *server, server_script *script)
{
    *server = (struct webhook_server){.script = script};
    (void)pthread_mutex_init(&server->lock, NULL);
    (void)pthread_cond_init(&server->changed, NULL);
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    ck_assert_int_eq(bind(server->fd, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(server->fd, 64), 0);
    ck_assert_int_eq(getsockname(server->fd, (struct sockaddr *)&address, &size), 0);
    server->port = ntohs(address.sin_port);
}

static UNUSED void server_run(struct webhook_server *server)
{
    ck_assert_int_eq(pthread_create(&server->acceptor, NULL, server_accept_main, server), 0);
}

static UNUSED void server_stop(struct webhook_server *server)
{
    (void)pthread_mutex_lock(&server->lock);
    server->stopping = true;
    (void)pthread_cond_broadcast(&server->changed);
    (void)pthread_mutex_unlock(&server->lock);
    (void)shutdown(server->fd, SHUT_RDWR);
    (void)pthread_join(server->acceptor, NULL);
    for (size_t i = 0; i < server->connection_count; i++) {
        (void)shutdown(server->sockets[i], SHUT_RDWR);
        (void)pthread_join(server->connections[i], NULL);
        (void)close(server->sockets[i]);
    }
    (void)close(server->fd);
    for (size_t i = 0; i < server->count; i++)
        free(server->requests[i].body);
    (void)pthread_mutex_destroy(&server->lock);
    (void)pthread_cond_destroy(&server->changed);
}

/* Waits for `value` to reach `least`, which the caller reads under the lock through the pointer. */
static UNUSED void server_wait(struct webhook_server *server, const size_t *value, size_t least)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += SERVER_WAIT_S;
    (void)pthread_mutex_lock(&server->lock);
    while (*value < least) {
        if (pthread_cond_timedwait(&server->changed, &server->lock, &until))
            ck_abort_msg("waited too long for %zu of %zu", *value, least);
    }
    (void)pthread_mutex_unlock(&server->lock);
}

static UNUSED size_t server_count(struct webhook_server *server)
{
    (void)pthread_mutex_lock(&server->lock);
    size_t count = server->count;
    (void)pthread_mutex_unlock(&server->lock);
    return count;
}

#endif
