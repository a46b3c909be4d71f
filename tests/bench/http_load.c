/* Posts one body over and over on some kept connections, as fast as the server takes it, and prints how it
 * went: http_load PORT PATH BODY_FILE REQUESTS CONNECTIONS [CONTENT_ENCODING] A bench tool: plain blocking
 * sockets, one thread a connection, so that its own cost stays small and apart. */
#include "lib/core/arena.h"
#include "lib/core/atomic.h"
#include "lib/core/clock.h"
#include "lib/core/file.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct load {
    uint16_t port;
    struct buf request; /* head and body, sent whole */
    struct counter next, failed;
    uint64_t requests;
};

static int dial(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        perror("http_load: connect");
        exit(EXIT_FAILURE);
    }
    return fd;
}

static bool send_all(int fd, struct str bytes)
{
    while (bytes.len) {
        ssize_t sent = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes.ptr += sent;
        bytes.len -= (size_t)sent;
    }
    return true;
}

/* Reads one answer; true for status 200. Answers are small and carry a Content-Length. */
static bool read_answer(int fd)
{
    char text[8192];
    size_t used = 0;
    for (;;) {
        ssize_t got = recv(fd, text + used, sizeof text - 1 - used, 0);
        if (got <= 0)
            return false;
        used += (size_t)got;
        text[used] = '\0';
        const char *end = strstr(text, "\r\n\r\n");
        const char *length = strcasestr(text, "content-length:");
        if (!end || !length)
            continue;
        size_t body = strtoul(length + 15, NULL, 10);
        if (used >= (size_t)(end + 4 - text) + body)
            return strncmp(text + 9, "200", 3) == 0;
    }
}

static void *run(void *arg)
{
    struct load *load = arg;
    int fd = dial(load->port);
    while (counter_draw(&load->next, 1) < load->requests) {
        if (!send_all(fd, buf_str(&load->request)) || !read_answer(fd)) {
            counter_add(&load->failed, 1);
            (void)close(fd);
            fd = dial(load->port);
        }
    }
    (void)close(fd);
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc < 6) {
        (void)fputs("usage: http_load PORT PATH BODY_FILE REQUESTS CONNECTIONS [CONTENT_ENCODING]\n", stderr);
        return EXIT_FAILURE;
    }
    struct load load = {.port = (uint16_t)strtoul(argv[1], NULL, 10),
                        .requests = strtoull(argv[4], NULL, 10)};
    struct buf body = BUF_INIT(256 << 20);
    struct error err = {0};
    if (file_read(argv[3], &body, &err) != 0) {
        (void)fprintf(stderr, "http_load: %s\n", err.message);
        return EXIT_FAILURE;
    }
    buf_init(&load.request, 256 << 20);
    buf_printf(&load.request,
               "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: "
               "application/x-protobuf\r\n%s%s%sContent-Length: %zu\r\n\r\n",
               argv[2], argc > 6 ? "Content-Encoding: " : "", argc > 6 ? argv[6] : "", argc > 6 ? "\r\n" : "",
               body.len);
    buf_append_str(&load.request, buf_str(&body));
    unsigned connections = (unsigned)strtoul(argv[5], NULL, 10);
    pthread_t *threads = xcalloc(connections, sizeof *threads);
    int64_t begun = clock_mono_ns();
    for (unsigned i = 0; i < connections; i++)
        (void)pthread_create(&threads[i], NULL, run, &load);
    for (unsigned i = 0; i < connections; i++)
        (void)pthread_join(threads[i], NULL);
    double seconds = (double)(clock_mono_ns() - begun) / 1e9;
    (void)printf("%.6f %llu\n", seconds, (unsigned long long)counter_get(&load.failed));
    free(threads);
    buf_deinit(&body);
    buf_deinit(&load.request);
    return EXIT_SUCCESS;
}
