/* OTLP/HTTP: hands request bodies to tracing. The gRPC port takes HTTP/1 POSTs too. */
#include "collector/collector_internal.h"

#include "tracing/otlp_answer.h"

#include <stdio.h>

static bool signal_of(const char *path, enum otlp_signal *ret_signal)
{
    static const struct {
        const char *path;
        enum otlp_signal signal;
    } paths[] = {{"/v1/traces", OTLP_TRACES},
                 {"/v1/metrics", OTLP_METRICS},
                 {"/v1/logs", OTLP_LOGS},
                 {"/", OTLP_SNIFF}};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        if (strcmp(paths[i].path, path) == 0) {
            *ret_signal = paths[i].signal;
            return true;
        }
    }
    return false;
}

static void receive(struct collector *collector, struct http_exchange *exchange, enum otlp_signal signal,
                    struct http_reply *reply)
{
    struct otlp_request request = {.signal = signal,
                                   .content_type = http_header(exchange, "Content-Type"),
                                   .content_encoding = http_header(exchange, "Content-Encoding"),
                                   .peer = http_peer(exchange),
                                   .body = http_body(exchange)};
    struct otlp_response response = {.body = BUF_INIT(1 << 20)};
    tracing_receive(collector->tracing, &request, &response);
    reply->status = response.http_status;
    reply->content_type = response.content_type;
    reply->retry_after_s = response.retry_after_s;
    reply->body = response.body;
}

static bool may_send(struct collector *collector, struct http_exchange *exchange, struct http_reply *reply)
{
    struct config *config = collector_config(collector);
    const struct address_option *listen = config->all.otlp ? tracing_config_http(config->all.otlp) : NULL;
    const struct address_option *grpc = config->all.otlp ? tracing_config_grpc(config->all.otlp) : NULL;
    /* One rule for both listeners: the stricter one decides. */
    const struct address_option *judged = listen && listen->text ? listen : grpc;
    if (grpc && grpc->text && !config_address_is_loopback(grpc))
        judged = grpc;
    bool allowed = judged && routes_may_write(collector, exchange, judged, reply);
    (void)config_unref(config);
    return allowed;
}

/* "The response body for all HTTP 4xx and HTTP 5xx responses MUST be a Protobuf-encoded Status message"
 * (OTLP/HTTP, Failures), or JSON for who sent JSON. Others, a person with curl among them, get text. */
void otlp_present(void *ctx, struct http_exchange *exchange, struct http_reply *reply)
{
    (void)ctx;
    char message[256];
    (void)snprintf(message, sizeof message, "%.*s", STR_ARGS(str_trim(buf_str(&reply->body))));
    buf_reset(&reply->body);
    reply->content_type = otlp_answer_type(http_header(exchange, "Content-Type"));
    otlp_answer_status(reply->content_type, reply->status, message, &reply->body);
}

void otlp_handle(void *ctx, struct http_exchange *exchange, struct http_reply *reply)
{
    struct collector *collector = ctx;
    enum otlp_signal signal;
    if (!signal_of(http_path(exchange), &signal)) {
        reply->status = 404;
        buf_append_text(&reply->body, "not found: send traces to /v1/traces\n");
    } else if (strcmp(http_method(exchange), "POST") != 0) {
        reply->status = 405;
        reply->allow = "POST";
        buf_append_text(&reply->body, "405 method not allowed, supported: [POST]\n");
    } else if (!flag_get(&collector->ready) || flag_get(&collector->memory_pressure)) {
        reply->status = 503;
        reply->retry_after_s = flag_get(&collector->ready) ? 5 : 1;
        buf_append_text(&reply->body, flag_get(&collector->ready) ? "near the memory limit, try again later\n"
                                                                  : "starting or stopping, try again\n");
    } else if (may_send(collector, exchange, reply)) {
        receive(collector, exchange, signal, reply);
        return;
    }
    otlp_present(collector, exchange, reply);
}
