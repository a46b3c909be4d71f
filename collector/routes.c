/* Which path is answered by what. */
#include "collector/collector_internal.h"

#include "lib/core/clock.h"
#include "lib/core/crypto.h"
#include "lib/core/secret.h"

#include <strings.h>

typedef void page_fn(struct collector *collector, struct http_exchange *exchange, struct http_reply *reply);

/* A loop that has not moved for this long makes /-/healthy fail: a supervisor may restart us. */
#define STUCK_NS (30 * NS_PER_S)

static void page_healthy(struct collector *collector, struct http_exchange *exchange,
                         struct http_reply *reply)
{
    (void)exchange;
    for (size_t i = 0; i < LOOP_COUNT; i++) {
        struct loop_stats stats;
        loop_stats(collector->loops[i], &stats);
        if (stats.lag_ns > STUCK_NS) {
            reply->status = 503;
            buf_printf(&reply->body, "the %s loop is stuck in %s\n", loop_name(collector->loops[i]),
                       stats.running ? stats.running : "an unknown callback");
            return;
        }
    }
    reply->status = 200;
    buf_append_text(&reply->body, "healthy\n");
}

static void page_ready(struct collector *collector, struct http_exchange *exchange, struct http_reply *reply)
{
    (void)exchange;
    bool ready = flag_get(&collector->ready) != 0;
    reply->status = ready ? 200 : 503;
    buf_append_text(&reply->body, ready ? "ready\n" : "starting or stopping\n");
}

static void write_diag(struct buf *out, const struct diag *diag)
{
    for (size_t i = 0; i < diag->count; i++) {
        char text[2048];
        error_format(&diag->items[i].error, text, sizeof text);
        buf_printf(out, "%s\n", text);
    }
}

static void page_reload(struct collector *collector, struct http_exchange *exchange, struct http_reply *reply)
{
    struct config *config = collector_config(collector);
    bool allowed = routes_may_write(collector, exchange, &config->all.collector.listen, reply);
    (void)config_unref(config);
    if (!allowed)
        return;
    struct diag diag;
    diag_init(&diag);
    int code = collector_reload(collector, &diag);
    reply->status = code ? 400 : 200;
    if (!code)
        buf_append_text(&reply->body, "reloaded\n");
    write_diag(&reply->body, &diag);
    diag_deinit(&diag);
}

bool routes_may_write(struct collector *collector, const struct http_exchange *exchange,
                      const struct address_option *listen, struct http_reply *reply)
{
    const char *authorization = http_header(exchange, "Authorization");
    bool allowed = false, has_token;
    (void)pthread_mutex_lock(&collector->config_lock);
    has_token = collector->token != NULL;
    if (has_token && authorization && strncasecmp(authorization, "Bearer ", 7) == 0)
        allowed = crypto_equal(str_from(authorization + 7), secret_reveal(collector->token));
    (void)pthread_mutex_unlock(&collector->config_lock);
    if (allowed || (!has_token && config_address_is_loopback(listen)))
        return true;
    reply->status = has_token ? 401 : 403;
    reply->authenticate = has_token ? "Bearer" : NULL;
    buf_append_text(&reply->body,
                    has_token ? "this endpoint needs the bearer token of collector.token_file\n"
                              : "this endpoint is closed off loopback until collector.token_file is set\n");
    return false;
}

static const struct route {
    const char *path, *method;
    page_fn *page;
    bool before_ready;
} routes[] = {
    {"/", "GET", page_landing, false},
    {"/metrics", "GET", page_metrics, false},
    {"/sd", "GET", page_discovery, false},
    {"/config", "GET", page_config, false},
    {"/-/healthy", "GET", page_healthy, true},
    {"/-/ready", "GET", page_ready, true},
    {"/-/reload", "POST", page_reload, false},
    {"/api/v1/status", "GET", page_status, false},
    {"/api/v1/slos", "GET", page_slos, false},
    {"/api/v1/incidents", "GET", page_incidents, false},
    {"/api/v1/traffic", "POST", page_traffic, false},
};

static const struct route *find_route(const char *path)
{
    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        if (strcmp(routes[i].path, path) == 0)
            return &routes[i];
    }
    return NULL;
}

static bool method_fits(const struct route *route, const char *method)
{
    return strcmp(method, route->method) == 0 ||
           (strcmp(route->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

void routes_handle(void *ctx, struct http_exchange *exchange, struct http_reply *reply)
{
    struct collector *collector = ctx;
    const struct route *route = find_route(http_path(exchange));
    if (!route) {
        reply->status = 404;
        buf_append_text(&reply->body,
                        "not found; try /, /metrics, /sd, /config, /api/v1/status, /api/v1/slos, "
                        "/api/v1/incidents, /-/healthy, /-/ready\n");
    } else if (!method_fits(route, http_method(exchange))) {
        reply->status = 405;
        reply->allow = strcmp(route->method, "GET") == 0 ? "GET, HEAD" : route->method;
        buf_printf(&reply->body, "%s takes %s\n", route->path, reply->allow);
    } else if (!route->before_ready && !flag_get(&collector->ready)) {
        reply->status = 503;
        reply->retry_after_s = 1;
        buf_append_text(&reply->body, "starting or stopping\n");
    } else {
        route->page(collector, exchange, reply);
    }
}
