/* A TCP proxy to a port of 127.0.0.1, on a thread of its own, for tests that look at or disturb a connection.
 */
#ifndef FRAISEQL_TESTS_TCP_PROXY_H
#define FRAISEQL_TESTS_TCP_PROXY_H

#include "lib/core/compiler.h"

struct tcp_proxy;

struct tcp_proxy *tcp_proxy_new(uint16_t target_port);
void tcp_proxy_free(struct tcp_proxy *proxy); /* closes everything; accepts NULL */
uint16_t tcp_proxy_port(const struct tcp_proxy *proxy);
/* How often bytes of a client followed bytes of the server: round trips begun after the first. */
unsigned tcp_proxy_turns(struct tcp_proxy *proxy);
unsigned tcp_proxy_connections(struct tcp_proxy *proxy);
/* While held nothing is forwarded: a black hole that keeps its connections. */
void tcp_proxy_hold(struct tcp_proxy *proxy, bool hold);
/* Connections whose first bytes contain `part` (with its terminating NUL) get `answer` and are closed. */
void tcp_proxy_refuse(struct tcp_proxy *proxy, const char *part, const void *answer, size_t answer_len);

#endif
