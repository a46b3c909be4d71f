/* POST /api/v1/traffic: the webhook of an incident (Standard Webhooks), which takes servers of HAProxy out.
 *
 * The signature says who may; on loopback too, since a page in somebody's browser reaches loopback as well.
 * Where collector.token_file is set, its bearer token is needed besides, as for everything that writes. */
#include "collector/collector_internal.h"

#include "failover/traffic_message.h"
#include "lib/core/clock.h"
#include "lib/core/log.h"

static void refuse(struct collector *collector, struct http_reply *reply, int status, const char *why)
{
    reply->status = status;
    buf_printf(&reply->body, "%s\n", why);
    traffic_count_refused(collector->traffic);
    LOG_EVENT(LOG_WARN, "traffic.refused", LF_I64("status", status), LF_TEXT("reason", why));
}

static bool has_token(struct collector *collector)
{
    (void)pthread_mutex_lock(&collector->config_lock);
    bool has = collector->token != NULL;
    (void)pthread_mutex_unlock(&collector->config_lock);
    return has;
}

static bool signature_fits(struct collector *collector, const struct http_exchange *exchange, const char *id,
                           int64_t timestamp_s, const char *signature)
{
    (void)pthread_mutex_lock(&collector->config_lock);
    bool fits = collector->traffic_keys &&
                webhook_verify(collector->traffic_keys, id, timestamp_s, http_body(exchange), signature);
    (void)pthread_mutex_unlock(&collector->config_lock);
    return fits;
}

/* The webhook's id; NULL with the reply filled. */
static const char *verified(struct collector *collector, const struct traffic_config *config,
                            struct http_exchange *exchange, struct http_reply *reply)
{
    const char *id = http_header(exchange, "webhook-id"), *time = http_header(exchange, "webhook-timestamp"),
               *signature = http_header(exchange, "webhook-signature");
    int64_t timestamp_s = 0;
    if (!id || !time || !signature)
        refuse(collector, reply, 401, "this endpoint needs webhook-id, webhook-timestamp, webhook-signature");
    else if (!traffic_identity_valid(id) || !str_to_i64(str_from(time), &timestamp_s))
        refuse(collector, reply, 401, "webhook-id or webhook-timestamp is malformed");
    else if (!signature_fits(collector, exchange, id, timestamp_s, signature))
        refuse(collector, reply, 401, "webhook-signature was not made with a secret of traffic.secret_file");
    else if (timestamp_s > INT64_MAX / NS_PER_S || timestamp_s < 0 ||
             clock_wall_ns() - timestamp_s * NS_PER_S > config->max_age_ns ||
             timestamp_s * NS_PER_S - clock_wall_ns() > config->max_age_ns)
        refuse(collector, reply, 401, "webhook-timestamp is further from this clock than traffic.max_age");
    else
        return id;
    return NULL;
}

static void receive(struct collector *collector, struct http_exchange *exchange, const char *id,
                    struct http_reply *reply)
{
    struct error err = {0};
    int code = traffic_receive(collector->traffic, id, http_body(exchange), &err);
    reply->status = code == 0 ? 200 : code == ERR_PARSE ? 400 : code == ERR_PEER ? 422 : 503;
    if (reply->status == 503)
        reply->retry_after_s = 1;
    if (code)
        LOG_EVENT(LOG_WARN, "traffic.refused", LF_TEXT("webhook_id", id), LF_ERROR(&err));
    buf_printf(&reply->body, "%s\n", code ? err.message : "taken");
}

void page_traffic(struct collector *collector, struct http_exchange *exchange, struct http_reply *reply)
{
    struct config *config = collector_config(collector);
    const struct config_file *all = &config->all;
    const char *id = NULL;
    if (!all->traffic) {
        reply->status = 404;
        buf_append_text(&reply->body, "there is no section traffic in the configuration\n");
    } else if (!has_token(collector) ||
               routes_may_write(collector, exchange, &all->collector.listen, reply)) {
        id = verified(collector, all->traffic, exchange, reply);
    }
    (void)config_unref(config);
    if (id)
        receive(collector, exchange, id, reply);
}
