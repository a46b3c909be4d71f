#include "exporters/receiver_alertmanager.h"

#include "exporters/alert_codec.h"
#include "exporters/alertmanager_message.h"
#include "lib/core/clock.h"
#include "lib/core/log.h"

#include <stdlib.h>

#define API_PATH "/api/v2/alerts"

static char *api_url(const char *base_url)
{
    size_t len = strlen(base_url);
    while (len && base_url[len - 1] == '/')
        len--;
    struct buf url = BUF_INIT(SIZE_MAX / 2);
    buf_append(&url, base_url, len);
    buf_append_text(&url, API_PATH);
    return buf_take(&url);
}

struct am_member *am_member_new(struct receiver *receiver, const char *base_url)
{
    struct am_member *member = xcalloc(1, sizeof *member);
    member->receiver = receiver;
    member->url = api_url(base_url);
    return member;
}

void am_member_free(struct am_member *member)
{
    free(member->url);
    free(member);
}

bool am_member_serves(const struct am_member *member, const char *base_url)
{
    char *url = api_url(base_url);
    bool same = strcmp(url, member->url) == 0;
    free(url);
    return same;
}

int64_t am_member_due(const struct am_member *member)
{
    const struct am_state *state = member->receiver->state;
    if (member->call || member->retired || state->alerts.count == 0)
        return INT64_MAX;
    if (member->failures)
        return member->retry_mono_ns;
    return member->accepted_version < state->version ? 0 : member->repeat_mono_ns;
}

/* --- the answer */

static void finish(struct am_member *member, const struct delivery_outcome *outcome)
{
    struct receiver *receiver = member->receiver;
    struct delivery_decision decision;
    /* The member's failures, not a delivery's: those have their own ages. */
    delivery_decide(member->url, member->failures + 1, 0, 0, INT64_MAX, outcome, &decision);
    if (decision.verdict == DELIVERY_DONE) {
        if (member->failures)
            LOG_EVENT(LOG_INFO, "notify.member_back", LF_TEXT("receiver", receiver->name),
                      LF_TEXT("url", member->url), LF_I64("failures", member->failures));
        member->failures = 0;
        member->accepted_version = member->sent_version;
        if (!receiver->retired)
            member->repeat_mono_ns = clock_mono_ns() + receiver->settings.config->alertmanager->repeat_ns;
        am_accepted(receiver, member);
        return;
    }
    member->failures++;
    member->retry_mono_ns = clock_mono_ns() + decision.wait_ns;
    LOG_EVENT(LOG_WARN, "notify.failed", LF_TEXT("receiver", receiver->name), LF_TEXT("url", member->url),
              LF_I64("attempts", member->failures), LF_I64("retry_ms", decision.wait_ns / NS_PER_MS),
              LF_TEXT("error", decision.reason));
    am_refused(receiver, member, decision.reason, decision.wait_ns);
}

static void answered(void *ctx, const struct http_response *response, const struct error *err)
{
    struct am_member *member = ctx;
    struct receiver *receiver = member->receiver;
    struct notifier *notifier = receiver->notifier;
    member->call = NULL;
    receiver->calls--;
    if (!(err && err->code == ERR_CANCELLED)) {
        struct delivery_outcome outcome = receiver_outcome(response, err);
        finish(member, &outcome);
    }
    receiver->in_flight--;
    notifier_pump(notifier);
    notifier_reap(notifier);
}

/* --- the request */

static void write_set(struct am_member *member, struct buf *body)
{
    const struct am_state *state = member->receiver->state;
    const char *external_url = member->receiver->notifier->external_url;
    int64_t repeat_ns = member->receiver->settings.config->alertmanager->repeat_ns;
    int64_t now_wall_ns = clock_wall_ns();
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct json_writer json;
    json_init(&json, body);
    json_array_begin(&json);
    MAP_EACH (entry, &state->alerts) {
        const struct am_alert *held = entry->value;
        struct alert alert;
        arena_reset(arena);
        if (alert_codec_read(arena, (struct str){held->payload, held->payload_len}, &alert, NULL))
            continue; /* was readable when it was taken in */
        alert.state = held->state;
        alert.resolved_wall_ns = held->resolved_wall_ns;
        alertmanager_message_add(&json, arena, &alert, external_url, now_wall_ns, repeat_ns);
    }
    json_array_end(&json);
}

static int post(struct am_member *member, struct str body, struct error *err)
{
    const struct receiver *receiver = member->receiver;
    const struct notify_alertmanager *config = receiver->settings.config->alertmanager;
    const struct http_header headers[] = {{"Content-Type", "application/json"}};
    struct http_request request = {
        .method = "POST",
        .url = member->url,
        .headers = headers,
        .header_count = ARRAY_LEN(headers),
        .body = body,
        .bearer_token = receiver->settings.bearer_token,
        .basic_user = config->credentials.basic_user,
        .basic_password = receiver->settings.basic_password,
        .tls = config->tls,
        .deadline_mono_ns = clock_mono_ns() + config->timeout_ns,
        .max_body_bytes = RECEIVER_ANSWER_MAX_BYTES,
    };
    struct http_call *call;
    int rc = http_client_send(receiver->notifier->http, &request, answered, member, &call, err);
    if (rc)
        return rc;
    member->call = call;
    return 0;
}

void am_member_send(struct am_member *member)
{
    struct receiver *receiver = member->receiver;
    const struct am_state *state = receiver->state;
    struct buf body CLEANUP(buf_deinit) = BUF_INIT(ALERTMANAGER_BODY_MAX);
    write_set(member, &body);
    member->sent_version = state->version;
    struct error err = {0};
    int rc = body.failed
                 ? error_set(&err, ERR_LIMIT, "the alerts are more than %lu bytes", ALERTMANAGER_BODY_MAX)
                 : post(member, buf_str(&body), &err);
    if (rc) {
        struct delivery_outcome outcome = {.error = &err};
        finish(member, &outcome);
        return;
    }
    receiver->in_flight++;
    receiver->calls++;
}
