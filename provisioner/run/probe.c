/* Asking a region from outside. */
#include "lib/core/clock.h"
#include "lib/net/http_wait.h"
#include "provisioner/run/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY_MAX       (1024UL * 1024)
#define BODY_SHOWN_MAX 600U

/* A body goes to a terminal: no escape sequence of it may act there. */
static const char *shown(struct arena *arena, struct str body)
{
    if (body.len > BODY_SHOWN_MAX)
        body.len = BODY_SHOWN_MAX;
    char *copy = arena_strdup(arena, str_trim(body));
    for (char *at = copy; *at; at++) {
        if (((unsigned char)*at < 0x20 && *at != '\n') || *at == 0x7f)
            *at = ' ';
    }
    return copy;
}

int probe_get(const char *url, const char *server_name, int64_t deadline_mono_ns, struct arena *arena,
              struct probe_result *ret, struct error *err)
{
    struct http_header host = {"Host", server_name};
    struct http_request request = {.url = url,
                                   .deadline_mono_ns = deadline_mono_ns,
                                   .max_body_bytes = BODY_MAX,
                                   .headers = &host,
                                   .header_count = server_name ? 1 : 0,
                                   .tls = {.server_name = server_name}};
    struct http_wait *client = NULL;
    struct http_response response;
    *ret = (struct probe_result){.body = ""};
    int code = http_wait_new("fraiseql", &client, err);
    if (code)
        return code;
    code = http_wait_send(client, &request, arena, &response, err);
    http_wait_free(client);
    ret->total_ns = response.total_ns;
    if (code)
        return code;
    ret->status = response.status;
    ret->body = shown(arena, response.body);
    return 0;
}

static void close_fd(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static int connect_one(const struct addrinfo *address, int64_t timeout_ns)
{
    CLEANUP(close_fd)
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, address->ai_addr, address->ai_addrlen) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return -errno;
    struct pollfd end = {.fd = fd, .events = POLLOUT};
    if (poll(&end, 1, (int)(timeout_ns / NS_PER_MS)) <= 0)
        return -ETIMEDOUT;
    int failure = 0;
    socklen_t size = sizeof failure;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) < 0)
        return -errno;
    return -failure;
}

int probe_connect(const char *host, const char *port, int64_t timeout_ns, struct error *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    int failure = getaddrinfo(host, port, &hints, &list);
    if (failure)
        return error_set(err, ERR_UNAVAILABLE, "%s: %s", host, gai_strerror(failure));
    int code = -EHOSTUNREACH;
    for (const struct addrinfo *each = list; each && code; each = each->ai_next)
        code = connect_one(each, timeout_ns);
    freeaddrinfo(list);
    return code ? error_set_errno(err, -code, "cannot connect to %s:%s", host, port) : 0;
}

int probe_region(const struct run_root *root, const struct root_outputs *outputs, const char *path,
                 int64_t deadline_mono_ns, struct probe_result *ret, struct error *err)
{
    const char *domain = root->run->deployment->traffic.domain, *server_name = NULL;
    const char *scheme = strncmp(outputs->url, "https:", 6) == 0 ? "https" : "http";
    const char *base = outputs->url;
    *ret = (struct probe_result){.body = ""};
    if (domain && domain[0] && outputs->endpoint[0]) {
        server_name = arena_printf(root->arena, "%s.%s", root->name, domain);
        base = arena_printf(root->arena, "%s://%s", scheme, outputs->endpoint);
    }
    if (!base[0])
        return error_set(err, ERR_UNAVAILABLE, "%s: its state names no URL", root->name);
    size_t length = strlen(base);
    while (length && base[length - 1] == '/')
        length--;
    const char *url = arena_printf(root->arena, "%.*s%s", (int)length, base, path);
    return probe_get(url, server_name, deadline_mono_ns, root->arena, ret, err);
}
