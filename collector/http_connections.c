#include "collector/http_connections.h"

#include "lib/core/arena.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

struct http_connection {
    struct http_connection *older, *newer;
    int64_t since_ns;
    int fd;
    enum http_phase phase;
    bool cut; /* counts as gone and is in no list */
};

struct http_connections {
    struct http_connections_limits limits;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct http_connection *oldest[HTTP_PHASES], *newest[HTTP_PHASES];
    unsigned count[HTTP_PHASES];
};

struct http_connections *http_connections_new(const struct http_connections_limits *limits)
{
    struct http_connections *set = xcalloc(1, sizeof *set);
    set->limits = *limits;
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&set->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&set->lock, NULL);
    return set;
}

void http_connections_free(struct http_connections *set)
{
    if (!set)
        return;
    (void)pthread_cond_destroy(&set->changed);
    (void)pthread_mutex_destroy(&set->lock);
    free(set);
}

/* --- lists: one a phase, in the order of since_ns
 * ----------------------------------------------------------------------------------------- */

static void append(struct http_connections *set, struct http_connection *connection)
{
    enum http_phase phase = connection->phase;
    connection->newer = NULL;
    connection->older = set->newest[phase];
    if (connection->older)
        connection->older->newer = connection;
    else
        set->oldest[phase] = connection;
    set->newest[phase] = connection;
    set->count[phase]++;
}

static void take_out(struct http_connections *set, struct http_connection *connection)
{
    enum http_phase phase = connection->phase;
    if (connection->older)
        connection->older->newer = connection->newer;
    else
        set->oldest[phase] = connection->newer;
    if (connection->newer)
        connection->newer->older = connection->older;
    else
        set->newest[phase] = connection->older;
    set->count[phase]--;
    (void)pthread_cond_signal(&set->changed);
}

static unsigned total(const struct http_connections *set)
{
    unsigned sum = 0;
    for (size_t phase = 0; phase < HTTP_PHASES; phase++)
        sum += set->count[phase];
    return sum;
}

/* --- connections
 * --------------------------------------------------------------------------------------------------- */

struct http_connection *http_connections_open(struct http_connections *set, int fd, int64_t now_mono_ns)
{
    struct http_connection *connection = xcalloc(1, sizeof *connection);
    connection->fd = fd;
    connection->since_ns = now_mono_ns;
    (void)pthread_mutex_lock(&set->lock);
    append(set, connection);
    (void)pthread_mutex_unlock(&set->lock);
    return connection;
}

void http_connections_enter(struct http_connections *set, struct http_connection *connection,
                            enum http_phase phase, int64_t now_mono_ns)
{
    (void)pthread_mutex_lock(&set->lock);
    if (!connection->cut) {
        take_out(set, connection);
        connection->phase = phase;
        connection->since_ns = now_mono_ns;
        append(set, connection);
    }
    (void)pthread_mutex_unlock(&set->lock);
}

void http_connections_close(struct http_connections *set, struct http_connection *connection)
{
    (void)pthread_mutex_lock(&set->lock);
    if (!connection->cut)
        take_out(set, connection);
    (void)pthread_mutex_unlock(&set->lock);
    free(connection);
}

/* Under the lock, so that the descriptor cannot be closed, and its number given to another, in between. */
static void cut(struct http_connections *set, struct http_connection *connection)
{
    take_out(set, connection);
    connection->cut = true;
    (void)shutdown(connection->fd, SHUT_RDWR);
}

struct http_connections_cut http_connections_sweep(struct http_connections *set, int64_t now_mono_ns)
{
    const struct http_connections_limits *limits = &set->limits;
    struct http_connections_cut done = {0};
    (void)pthread_mutex_lock(&set->lock);
    for (size_t phase = 0; phase < HTTP_PHASES; phase++) {
        struct http_connection *oldest;
        while ((oldest = set->oldest[phase]) && now_mono_ns - oldest->since_ns > limits->phase_ns[phase]) {
            cut(set, oldest);
            done.slow += phase == HTTP_WAITING ? 0 : 1; /* one that is idle has done nothing wrong */
        }
    }
    if (total(set) > limits->connections / 8 * 7) {
        for (size_t phase = 0; phase < HTTP_PHASES; phase++) {
            struct http_connection *oldest;
            while (total(set) > limits->connections / 2 && (oldest = set->oldest[phase]) &&
                   now_mono_ns - oldest->since_ns > limits->crowded_phase_ns[phase]) {
                cut(set, oldest);
                done.crowded++;
            }
        }
    }
    (void)pthread_mutex_unlock(&set->lock);
    return done;
}

bool http_connections_drain(struct http_connections *set, int64_t deadline_mono_ns)
{
    const struct timespec until = {.tv_sec = deadline_mono_ns / NS_PER_S,
                                   .tv_nsec = deadline_mono_ns % NS_PER_S};
    int code = 0;
    (void)pthread_mutex_lock(&set->lock);
    while (total(set) > set->count[HTTP_WAITING] && code == 0)
        code = pthread_cond_timedwait(&set->changed, &set->lock, &until);
    bool drained = total(set) == set->count[HTTP_WAITING];
    (void)pthread_mutex_unlock(&set->lock);
    return drained;
}
