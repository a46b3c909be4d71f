/* Which connections of a server are open, what each waits for, and since when.
 *
 * libmicrohttpd forgives a peer that sends one byte in a while, for any number of bytes, and accepts nobody
 * more once its limit is reached. So connections that take too long are cut here: by an absolute limit for
 * each phase, and sooner when connections run short, so that a flood of slow peers cannot keep others out.
 *
 * To cut is to shut the socket down: the server then sees its end, and closes the connection itself.
 *
 * Threads: any; one mutex, held for O(1) but in sweep. Ownership: a connection belongs to the set until
 * http_connections_close(), which must come before its descriptor is closed. */
#ifndef FRAISEQL_COLLECTOR_HTTP_CONNECTIONS_H
#define FRAISEQL_COLLECTOR_HTTP_CONNECTIONS_H

#include "lib/core/compiler.h"

struct http_connections;
struct http_connection;

enum http_phase {
    HTTP_WAITING, /* for a request line */
    HTTP_HEAD,    /* receiving headers */
    HTTP_BODY,
    HTTP_SENDING,
    HTTP_PHASES
};

struct http_connections_limits {
    unsigned connections;
    int64_t phase_ns[HTTP_PHASES]; /* cut after this long */
    /* While more than seven eighths of the connections are taken, those of a phase are cut after this long,
     * the oldest first, until half of the connections are free. */
    int64_t crowded_phase_ns[HTTP_PHASES];
};

struct http_connections *http_connections_new(const struct http_connections_limits *limits);
void http_connections_free(struct http_connections *set); /* after all are closed; accepts NULL */

struct http_connection *http_connections_open(struct http_connections *set, int fd, int64_t now_mono_ns);
void http_connections_enter(struct http_connections *set, struct http_connection *connection,
                            enum http_phase phase, int64_t now_mono_ns);
void http_connections_close(struct http_connections *set, struct http_connection *connection);

struct http_connections_cut {
    unsigned slow, crowded;
};
/* Cuts what has had its time; to be called about once a second. */
struct http_connections_cut http_connections_sweep(struct http_connections *set, int64_t now_mono_ns);
/* Returns when no request is under way, or at the deadline: false then. */
bool http_connections_drain(struct http_connections *set, int64_t deadline_mono_ns);

#endif
