/* A small HTTP/1.1 server for tests: a thread a connection, and a handler that writes the raw answer, so that
 * a test can also answer late, wrongly, or never. */
#ifndef FRAISEQL_TESTS_TEST_SERVER_H
#define FRAISEQL_TESTS_TEST_SERVER_H

#include "lib/core/str.h"

struct test_server;

struct http_exchange {
    char method[16], path[1024];
    const char *head; /* request line and headers, terminated */
    struct str body;
    int fd;
    unsigned connection; /* 1 for the first of the server */
};

/* Called on the connection's thread; false closes the connection. */
typedef bool test_server_fn(void *ctx, const struct http_exchange *exchange);

struct test_server *test_server_new(test_server_fn *fn, void *ctx);
/* Shuts all connections down and waits for their handlers; accepts NULL. */
void test_server_free(struct test_server *server);
uint16_t test_server_port(const struct test_server *server);
unsigned test_server_connections(struct test_server *server);
unsigned test_server_requests(struct test_server *server);

/* For handlers. The text is sent as it is; false when the client has gone. */
bool test_server_write(int fd, struct str bytes);
/* A complete answer: "200 OK", extra headers each ended by CRLF (or ""), body with its Content-Length. */
bool test_server_answer(int fd, const char *status, const char *headers, struct str body);
/* Returns when the client closes or the server is freed. */
void test_server_wait_close(int fd);

#endif
