#include "tests/support/tcp_proxy.h"

#include "lib/core/arena.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_PAIRS 16

struct pair {
    int client, server; /* -1: free */
    bool first_seen, server_spoke;
};

struct tcp_proxy {
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows; the thread and the test use it */
    int listener, wake[2];
    uint16_t port, target_port;
    bool stopping, held;
    unsigned turns, connections;
    const char *refuse_part;
    const void *refuse_answer;
    size_t refuse_len;
    struct pair pairs[MAX_PAIRS];
};

static void drop(struct pair *pair)
{
    if (pair->client >= 0)
        (void)close(pair->client);
    if (pair->server >= 0)
        (void)close(pair->server);
    *pair = (struct pair){.client = -1, .server = -1};
}

static void write_all(int fd, const char *bytes, size_t len)
{
    while (len) {
        ssize_t wrote = send(fd, bytes, len, MSG_NOSIGNAL);
        if (wrote <= 0)
            return;
        bytes += wrote;
        len -= (size_t)wrote;
    }
}

static void accept_one(struct tcp_proxy *proxy)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons(proxy->target_port);
    int client = accept4(proxy->listener, NULL, NULL, SOCK_CLOEXEC);
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client < 0 || server < 0 || connect(server, (struct sockaddr *)&address, sizeof address) != 0) {
        (void)close(client);
        (void)close(server);
        return;
    }
    proxy->connections++;
    for (size_t i = 0; i < MAX_PAIRS; i++) {
        if (proxy->pairs[i].client >= 0)
            continue;
        proxy->pairs[i] = (struct pair){.client = client, .server = server};
        return;
    }
    (void)close(client);
    (void)close(server);
}

static void from_client(struct tcp_proxy *proxy, struct pair *pair)
{
    char bytes[65536];
    ssize_t len = recv(pair->client, bytes, sizeof bytes, 0);
    if (len <= 0) {
        drop(pair);
        return;
    }
    if (!pair->first_seen && proxy->refuse_part &&
        memmem(bytes, (size_t)len, proxy->refuse_part, strlen(proxy->refuse_part) + 1)) {
        write_all(pair->client, proxy->refuse_answer, proxy->refuse_len);
        drop(pair);
        return;
    }
    pair->first_seen = true;
    proxy->turns += pair->server_spoke;
    pair->server_spoke = false;
    write_all(pair->server, bytes, (size_t)len);
}

static void from_server(struct pair *pair)
{
    char bytes[65536];
    ssize_t len = recv(pair->server, bytes, sizeof bytes, 0);
    if (len <= 0) {
        drop(pair);
        return;
    }
    pair->server_spoke = true;
    write_all(pair->client, bytes, (size_t)len);
}

static void *thread_main(void *arg)
{
    struct tcp_proxy *proxy = arg;
    pthread_mutex_lock(&proxy->lock);
    while (!proxy->stopping) {
        struct pollfd fds[2 + 2 * MAX_PAIRS];
        fds[0] = (struct pollfd){.fd = proxy->wake[0], .events = POLLIN};
        fds[1] = (struct pollfd){.fd = proxy->held ? -1 : proxy->listener, .events = POLLIN};
        for (size_t i = 0; i < MAX_PAIRS; i++) {
            fds[2 + 2 * i] =
                (struct pollfd){.fd = proxy->held ? -1 : proxy->pairs[i].client, .events = POLLIN};
            fds[3 + 2 * i] =
                (struct pollfd){.fd = proxy->held ? -1 : proxy->pairs[i].server, .events = POLLIN};
        }
        pthread_mutex_unlock(&proxy->lock);
        (void)poll(fds, ARRAY_LEN(fds), -1);
        pthread_mutex_lock(&proxy->lock);
        char byte;
        if (fds[0].revents)
            (void)!read(proxy->wake[0], &byte, 1);
        if (proxy->held)
            continue;
        if (fds[1].revents)
            accept_one(proxy);
        for (size_t i = 0; i < MAX_PAIRS; i++) {
            if (fds[2 + 2 * i].revents && proxy->pairs[i].client == fds[2 + 2 * i].fd)
                from_client(proxy, &proxy->pairs[i]);
            if (fds[3 + 2 * i].revents && proxy->pairs[i].server == fds[3 + 2 * i].fd)
                from_server(&proxy->pairs[i]);
        }
    }
    pthread_mutex_unlock(&proxy->lock);
    return NULL;
}

struct tcp_proxy *tcp_proxy_new(uint16_t target_port)
{
    struct tcp_proxy *proxy = xcalloc(1, sizeof *proxy);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    for (size_t i = 0; i < MAX_PAIRS; i++)
        proxy->pairs[i] = (struct pair){.client = -1, .server = -1};
    proxy->target_port = target_port;
    proxy->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pthread_mutex_init(&proxy->lock, NULL);
    if (proxy->listener < 0 || bind(proxy->listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(proxy->listener, 16) != 0 || pipe(proxy->wake) != 0 ||
        getsockname(proxy->listener, (struct sockaddr *)&address, &size) != 0 ||
        pthread_create(&proxy->thread, NULL, thread_main, proxy) != 0) {
        (void)fprintf(stderr, "cannot start the proxy\n");
        abort();
    }
    proxy->port = ntohs(address.sin_port);
    return proxy;
}

static void wake(struct tcp_proxy *proxy)
{
    (void)!write(proxy->wake[1], "", 1);
}

void tcp_proxy_free(struct tcp_proxy *proxy)
{
    if (!proxy)
        return;
    pthread_mutex_lock(&proxy->lock);
    proxy->stopping = true;
    pthread_mutex_unlock(&proxy->lock);
    wake(proxy);
    pthread_join(proxy->thread, NULL);
    for (size_t i = 0; i < MAX_PAIRS; i++)
        drop(&proxy->pairs[i]);
    (void)close(proxy->listener);
    (void)close(proxy->wake[0]);
    (void)close(proxy->wake[1]);
    pthread_mutex_destroy(&proxy->lock);
    free(proxy);
}

uint16_t tcp_proxy_port(const struct tcp_proxy *proxy)
{
    return proxy->port;
}

static unsigned read_number(struct tcp_proxy *proxy, const unsigned *number)
{
    pthread_mutex_lock(&proxy->lock);
    unsigned value = *number;
    pthread_mutex_unlock(&proxy->lock);
    return value;
}

unsigned tcp_proxy_turns(struct tcp_proxy *proxy)
{
    return read_number(proxy, &proxy->turns);
}

unsigned tcp_proxy_connections(struct tcp_proxy *proxy)
{
    return read_number(proxy, &proxy->connections);
}

void tcp_proxy_hold(struct tcp_proxy *proxy, bool hold)
{
    pthread_mutex_lock(&proxy->lock);
    proxy->held = hold;
    pthread_mutex_unlock(&proxy->lock);
    wake(proxy);
}

void tcp_proxy_refuse(struct tcp_proxy *proxy, const char *part, const void *answer, size_t answer_len)
{
    pthread_mutex_lock(&proxy->lock);
    proxy->refuse_part = part;
    proxy->refuse_answer = answer;
    proxy->refuse_len = answer_len;
    pthread_mutex_unlock(&proxy->lock);
}
