#include "collector/http_server.h"
#include "collector/process.h"
#include "lib/core/clock.h"
#include "tests/support/support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY_MAX     10000U
#define ANSWER_BYTES 65536U
#define PULLED_BYTES (100U << 20)
#define PATIENCE_MS  20000 /* of a test that would otherwise hang */

static struct http_server *server;
static struct error err;
static pthread_mutex_t gate_lock = PTHREAD_MUTEX_INITIALIZER;
static struct counter handled, freed;

static ssize_t pull_bytes(void *ctx, char *out, size_t max)
{
    size_t *left = ctx;
    size_t size = max < *left ? max : *left;
    memset(out, 'p', size);
    *left -= size;
    return (ssize_t)size;
}

static void free_pulled(void *ctx)
{
    counter_add(&freed, 1);
    free(ctx);
}

static void count_value(void *ctx, const char *value)
{
    struct buf *out = ctx;
    buf_printf(out, "[%s]", value);
}

static void handle(void *ctx, struct http_exchange *exchange, struct http_reply *reply)
{
    (void)ctx;
    counter_add(&handled, 1);
    reply->status = 200;
    if (strcmp(http_path(exchange), "/pull") == 0) {
        size_t *left = xcalloc(1, sizeof *left);
        *left = PULLED_BYTES;
        reply->pull = pull_bytes;
        reply->pull_ctx = left;
        reply->pull_free = free_pulled;
    } else if (strcmp(http_path(exchange), "/gate") == 0) {
        (void)pthread_mutex_lock(&gate_lock);
        (void)pthread_mutex_unlock(&gate_lock);
        buf_append_text(&reply->body, "through\n");
    } else if (strcmp(http_path(exchange), "/query") == 0) {
        http_query_each(exchange, "n", count_value, &reply->body);
    } else {
        buf_printf(&reply->body, "%s %s %zu\n", http_method(exchange), http_path(exchange),
                   http_body(exchange).len);
    }
}

static void start(struct http_server_options options)
{
    static struct address_option any = {.text = "127.0.0.1:0", .host = "127.0.0.1"};
    options.name = "test";
    options.address = options.address ? options.address : &any;
    options.threads = options.threads ? options.threads : 2;
    options.max_connections = options.max_connections ? options.max_connections : 64;
    options.max_body_bytes = options.max_body_bytes ? options.max_body_bytes : BODY_MAX;
    options.max_inflight_bytes = options.max_inflight_bytes ? options.max_inflight_bytes : 10 * BODY_MAX;
    options.request_timeout_ns = options.request_timeout_ns ? options.request_timeout_ns : 60 * NS_PER_S;
    options.handler = handle;
    err = (struct error){0};
    ck_assert_msg(http_server_start(&options, &server, &err) == 0, "%s", err.message);
}

static void begin(void)
{
    server = NULL;
    counter_set(&handled, 0);
    counter_set(&freed, 0);
}

static void end(void)
{
    http_server_stop(server);
}

static struct http_server_stats stats(void)
{
    struct http_server_stats taken = {0};
    http_server_stats(server, &taken);
    return taken;
}

/* --- a client
 * ------------------------------------------------------------------------------------------------------ */

static int connect_to_server(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(http_server_port(server)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    return fd;
}

static void put(int fd, const char *text, size_t size)
{
    while (size) {
        ssize_t sent = send(fd, text, size, MSG_NOSIGNAL);
        ck_assert_int_gt(sent, 0);
        text += sent;
        size -= (size_t)sent;
    }
}

static void put_text(int fd, const char *text)
{
    put(fd, text, strlen(text));
}

/* One answer with its Content-Length, or what came until the end. */
static const char *answer(int fd)
{
    static char text[ANSWER_BYTES];
    size_t have = 0;
    for (;;) {
        text[have] = '\0';
        const char *blank = strstr(text, "\r\n\r\n"), *length = strstr(text, "Content-Length: ");
        if (blank && length && have >= (size_t)(blank + 4 - text) + strtoul(length + 16, NULL, 10))
            return text;
        ssize_t got = recv(fd, text + have, sizeof text - 1 - have, 0);
        if (got <= 0)
            return text;
        have += (size_t)got;
    }
}

static const char *ask(const char *request)
{
    int fd = connect_to_server();
    put_text(fd, request);
    const char *text = answer(fd);
    (void)close(fd);
    return text;
}

/* True when the server closed or reset the connection and sent nothing. */
static bool is_closed(int fd)
{
    char byte;
    return recv(fd, &byte, 1, 0) <= 0;
}

static bool is_open(int fd)
{
    struct pollfd poll_one = {.fd = fd, .events = POLLIN | POLLRDHUP};
    return poll(&poll_one, 1, 0) == 0;
}

/* --- tests
 * ---------------------------------------------------------------------------------------------------------
 */

START_TEST(one_connection_serves_many_requests)
{
    start((struct http_server_options){0});
    int fd = connect_to_server();
    for (int i = 0; i < 100; i++) {
        put_text(fd, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
        ck_assert_contains(answer(fd), "\r\n\r\nGET /a 0\n");
    }
    put_text(fd, "POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n");
    ck_assert_contains(answer(fd), "\r\n\r\nPOST /b 7\n");
    ck_assert_uint_eq(stats().connections, 1);
    ck_assert_uint_eq(stats().requests_by_class[2], 101);
    ck_assert_uint_eq(stats().received_bytes, 7);
    (void)close(fd);
}
END_TEST

START_TEST(a_repeated_parameter_is_seen_each_time)
{
    start((struct http_server_options){0});
    ck_assert_contains(ask("GET /query?n=1&m=2&n=a%20b&n HTTP/1.1\r\nHost: x\r\n\r\n"), "\r\n\r\n[1][a b][]");
}
END_TEST

START_TEST(escapes_are_decoded_but_for_nul)
{
    start((struct http_server_options){0});
    ck_assert_contains(ask("GET /a%2Fb%c3%A9 HTTP/1.1\r\nHost: x\r\n\r\n"), "\r\n\r\nGET /a/b\xc3\xa9 0\n");
    ck_assert_contains(ask("GET /query%00 HTTP/1.1\r\nHost: x\r\n\r\n"), "\r\n\r\nGET /query%00 0\n");
    ck_assert_contains(ask("GET /a%zz%4 HTTP/1.1\r\nHost: x\r\n\r\n"), "\r\n\r\nGET /a%zz%4 0\n");
    ck_assert_contains(ask("GET /query?n=a%00b+c%2B& HTTP/1.1\r\nHost: x\r\n\r\n"), "\r\n\r\n[a%00b c+]");
}
END_TEST

START_TEST(head_has_headers_only)
{
    start((struct http_server_options){0});
    const char *text = ask("HEAD /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    ck_assert_contains(text, "HTTP/1.1 200 ");
    ck_assert_str_eq(strstr(text, "\r\n\r\n"), "\r\n\r\n");
    text = ask("HEAD /pull HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    ck_assert_contains(text, "HTTP/1.1 200 ");
    ck_assert_str_eq(strstr(text, "\r\n\r\n"), "\r\n\r\n");
    http_server_stop(server);
    server = NULL;
    ck_assert_uint_eq(counter_get(&freed), 1);
}
END_TEST

START_TEST(a_body_over_the_limit_is_drained_and_refused)
{
    start((struct http_server_options){0});
    int fd = connect_to_server();
    static char body[4 * BODY_MAX];
    memset(body, 'x', sizeof body);
    put_text(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 40000\r\n\r\n");
    put(fd, body, sizeof body);
    ck_assert_contains(answer(fd), "HTTP/1.1 413 ");
    put_text(fd, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n9c40\r\n");
    put(fd, body, sizeof body);
    put_text(fd, "\r\n0\r\n\r\n");
    ck_assert_contains(answer(fd), "HTTP/1.1 413 ");
    put_text(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\n");
    put(fd, body, BODY_MAX);
    ck_assert_contains(answer(fd), "POST / 10000\n");
    ck_assert_uint_eq(stats().refused_body, 2);
    ck_assert_uint_eq(counter_get(&handled), 1);
    (void)close(fd);
}
END_TEST

START_TEST(a_body_out_of_all_proportion_is_not_read)
{
    start((struct http_server_options){0});
    ck_assert_contains(ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 40004\r\n\r\n"), "HTTP/1.1 413 ");
    ck_assert_contains(ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551615\r\n\r\n"),
                       " 413 ");
    ck_assert_contains(
        ask("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 20000\r\n\r\n"), " 413 ");
}
END_TEST

START_TEST(ambiguous_lengths_are_refused)
{
    static const char *const heads[] = {"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
                                        "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
                                        "Content-Length: 3\r\nContent-Length: 4\r\n",
                                        "Content-Length: 3\r\nContent-Length: 3\r\n",
                                        "Transfer-Encoding: xchunked\r\n",
                                        "Transfer-Encoding: gzip, chunked\r\n",
                                        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
                                        "Content-Length: -3\r\n",
                                        "Content-Length: +3\r\n",
                                        "Content-Length: 3x\r\n",
                                        "Content-Length: 0x3\r\n"};
    start((struct http_server_options){0});
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        char request[512];
        (void)snprintf(request, sizeof request, "POST / HTTP/1.1\r\nHost: x\r\n%s\r\n", heads[i]);
        const char *text = ask(request);
        ck_assert_msg(strncmp(text, "HTTP/1.1 400 ", 13) == 0, "%s: %s", heads[i], text);
    }
    ck_assert_uint_eq(counter_get(&handled), 0);
}
END_TEST

START_TEST(bodies_in_flight_are_bounded)
{
    start((struct http_server_options){.max_inflight_bytes = BODY_MAX});
    int first = connect_to_server();
    static char body[6000];
    put_text(first, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6000\r\n\r\n");
    put(first, body, sizeof body - 1);
    while (stats().inflight_bytes < sizeof body - 1)
        (void)poll(NULL, 0, 1);
    int second = connect_to_server();
    put_text(second, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6000\r\n\r\n");
    put(second, body, sizeof body);
    const char *text = answer(second);
    ck_assert_contains(text, "HTTP/1.1 503 ");
    ck_assert_contains(text, "Retry-After: 1\r\n");
    put_text(second, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1770\r\n");
    put(second, body, sizeof body);
    put_text(second, "\r\n0\r\n\r\n");
    ck_assert_contains(answer(second), "HTTP/1.1 503 ");
    ck_assert_uint_eq(stats().refused_inflight, 2);
    put(first, body, 1);
    ck_assert_contains(answer(first), "POST / 6000\n");
    while (stats().inflight_bytes) /* given back a moment after the answer */
        (void)poll(NULL, 0, 1);
    put_text(second, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6000\r\n\r\n");
    put(second, body, sizeof body);
    ck_assert_contains(answer(second), "POST / 6000\n");
    (void)close(first);
    (void)close(second);
    while (stats().inflight_bytes) /* nothing stays reserved */
        (void)poll(NULL, 0, 1);
}
END_TEST

START_TEST(announced_bodies_keep_nobody_out)
{
    start((struct http_server_options){.max_inflight_bytes = BODY_MAX});
    int waiting[4];
    for (size_t i = 0; i < ARRAY_LEN(waiting); i++) {
        waiting[i] = connect_to_server();
        put_text(waiting[i], "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n");
    }
    ck_assert_contains(ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12345"), "POST / 5\n");
    for (size_t i = 0; i < ARRAY_LEN(waiting); i++)
        (void)close(waiting[i]);
}
END_TEST

START_TEST(more_parameters_than_fit_are_refused)
{
    start((struct http_server_options){0});
    char request[40000] = "GET /query?";
    size_t length = strlen(request);
    for (size_t i = 0; i < 10000; i++, length += 2)
        memcpy(request + length, "n&", 2);
    memcpy(request + length, " HTTP/1.1\r\nHost: x\r\n\r\n", sizeof " HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert_contains(ask(request), "HTTP/1.1 414 ");
    ck_assert_uint_eq(counter_get(&handled), 0);
    ck_assert_contains(ask("GET /query?n=1 HTTP/1.1\r\nHost: x\r\n\r\n"), "[1]");
}
END_TEST

START_TEST(an_aborted_upload_gives_its_bytes_back)
{
    start((struct http_server_options){0});
    int fd = connect_to_server();
    put_text(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6000\r\n\r\nabc");
    while (stats().inflight_bytes < 3)
        (void)poll(NULL, 0, 1);
    (void)close(fd);
    while (stats().inflight_bytes)
        (void)poll(NULL, 0, 1);
    ck_assert_uint_eq(counter_get(&handled), 0);
}
END_TEST

/* Sends a byte each millisecond until the server ends the connection; the limit is on the whole. */
static void drip(const char *beginning, char byte)
{
    int fd = connect_to_server();
    put_text(fd, beginning);
    int64_t give_up = clock_mono_ns() + PATIENCE_MS * NS_PER_MS;
    while (is_open(fd) && clock_mono_ns() < give_up) {
        (void)send(fd, &byte, 1, MSG_NOSIGNAL);
        (void)poll(NULL, 0, 1);
        http_server_sweep(server);
    }
    ck_assert_msg(clock_mono_ns() < give_up, "\"%s\" was not cut", beginning);
    ck_assert(is_closed(fd));
    (void)close(fd);
}

START_TEST(slow_requests_are_cut)
{
    start((struct http_server_options){.request_timeout_ns = 100 * NS_PER_MS});
    drip("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n", 'x');
    drip("GET / HTTP/1.1\r\nHost: x\r\nLong: ", 'x');
    ck_assert_uint_ge(stats().refused_slow, 2);
    ck_assert_uint_eq(counter_get(&handled), 0);
    ck_assert_contains(ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 200 ");
}
END_TEST

START_TEST(a_stalled_body_is_cut)
{
    start((struct http_server_options){.request_timeout_ns = 100 * NS_PER_MS});
    int fd = connect_to_server();
    put_text(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n");
    int64_t give_up = clock_mono_ns() + PATIENCE_MS * NS_PER_MS;
    while (is_open(fd) && clock_mono_ns() < give_up) {
        (void)poll(NULL, 0, 1);
        http_server_sweep(server);
    }
    ck_assert(is_closed(fd));
    (void)close(fd);
}
END_TEST

START_TEST(a_large_page_is_pulled_with_little_memory)
{
    start((struct http_server_options){0});
    uint64_t before = process_resident_bytes(), most = before;
    int fd = connect_to_server();
    put_text(fd, "GET /pull HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    static char piece[1 << 20];
    size_t total = 0;
    for (ssize_t got; (got = recv(fd, piece, sizeof piece, 0)) > 0;) {
        total += (size_t)got;
        uint64_t now = process_resident_bytes();
        most = now > most ? now : most;
    }
    ck_assert_uint_ge(total, PULLED_BYTES);
    ck_assert_uint_le(total, PULLED_BYTES / 100 * 101); /* chunk sizes and headers */
    ck_assert_uint_lt(most - before, 16U << 20);
    (void)close(fd);
}
END_TEST

START_TEST(a_reader_that_leaves_ends_the_pull)
{
    start((struct http_server_options){0});
    int fd = connect_to_server();
    put_text(fd, "GET /pull HTTP/1.1\r\nHost: x\r\n\r\n");
    char some[4096];
    ck_assert_int_gt(recv(fd, some, sizeof some, 0), 0);
    (void)close(fd);
    while (!counter_get(&freed))
        (void)poll(NULL, 0, 1);
}
END_TEST

START_TEST(connections_are_bounded_and_the_idle_make_room)
{
    enum { LIMIT = 16 };
    start((struct http_server_options){.max_connections = LIMIT});
    int idle[LIMIT];
    for (size_t i = 0; i < LIMIT; i++)
        idle[i] = connect_to_server();
    while (stats().connections < LIMIT)
        (void)poll(NULL, 0, 1);
    int late = connect_to_server(); /* accepted by the kernel, not by the server */
    put_text(late, "GET /late HTTP/1.1\r\nHost: x\r\n\r\n");
    int64_t give_up = clock_mono_ns() + PATIENCE_MS * NS_PER_MS;
    while (is_open(late) && clock_mono_ns() < give_up) {
        ck_assert_uint_le(stats().connections, LIMIT);
        (void)poll(NULL, 0, 10);
        http_server_sweep(server);
    }
    ck_assert_contains(answer(late), "GET /late 0\n");
    ck_assert_uint_ge(stats().refused_crowded, 1);
    (void)close(late);
    for (size_t i = 0; i < LIMIT; i++)
        (void)close(idle[i]);
}
END_TEST

static void *ask_until_refused(void *arg)
{
    uint64_t *answers = arg;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(http_server_port(server)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (;;) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        static const char request[] = "GET /pull HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        char some[4096];
        bool refused = connect(fd, (const struct sockaddr *)&address, sizeof address) != 0;
        if (!refused && send(fd, request, sizeof request - 1, MSG_NOSIGNAL) > 0 &&
            recv(fd, some, sizeof some, 0) > 0)
            ++*answers;
        (void)close(fd);
        if (refused)
            return NULL;
    }
}

START_TEST(it_stops_under_load)
{
    start((struct http_server_options){0});
    pthread_t threads[4];
    uint64_t answers[4] = {0};
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_until_refused, &answers[i]), 0);
    while (counter_get(&handled) < 50)
        (void)poll(NULL, 0, 1);
    http_server_quiesce(server);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        (void)pthread_join(threads[i], NULL); /* nobody is let in any more */
    (void)http_server_drain(server, clock_mono_ns() + NS_PER_S);
    http_server_stop(server);
    server = NULL;
    ck_assert_uint_ge(answers[0] + answers[1] + answers[2] + answers[3], 50);
    ck_assert_uint_eq(counter_get(&freed), counter_get(&handled));
}
END_TEST

START_TEST(a_request_under_way_is_answered_before_the_stop)
{
    start((struct http_server_options){0});
    (void)pthread_mutex_lock(&gate_lock);
    int fd = connect_to_server();
    put_text(fd, "GET /gate HTTP/1.1\r\nHost: x\r\n\r\n");
    while (!counter_get(&handled))
        (void)poll(NULL, 0, 1);
    http_server_quiesce(server);
    ck_assert(!http_server_drain(server, clock_mono_ns() + NS_PER_MS));
    (void)pthread_mutex_unlock(&gate_lock);
    ck_assert(http_server_drain(server, clock_mono_ns() + PATIENCE_MS * NS_PER_MS));
    http_server_stop(server);
    server = NULL;
    ck_assert_contains(answer(fd), "through\n");
    (void)close(fd);
}
END_TEST

START_TEST(a_port_in_use_is_a_conflict_that_names_it)
{
    start((struct http_server_options){0});
    char text[32];
    (void)snprintf(text, sizeof text, "127.0.0.1:%u", http_server_port(server));
    const struct address_option taken = {.text = text, .host = "127.0.0.1", .port = http_server_port(server)};
    const struct http_server_options options = {.name = "second", .address = &taken, .handler = handle};
    struct http_server *second;
    ck_assert_int_eq(http_server_start(&options, &second, &err), ERR_CONFLICT);
    ck_assert_contains(err.message, text);
}
END_TEST

START_TEST(it_listens_on_ipv6)
{
    static const struct address_option six = {.text = "[::1]:0", .host = "::1"};
    start((struct http_server_options){.address = &six});
    struct sockaddr_in6 address = {.sin6_family = AF_INET6,
                                   .sin6_port = htons(http_server_port(server)),
                                   .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    put_text(fd, "GET /six HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert_contains(answer(fd), "GET /six 0\n");
    (void)close(fd);
}
END_TEST

START_TEST(without_a_host_both_families_are_served)
{
    static const struct address_option any = {.text = ":0", .host = ""};
    start((struct http_server_options){.address = &any});
    ck_assert_contains(ask("GET /four HTTP/1.1\r\nHost: x\r\n\r\n"), "GET /four 0\n");
}
END_TEST

static Suite *http_server_suite(void)
{
    Suite *suite = suite_create("http_server");
    TCase *tcase = tcase_create("http_server");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, one_connection_serves_many_requests);
    tcase_add_test(tcase, a_repeated_parameter_is_seen_each_time);
    tcase_add_test(tcase, escapes_are_decoded_but_for_nul);
    tcase_add_test(tcase, head_has_headers_only);
    tcase_add_test(tcase, a_body_over_the_limit_is_drained_and_refused);
    tcase_add_test(tcase, a_body_out_of_all_proportion_is_not_read);
    tcase_add_test(tcase, ambiguous_lengths_are_refused);
    tcase_add_test(tcase, bodies_in_flight_are_bounded);
    tcase_add_test(tcase, announced_bodies_keep_nobody_out);
    tcase_add_test(tcase, more_parameters_than_fit_are_refused);
    tcase_add_test(tcase, an_aborted_upload_gives_its_bytes_back);
    tcase_add_test(tcase, slow_requests_are_cut);
    tcase_add_test(tcase, a_stalled_body_is_cut);
    tcase_add_test(tcase, a_large_page_is_pulled_with_little_memory);
    tcase_add_test(tcase, a_reader_that_leaves_ends_the_pull);
    tcase_add_test(tcase, connections_are_bounded_and_the_idle_make_room);
    tcase_add_test(tcase, it_stops_under_load);
    tcase_add_test(tcase, a_request_under_way_is_answered_before_the_stop);
    tcase_add_test(tcase, a_port_in_use_is_a_conflict_that_names_it);
    tcase_add_test(tcase, it_listens_on_ipv6);
    tcase_add_test(tcase, without_a_host_both_families_are_served);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(http_server_suite)
