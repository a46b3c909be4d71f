#include "tests/support/test_server.h"

#include "lib/core/arena.h"
#include "lib/core/buf.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_REQUEST_BYTES (64UL * 1024 * 1024)

struct connection {
    struct connection *next;
    struct test_server *server;
    pthread_t thread;
    int fd;
    unsigned number;
};

struct test_server {
    pthread_t thread;
    pthread_mutex_t lock; /* guards connections, counts, stopping */
    int listener;
    uint16_t port;
    bool stopping;
    struct connection *all;
    unsigned connections, requests;
    test_server_fn *fn;
    void *ctx;
};

bool test_server_write(int fd, struct str bytes)
{
    while (bytes.len) {
        ssize_t wrote = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (wrote <= 0)
            return false;
        bytes.ptr += wrote;
        bytes.len -= (size_t)wrote;
    }
    return true;
}

bool test_server_answer(int fd, const char *status, const char *headers, struct str body)
{
    struct buf out = BUF_INIT(MAX_REQUEST_BYTES);
    buf_printf(&out, "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n", status, headers, body.len);
    buf_append_str(&out, body);
    bool ok = test_server_write(fd, buf_str(&out));
    buf_deinit(&out);
    return ok;
}

void test_server_wait_close(int fd)
{
    char bytes[512];
    while (recv(fd, bytes, sizeof bytes, 0) > 0)
        ;
}

static size_t content_length(const char *head)
{
    const char *at = head;
    while ((at = strchr(at, '\n'))) {
        at++;
        if (strncasecmp(at, "content-length:", 15) == 0)
            return strtoul(at + 15, NULL, 10);
    }
    return 0;
}

static bool receive(struct buf *in, int fd)
{
    char bytes[16384];
    ssize_t got = recv(fd, bytes, sizeof bytes, 0);
    if (got <= 0)
        return false;
    buf_append(in, bytes, (size_t)got);
    return !in->failed;
}

/* One request at the start of `in`, which is left with what follows it. */
static bool serve_one(struct connection *connection, struct buf *in)
{
    struct http_exchange exchange = {.fd = connection->fd, .connection = connection->number};
    const char *end;
    while (!in->len || !(end = memmem(in->data, in->len, "\r\n\r\n", 4)))
        if (!receive(in, connection->fd))
            return false;
    size_t head_len = (size_t)(end - in->data) + 4;
    char *head = xstrndup((struct str){in->data, head_len});
    size_t body_len = content_length(head);
    bool ok = true;
    while (ok && in->len < head_len + body_len)
        ok = receive(in, connection->fd);
    if (ok) {
        const char *space = strchr(head, ' ');
        const char *second = space ? strchr(space + 1, ' ') : NULL;
        if (space && second) {
            (void)snprintf(exchange.method, sizeof exchange.method, "%.*s", (int)(space - head), head);
            (void)snprintf(exchange.path, sizeof exchange.path, "%.*s", (int)(second - space - 1), space + 1);
        }
        exchange.head = head;
        exchange.body = (struct str){in->data + head_len, body_len};
        struct test_server *server = connection->server;
        pthread_mutex_lock(&server->lock);
        server->requests++;
        pthread_mutex_unlock(&server->lock);
        ok = server->fn(server->ctx, &exchange);
        memmove(in->data, in->data + head_len + body_len, in->len - head_len - body_len);
        in->len -= head_len + body_len;
    }
    free(head);
    return ok;
}

static void *connection_main(void *arg)
{
    struct connection *connection = arg;
    struct buf in = BUF_INIT(MAX_REQUEST_BYTES);
    while (serve_one(connection, &in))
        ;
    buf_deinit(&in);
    (void)shutdown(connection->fd,
                   SHUT_RDWR); /* closed when the server is freed, so that the number stays ours */
    return NULL;
}

static void *accept_main(void *arg)
{
    struct test_server *server = arg;
    for (;;) {
        int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0)
            return NULL;
        struct connection *connection = xcalloc(1, sizeof *connection);
        pthread_mutex_lock(&server->lock);
        *connection = (struct connection){server->all, server, 0, fd, ++server->connections};
        server->all = connection;
        bool refuse =
            server->stopping || pthread_create(&connection->thread, NULL, connection_main, connection) != 0;
        if (refuse) {
            server->all = connection->next;
            (void)close(fd);
            free(connection);
        }
        pthread_mutex_unlock(&server->lock);
    }
}

struct test_server *test_server_new(test_server_fn *fn, void *ctx)
{
    struct test_server *server = xcalloc(1, sizeof *server);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    server->fn = fn;
    server->ctx = ctx;
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pthread_mutex_init(&server->lock, NULL);
    if (server->listener < 0 || bind(server->listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(server->listener, 128) != 0 ||
        getsockname(server->listener, (struct sockaddr *)&address, &size) != 0) {
        (void)fprintf(stderr, "cannot start the HTTP server of the test\n");
        abort();
    }
    server->port = ntohs(address.sin_port);
    if (pthread_create(&server->thread, NULL, accept_main, server) != 0)
        abort();
    return server;
}

void test_server_free(struct test_server *server)
{
    if (!server)
        return;
    pthread_mutex_lock(&server->lock);
    server->stopping = true;
    for (struct connection *connection = server->all; connection; connection = connection->next)
        (void)shutdown(connection->fd, SHUT_RDWR);
    pthread_mutex_unlock(&server->lock);
    (void)shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    while (server->all) {
        struct connection *connection = server->all;
        server->all = connection->next;
        pthread_join(connection->thread, NULL);
        (void)close(connection->fd);
        free(connection);
    }
    (void)close(server->listener);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

uint16_t test_server_port(const struct test_server *server)
{
    return server->port;
}

static unsigned read_number(struct test_server *server, const unsigned *number)
{
    pthread_mutex_lock(&server->lock);
    unsigned value = *number;
    pthread_mutex_unlock(&server->lock);
    return value;
}

unsigned test_server_connections(struct test_server *server)
{
    return read_number(server, &server->connections);
}

unsigned test_server_requests(struct test_server *server)
{
    return read_number(server, &server->requests);
}
