#include "examples/service/http.h"

#include "examples/service/answer.h"
#include "lib/core/clock.h"
#include "lib/core/json.h"
#include "lib/core/log.h"
#include "version.h"

#include <microhttpd.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define MAX_CONNECTIONS  512U
#define IDLE_TIMEOUT_S   60U
#define MAX_BODY_BYTES   (64UL * 1024)
#define MAX_ANSWER_BYTES (16UL << 20)
#define STOP_LOOK_NS     (5 * NS_PER_MS)

struct http {
    struct http_options options;
    struct MHD_Daemon *daemon;
    uint16_t port;
    struct flag stopping;
    struct counter begun, ended; /* requests */
};

struct request {
    struct buf body;
    bool too_large;
    int64_t start_ns;
    struct span span;
};

struct reply {
    int status;
    const char *type;
    struct buf body;
};

static void reply_json(struct reply *reply, int status, const char *status_word, const char *reason)
{
    struct json_writer json;
    reply->status = status;
    json_init(&json, &reply->body);
    json_object_begin(&json);
    json_kv_text(&json, "status", status_word);
    if (reason)
        json_kv_text(&json, "reason", reason);
    json_object_end(&json);
}

static void answer_readiness(struct http *http, struct reply *reply)
{
    struct error err = {0};
    if (flag_get(&http->stopping))
        reply_json(reply, 503, "not_ready", "the service is stopping");
    else if (store_ping(http->options.store, &err))
        reply_json(reply, 503, "not_ready", err.message);
    else
        reply_json(reply, 200, "ready", NULL);
}

static void answer_health(struct http *http, struct reply *reply)
{
    struct store_counts counts;
    struct error err = {0};
    struct json_writer json;
    bool connected = store_ping(http->options.store, &err) == 0;
    store_read_counts(http->options.store, &counts);
    reply->status = connected ? 200 : 503;
    json_init(&json, &reply->body);
    json_object_begin(&json);
    json_kv_text(&json, "status", connected ? "healthy" : "unhealthy");
    json_key(&json, "database");
    json_object_begin(&json);
    json_kv_bool(&json, "connected", connected);
    json_kv_text(&json, "database_type", "PostgreSQL");
    json_kv_u64(&json, "active_connections", counts.active);
    json_kv_u64(&json, "idle_connections", counts.idle);
    json_object_end(&json);
    json_kv_text(&json, "program", "fraiseql-example-service");
    json_kv_text(&json, "version", FRAISEQL_VERSION);
    json_object_end(&json);
}

static bool may_see_metrics(const struct http *http, struct MHD_Connection *connection)
{
    const char *given = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");
    const char *token = http->options.settings->metrics_token;
    if (!given || strncasecmp(given, "Bearer ", 7) != 0 || strlen(given + 7) != strlen(token))
        return false;
    unsigned char differs = 0; /* in time that does not tell where */
    for (size_t i = 0; token[i]; i++)
        differs |= (unsigned char)(given[7 + i] ^ token[i]);
    return differs == 0;
}

static void answer_metrics(struct http *http, struct MHD_Connection *connection, struct reply *reply)
{
    struct store_counts counts;
    if (!http->options.settings->metrics_token) {
        reply_json(reply, 404, "not_found", "FRAISEQL_METRICS_ENABLED is not true");
        return;
    }
    if (!may_see_metrics(http, connection)) {
        reply_json(reply, 401, "unauthorized", "want the bearer token of FRAISEQL_METRICS_TOKEN");
        return;
    }
    store_read_counts(http->options.store, &counts);
    stats_write(http->options.stats, &counts, &reply->body);
    reply->type = "text/plain; version=0.0.4; charset=utf-8";
}

static bool is_json(struct MHD_Connection *connection)
{
    const char *type = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Type");
    return type && strncasecmp(type, "application/json", 16) == 0 &&
           (type[16] == '\0' || strchr("; ", type[16]));
}

static void answer_query(struct http *http, struct MHD_Connection *connection, struct request *request,
                         struct reply *reply)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = NULL;
    struct answer answer = {0};
    if (request->too_large) {
        reply_json(reply, 413, "refused", "the body is larger than 64 KiB");
        return;
    }
    if (!is_json(connection)) {
        reply_json(reply, 415, "refused", "want Content-Type: application/json");
        return;
    }
    arena = arena_new(0);
    answer_graphql(http->options.store, arena, buf_str(&request->body), &reply->body, &answer);
    reply->status = answer.status;
    stats_count_query(http->options.stats, answer.failed);
    request->span.status = answer.status;
    request->span.failed = answer.failed;
    request->span.duration_ns = clock_mono_ns() - request->start_ns;
    (void)snprintf(request->span.name, sizeof request->span.name, "%s", answer.name);
    span_send(http->options.spans, &request->span);
}

static void route(struct http *http, struct MHD_Connection *connection, const char *path, const char *method,
                  struct request *request, struct reply *reply)
{
    bool get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    bool graphql = strcmp(path, "/graphql") == 0, health = strcmp(path, "/health") == 0;
    bool readiness = strcmp(path, "/readiness") == 0, metrics = strcmp(path, "/metrics") == 0;
    if (!graphql && !health && !readiness && !metrics)
        reply_json(reply, 404, "not_found", "there are /graphql, /health, /readiness and /metrics");
    else if (graphql ? strcmp(method, "POST") != 0 : !get)
        reply_json(reply, 405, "refused", graphql ? "want POST" : "want GET");
    else if (graphql)
        answer_query(http, connection, request, reply);
    else if (health)
        answer_health(http, reply);
    else if (readiness)
        answer_readiness(http, reply);
    else
        answer_metrics(http, connection, reply);
}

static enum MHD_Result send_reply(struct http *http, struct MHD_Connection *connection, struct reply *reply)
{
    size_t len = reply->body.len;
    char *body = buf_take(&reply->body);
    struct MHD_Response *response = MHD_create_response_from_buffer(len, body, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        free(body);
        return MHD_NO;
    }
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->type);
    if (flag_get(&http->stopping))
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result begin(struct http *http, struct MHD_Connection *connection, void **con_cls)
{
    struct request *request = xcalloc(1, sizeof *request);
    buf_init(&request->body, MAX_BODY_BYTES);
    counter_add(&http->begun, 1);
    request->start_ns = clock_mono_ns();
    span_start(&request->span, MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "traceparent"),
               clock_wall_ns());
    *con_cls = request;
    return MHD_YES;
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **con_cls)
{
    struct http *http = cls;
    struct request *request = *con_cls;
    (void)version;
    if (!request)
        return begin(http, connection, con_cls);
    if (*upload_size > 0) {
        if (!request->too_large)
            buf_append(&request->body, upload, *upload_size);
        request->too_large = request->body.failed;
        *upload_size = 0;
        return MHD_YES;
    }
    struct reply reply = {.status = 200, .type = "application/json", .body = BUF_INIT(MAX_ANSWER_BYTES)};
    route(http, connection, path, method, request, &reply);
    stats_count_request(http->options.stats, reply.status, clock_mono_ns() - request->start_ns);
    return send_reply(http, connection, &reply);
}

static void completed(void *cls, struct MHD_Connection *connection, void **con_cls,
                      enum MHD_RequestTerminationCode code)
{
    struct http *http = cls;
    struct request *request = *con_cls;
    (void)connection;
    (void)code;
    if (!request)
        return;
    buf_deinit(&request->body);
    free(request);
    *con_cls = NULL;
    counter_add(&http->ended, 1);
}

static int start_daemon(struct http *http, const struct sockaddr *address, struct error *err)
{
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_THREAD_PER_CONNECTION |
                     (address->sa_family == AF_INET6 ? MHD_USE_IPv6 : 0U) | MHD_USE_ITC;
    http->daemon = MHD_start_daemon(
        flags, http->port, NULL, NULL, handle, http, MHD_OPTION_SOCK_ADDR, address,
        MHD_OPTION_CONNECTION_LIMIT, MAX_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_TIMEOUT_S,
        MHD_OPTION_NOTIFY_COMPLETED, completed, http, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1U, MHD_OPTION_END);
    if (!http->daemon)
        return error_set(err, ERR_UNAVAILABLE, "cannot listen on %s:%u", http->options.settings->address,
                         http->port);
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_BIND_PORT);
    http->port = info ? info->port : http->port;
    return 0;
}

int http_start(const struct http_options *options, struct http **ret, struct error *err)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char port[8];
    (void)snprintf(port, sizeof port, "%u", options->settings->port);
    if (getaddrinfo(options->settings->address, port, &hints, &found) != 0)
        return error_set(err, ERR_CONFIG, "FRAISEQL_BIND_ADDR: \"%.60s\" is no numeric address",
                         options->settings->address);
    struct http *http = xcalloc(1, sizeof *http);
    http->options = *options;
    http->port = options->settings->port;
    int code = start_daemon(http, found->ai_addr, err);
    freeaddrinfo(found);
    if (code)
        free(http);
    else
        *ret = http;
    return code;
}

uint16_t http_port(const struct http *http)
{
    return http->port;
}

void http_stop(struct http *http, int64_t timeout_ns)
{
    const int64_t end_ns = clock_mono_ns() + timeout_ns;
    flag_set(&http->stopping, 1);
    MHD_socket listener = MHD_quiesce_daemon(http->daemon);
    if (listener != MHD_INVALID_SOCKET)
        (void)close(listener);
    while (counter_get(&http->begun) != counter_get(&http->ended) && clock_mono_ns() < end_ns)
        clock_sleep_ns(STOP_LOOK_NS);
    MHD_stop_daemon(http->daemon);
    free(http);
}
