#include "collector/http_server.h"

#include "collector/http_connections.h"
#include "lib/core/arena.h"
#include "lib/core/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

/* Half of a connection's memory is its read buffer, so a larger pool means fewer, larger pieces of a body and
 * of a streamed page. */
#define CONNECTION_MEMORY_BYTES (256U * 1024)
#define IDLE_TIMEOUT_S          30U
#define PULL_BLOCK_BYTES        (128U * 1024)
/* A connection that finds no place is asked for again only seconds later, so there is a place for many. */
#define LISTEN_BACKLOG 4096
/* Of a body, before any of it has come. */
#define EAGER_BYTES (8UL * 1024 * 1024)
/* libmicrohttpd 0.9.75 hangs or crashes (it answers with a response that it has no memory for) when what it
 * makes of a query does not fit into the connection's memory, some 70 bytes a parameter. */
#define MAX_PARAMETERS   1024
#define MAX_URI_BYTES    (64U * 1024)
#define REPLY_TIMEOUT_NS (120 * NS_PER_S)
/* When connections run short. */
#define CROWDED_WAIT_NS  (500 * NS_PER_MS)
#define CROWDED_REPLY_NS (10 * NS_PER_S)

struct http_server {
    struct http_server_options options;
    struct MHD_Daemon *daemon;
    struct http_connections *connections;
    int listen_fd; /* ours to close, since http_server_stop() quiesces */
    bool quiesced;
    uint16_t port;
    struct counter by_class[6], refused_body, refused_inflight, refused_slow, refused_crowded, received, sent;
    struct counter inflight; /* bytes of bodies held now */
};

struct http_exchange {
    struct http_server *server;
    struct MHD_Connection *connection;
    const char *method, *path;
    struct buf body;
    size_t reserved; /* counted in server->inflight */
    int64_t started_ns;
    int refusal; /* status to answer with once the upload has been drained, 0: none */
};

const char *http_method(const struct http_exchange *exchange)
{
    return exchange->method;
}

const char *http_path(const struct http_exchange *exchange)
{
    return exchange->path;
}

const char *http_header(const struct http_exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

const char *http_query(const struct http_exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->connection, MHD_GET_ARGUMENT_KIND, name);
}

struct query_walk {
    const char *name;
    void (*fn)(void *ctx, const char *value);
    void *ctx;
};

static enum MHD_Result visit_argument(void *cls, enum MHD_ValueKind kind, const char *key, const char *value)
{
    struct query_walk *walk = cls;
    (void)kind;
    if (strcmp(key, walk->name) == 0)
        walk->fn(walk->ctx, value ? value : "");
    return MHD_YES;
}

void http_query_each(const struct http_exchange *exchange, const char *name,
                     void (*fn)(void *ctx, const char *value), void *ctx)
{
    struct query_walk walk = {.name = name, .fn = fn, .ctx = ctx};
    (void)MHD_get_connection_values(exchange->connection, MHD_GET_ARGUMENT_KIND, visit_argument, &walk);
}

struct str http_body(const struct http_exchange *exchange)
{
    return buf_str(&exchange->body);
}

const struct sockaddr *http_peer(const struct http_exchange *exchange)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info ? info->client_addr : NULL;
}

/* --- replies
 * -------------------------------------------------------------------------------------------------- */

struct pull_state {
    struct http_server *server;
    http_pull_fn *pull;
    void *ctx;
    void (*free_ctx)(void *ctx);
};

static ssize_t read_pull(void *cls, uint64_t position, char *out, size_t max)
{
    struct pull_state *state = cls;
    (void)position;
    ssize_t got = state->pull(state->ctx, out, max);
    if (got > 0)
        counter_add(&state->server->sent, (uint64_t)got);
    return got > 0 ? got : got == 0 ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void free_pull(void *cls)
{
    struct pull_state *state = cls;
    if (state->free_ctx)
        state->free_ctx(state->ctx);
    free(state);
}

static struct MHD_Response *make_response(struct http_server *server, struct http_reply *reply)
{
    if (reply->pull) {
        struct pull_state *state = xcalloc(1, sizeof *state);
        *state = (struct pull_state){server, reply->pull, reply->pull_ctx, reply->pull_free};
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, PULL_BLOCK_BYTES, read_pull, state,
                                                 free_pull);
    }
    size_t length = reply->body.len;
    counter_add(&server->sent, length);
    return MHD_create_response_from_buffer(length, buf_take(&reply->body), MHD_RESPMEM_MUST_FREE);
}

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
    if (value)
        (void)MHD_add_response_header(response, name, value);
}

static void enter_phase(struct http_server *server, struct MHD_Connection *connection, enum http_phase phase)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    if (info && info->socket_context)
        http_connections_enter(server->connections, info->socket_context, phase, clock_mono_ns());
}

static enum MHD_Result send_reply(struct http_exchange *exchange, struct http_reply *reply)
{
    struct http_server *server = exchange->server;
    int status = reply->status ? reply->status : 500;
    counter_add(&server->by_class[status / 100 % 6], 1);
    struct MHD_Response *response = make_response(server, reply);
    buf_deinit(&reply->body);
    if (!response)
        return MHD_NO;
    add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->content_type);
    add_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, reply->content_encoding);
    add_header(response, MHD_HTTP_HEADER_VARY, reply->vary);
    add_header(response, MHD_HTTP_HEADER_ALLOW, reply->allow);
    add_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, reply->authenticate);
    add_header(response, "Content-Security-Policy", reply->security_policy);
    add_header(response, "X-Content-Type-Options", "nosniff");
    add_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (reply->retry_after_s > 0) {
        char seconds[16];
        (void)snprintf(seconds, sizeof seconds, "%d", reply->retry_after_s);
        add_header(response, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
    }
    buf_deinit(&reply->type_text);
    /* The library ends even a HEAD's chunked reply with the last chunk, which the next reply on the
     * connection would follow: so no chunks, and no next reply. */
    if (reply->pull && strcmp(exchange->method, MHD_HTTP_METHOD_HEAD) == 0)
        (void)MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
    enter_phase(server, exchange->connection, HTTP_SENDING);
    enum MHD_Result result = MHD_queue_response(exchange->connection, (unsigned)status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result refuse(struct http_exchange *exchange, int status)
{
    struct http_reply reply = {
        .status = status, .content_type = "text/plain; charset=utf-8", .body = BUF_INIT(4096)};
    if (status == 503) {
        reply.retry_after_s = 1;
        buf_append_text(&reply.body, "too many request bodies in flight, try again\n");
    } else if (status == 413) {
        buf_printf(&reply.body, "the body is larger than the limit of %zu bytes\n",
                   exchange->server->options.max_body_bytes);
    } else if (status == 414) {
        buf_printf(&reply.body, "the URI is longer than %u bytes or has more than %u parameters\n",
                   MAX_URI_BYTES, (unsigned)MAX_PARAMETERS);
    } else {
        buf_append_text(&reply.body, "malformed request: the length of its body is given twice, or in an "
                                     "unknown way\n");
    }
    if (exchange->server->options.present)
        exchange->server->options.present(exchange->server->options.ctx, exchange, &reply);
    return send_reply(exchange, &reply);
}

/* --- requests
 * ------------------------------------------------------------------------------------------------- */

static bool reserve_inflight(struct http_exchange *exchange, size_t bytes)
{
    struct http_server *server = exchange->server;
    if (bytes <= exchange->reserved)
        return true;
    size_t more = bytes - exchange->reserved;
    uint64_t before = counter_draw(&server->inflight, more);
    if (before + more > server->options.max_inflight_bytes) {
        counter_add(&server->inflight, (uint64_t)0 - more);
        return false;
    }
    exchange->reserved = bytes;
    return true;
}

struct framing {
    unsigned lengths, encodings;
};

static enum MHD_Result count_framing(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct framing *framing = cls;
    (void)kind;
    (void)value;
    framing->lengths += strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0;
    framing->encodings += strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0;
    return MHD_YES;
}

/* What two readers of one stream could take for different lengths (RFC 9112, 6.3 and 11.2): request
 * smuggling. The library reads on until the end of the connection for a coding that it does not know. */
static bool framing_is_ambiguous(const struct http_exchange *exchange)
{
    struct framing framing = {0};
    (void)MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, count_framing, &framing);
    const char *encoding = http_header(exchange, MHD_HTTP_HEADER_TRANSFER_ENCODING);
    return framing.lengths + framing.encodings > 1 || (encoding && strcasecmp(encoding, "chunked") != 0);
}

/* Its address stands for an exchange from on_request_line() to on_request(). */
static char uri_refused;

/* What the headers alone decide: 0, or the status of a refusal. */
static int judge_headers(struct http_exchange *exchange)
{
    struct http_server *server = exchange->server;
    if (framing_is_ambiguous(exchange))
        return 400;
    const char *length_text = http_header(exchange, MHD_HTTP_HEADER_CONTENT_LENGTH);
    uint64_t length = 0;
    if (length_text && !str_to_u64(str_from(length_text), &length))
        return 400;
    if (length > server->options.max_body_bytes) {
        counter_add(&server->refused_body, 1);
        return 413;
    }
    /* Room is taken as bytes come: what is only announced must not keep others out. */
    if (length && counter_get(&server->inflight) + length > server->options.max_inflight_bytes) {
        counter_add(&server->refused_inflight, 1);
        return 503;
    }
    if (length)
        (void)buf_reserve(&exchange->body, length < EAGER_BYTES ? (size_t)length : EAGER_BYTES);
    return 0;
}

/* A reply before the body is read ends in a reset, which many clients report instead of the reply. So a
 * refused body is read and thrown away, unless the client asked first or it is out of all proportion. */
static bool worth_draining(const struct http_exchange *exchange)
{
    const char *length_text = http_header(exchange, MHD_HTTP_HEADER_CONTENT_LENGTH);
    uint64_t length = 0;
    return exchange->refusal != 400 && exchange->refusal != 414 &&
           !http_header(exchange, MHD_HTTP_HEADER_EXPECT) && length_text &&
           str_to_u64(str_from(length_text), &length) &&
           length / 4 <= exchange->server->options.max_body_bytes;
}

static enum MHD_Result take_upload(struct http_exchange *exchange, const char *data, size_t *size)
{
    struct http_server *server = exchange->server;
    counter_add(&server->received, *size);
    if (clock_mono_ns() - exchange->started_ns > server->options.request_timeout_ns) {
        counter_add(&server->refused_slow, 1);
        return MHD_NO;
    }
    if (!exchange->refusal) {
        size_t total = exchange->body.len + *size;
        if (total > server->options.max_body_bytes) {
            counter_add(&server->refused_body, 1);
            exchange->refusal = 413;
        } else if (!reserve_inflight(exchange, total)) {
            counter_add(&server->refused_inflight, 1);
            exchange->refusal = 503;
        } else {
            buf_append(&exchange->body, data, *size);
        }
        if (exchange->refusal)
            buf_deinit(&exchange->body);
    }
    *size = 0;
    return MHD_YES;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload_data,
                                  size_t *upload_data_size, void **con_cls)
{
    struct http_server *server = cls;
    bool too_long = *con_cls == &uri_refused;
    struct http_exchange *exchange = too_long ? NULL : *con_cls;
    (void)version;
    if (!exchange) {
        exchange = xcalloc(1, sizeof *exchange);
        *exchange = (struct http_exchange){.server = server,
                                           .connection = connection,
                                           .method = method,
                                           .path = url,
                                           .body = BUF_INIT(server->options.max_body_bytes),
                                           .started_ns = clock_mono_ns()};
        *con_cls = exchange;
        enter_phase(server, connection, HTTP_BODY);
        exchange->refusal = too_long ? 414 : judge_headers(exchange);
        return exchange->refusal && !worth_draining(exchange) ? refuse(exchange, exchange->refusal) : MHD_YES;
    }
    if (*upload_data_size)
        return take_upload(exchange, upload_data, upload_data_size);
    if (exchange->refusal)
        return refuse(exchange, exchange->refusal);
    struct http_reply reply = {.content_type = "text/plain; charset=utf-8",
                               .type_text = BUF_INIT(256),
                               .body = BUF_INIT(SIZE_MAX / 2)};
    enter_phase(server, connection, HTTP_SENDING);
    server->options.handler(server->options.ctx, exchange, &reply);
    return send_reply(exchange, &reply);
}

/* Called once the request line is there; what it returns is where on_request() keeps the exchange. */
static void *on_request_line(void *cls, const char *uri, struct MHD_Connection *connection)
{
    enter_phase(cls, connection, HTTP_HEAD);
    size_t separators = 0;
    for (const char *at = uri; (at = strchr(at, '&')); at++)
        separators++;
    if (separators < MAX_PARAMETERS && strlen(uri) <= MAX_URI_BYTES)
        return NULL;
    char *query = (char *)(uintptr_t)strchr(uri, '?'); /* the connection's own memory, read on from here */
    if (query)
        query[1] = '\0';
    return &uri_refused;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Decodes in place. %00 stays as it is: decoded it would end the text, and "/metrics%00.html" be "/metrics".
 */
static size_t unescape(void *cls, struct MHD_Connection *connection, char *text)
{
    (void)cls;
    (void)connection;
    char *out = text;
    for (const char *in = text; *in;) {
        int high = in[0] == '%' ? hex_digit(in[1]) : -1, low = high < 0 ? -1 : hex_digit(in[2]);
        if (low >= 0 && (high || low)) {
            *out++ = (char)(high << 4 | low);
            in += 3;
        } else {
            *out++ = *in++;
        }
    }
    *out = '\0';
    return (size_t)(out - text);
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = cls;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (*socket_context)
            http_connections_close(server->connections, *socket_context);
        *socket_context = NULL;
        return;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info)
        *socket_context = http_connections_open(server->connections, info->connect_fd, clock_mono_ns());
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **con_cls,
                         enum MHD_RequestTerminationCode code)
{
    (void)code;
    enter_phase(cls, connection, HTTP_WAITING);
    struct http_exchange *exchange = *con_cls;
    if (!exchange || *con_cls == &uri_refused)
        return;
    counter_add(&exchange->server->inflight, (uint64_t)0 - exchange->reserved);
    buf_deinit(&exchange->body);
    free(exchange);
    *con_cls = NULL;
}

/* --- life
 * ----------------------------------------------------------------------------------------------------- */

static int try_listen(const struct addrinfo *info)
{
    int fd = socket(info->ai_family, info->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, info->ai_protocol);
    if (fd < 0)
        return -errno;
    int on = 1, off = 0;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (info->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, info->ai_addr, info->ai_addrlen) != 0 || listen(fd, LISTEN_BACKLOG) != 0) {
        int code = -errno;
        (void)close(fd);
        return code;
    }
    return fd;
}

/* A listening descriptor or a negative code. */
static int listen_on(const struct address_option *address, struct error *err)
{
    char port[8];
    (void)snprintf(port, sizeof port, "%u", address->port);
    const char *host = address->host && address->host[0] ? address->host : NULL;
    struct addrinfo hints = {.ai_family = host ? AF_UNSPEC : AF_INET6,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int code = getaddrinfo(host, port, &hints, &found);
    if (code != 0)
        return error_set(err, ERR_CONFIG, "cannot listen on %s: %s", address->text, gai_strerror(code));
    int fd = -EADDRNOTAVAIL;
    for (const struct addrinfo *info = found; info && fd < 0; info = info->ai_next)
        fd = try_listen(info);
    freeaddrinfo(found);
    if (fd == -EADDRINUSE) {
        (void)error_set(err, ERR_CONFLICT, "cannot listen on %s: the address is in use", address->text);
        error_set_hint(err, "another collector or another program listens there; `ss -ltnp` shows which");
        return ERR_CONFLICT;
    }
    if (fd < 0)
        return error_set_errno(err, -fd, "cannot listen on %s", address->text);
    return fd;
}

static uint16_t bound_port(int fd)
{
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;
    if (getsockname(fd, (struct sockaddr *)&bound, &size) != 0)
        return 0;
    return ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
                                             : ((struct sockaddr_in *)&bound)->sin_port);
}

static struct MHD_Daemon *start_daemon(struct http_server *server)
{
    const struct http_server_options *options = &server->options;
    unsigned threads = options->threads ? options->threads : 1;
    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO | MHD_USE_ITC, 0, NULL, NULL, on_request, server,
        MHD_OPTION_LISTEN_SOCKET, server->listen_fd, MHD_OPTION_THREAD_POOL_SIZE, threads,
        MHD_OPTION_CONNECTION_LIMIT, options->max_connections, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_TIMEOUT_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_NOTIFY_CONNECTION, on_connection,
        server, MHD_OPTION_URI_LOG_CALLBACK, on_request_line, server, MHD_OPTION_UNESCAPE_CALLBACK, unescape,
        NULL, MHD_OPTION_END);
}

static struct http_connections *make_connections(const struct http_server_options *options)
{
    const struct http_connections_limits limits = {
        .connections = options->max_connections,
        .phase_ns = {[HTTP_WAITING] = IDLE_TIMEOUT_S * NS_PER_S,
                     [HTTP_HEAD] = options->request_timeout_ns,
                     [HTTP_BODY] = options->request_timeout_ns,
                     [HTTP_SENDING] = REPLY_TIMEOUT_NS},
        .crowded_phase_ns = {[HTTP_WAITING] = CROWDED_WAIT_NS,
                             [HTTP_HEAD] = CROWDED_WAIT_NS,
                             [HTTP_BODY] = options->request_timeout_ns / 4,
                             [HTTP_SENDING] = CROWDED_REPLY_NS}};
    return http_connections_new(&limits);
}

int http_server_start(const struct http_server_options *options, struct http_server **ret_server,
                      struct error *err)
{
    int fd = listen_on(options->address, err);
    if (fd < 0)
        return fd;
    struct http_server *server = xcalloc(1, sizeof *server);
    server->options = *options;
    server->listen_fd = fd;
    server->port = bound_port(fd);
    server->connections = make_connections(options);
    server->daemon = start_daemon(server);
    if (!server->daemon) {
        (void)close(fd);
        http_connections_free(server->connections);
        free(server);
        return error_set(err, ERR_UNAVAILABLE, "cannot start the HTTP server on %s", options->address->text);
    }
    *ret_server = server;
    return 0;
}

void http_server_quiesce(struct http_server *server)
{
    if (!server || server->quiesced)
        return;
    server->quiesced = true;
    /* The library's threads may be about to accept from it: to close it, and so free its number, waits for
     * their end. */
    if (MHD_quiesce_daemon(server->daemon) >= 0)
        (void)shutdown(server->listen_fd, SHUT_RDWR);
}

void http_server_stop(struct http_server *server)
{
    if (!server)
        return;
    http_server_quiesce(server);
    MHD_stop_daemon(server->daemon);
    (void)close(server->listen_fd);
    http_connections_free(server->connections);
    free(server);
}

bool http_server_drain(struct http_server *server, int64_t deadline_mono_ns)
{
    return !server || http_connections_drain(server->connections, deadline_mono_ns);
}

void http_server_sweep(struct http_server *server)
{
    struct http_connections_cut cut = http_connections_sweep(server->connections, clock_mono_ns());
    counter_add(&server->refused_slow, cut.slow);
    counter_add(&server->refused_crowded, cut.crowded);
}

uint16_t http_server_port(const struct http_server *server)
{
    return server->port;
}

void http_server_stats(const struct http_server *server, struct http_server_stats *ret_stats)
{
    for (size_t i = 0; i < ARRAY_LEN(server->by_class); i++)
        ret_stats->requests_by_class[i] = counter_get(&server->by_class[i]);
    ret_stats->refused_body = counter_get(&server->refused_body);
    ret_stats->refused_inflight = counter_get(&server->refused_inflight);
    ret_stats->refused_slow = counter_get(&server->refused_slow);
    ret_stats->refused_crowded = counter_get(&server->refused_crowded);
    ret_stats->received_bytes = counter_get(&server->received);
    ret_stats->sent_bytes = counter_get(&server->sent);
    ret_stats->inflight_bytes = counter_get(&server->inflight);
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
    ret_stats->connections = info ? info->num_connections : 0;
}
