#include "lib/core/clock.h"
#include "scrapers/probe/probe_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* The client's own deadline is a net below ours (probe_internal.h). */
#define CLIENT_SLACK_NS (1 * NS_PER_S)

#define REASON(name) (1U << PROBE_REASON_##name)

static bool is_https(const struct probe_config *config)
{
    return strncasecmp(config->http->url, "https:", 6) == 0;
}

static void prepare(struct probe *probe)
{
    const struct string_map *headers = &probe->config->http->headers;
    probe->headers = xcalloc(headers->count + 1, sizeof *probe->headers);
    for (size_t i = 0; i < headers->count; i++)
        probe->headers[i] = (struct http_header){headers->items[i].key, headers->items[i].value};
}

static void cleanup(struct probe *probe)
{
    free(TAKE(probe->headers));
}

/* libcurl's times are cumulative; phases are what lies between. 0: not reached. */
static void note_phases(struct probe_attempt *attempt, const struct http_response *response)
{
    const int64_t reached[PROBE_PHASES] = {
        [PROBE_PHASE_RESOLVE] = response->resolve_ns,
        [PROBE_PHASE_CONNECT] = response->connect_ns,
        [PROBE_PHASE_TLS] = response->tls_ns,
        [PROBE_PHASE_PROCESSING] = response->first_byte_ns,
        [PROBE_PHASE_TRANSFER] = response->first_byte_ns > 0 ? response->total_ns : 0,
    };
    int64_t before_ns = 0;
    for (size_t i = 0; i < PROBE_PHASES; i++) {
        if (reached[i] <= 0)
            continue;
        probe_attempt_phase(attempt, (enum probe_phase)i, reached[i] - before_ns);
        before_ns = reached[i];
    }
}

static enum probe_reason reason_of(const struct probe_attempt *attempt, const struct http_response *response,
                                   const struct error *err)
{
    if (err->code == ERR_TIMEOUT)
        return PROBE_REASON_TIMEOUT;
    if (err->code == ERR_LIMIT)
        return PROBE_REASON_BODY;
    if (response->first_byte_ns > 0)
        return PROBE_REASON_PROTOCOL;
    if (response->resolve_ns == 0 && response->connect_ns == 0)
        return PROBE_REASON_RESOLVE;
    /* libcurl has no connect time when the handshake failed: then the peer answered, or its address is known.
     */
    bool connected = response->connect_ns > 0 || err->code == ERR_PEER || err->code == ERR_CONFIG ||
                     (response->remote_address && *response->remote_address);
    if (is_https(attempt->probe->config) && response->tls_ns == 0 && connected)
        return PROBE_REASON_TLS;
    if (response->connect_ns == 0)
        return PROBE_REASON_CONNECT;
    return PROBE_REASON_PROTOCOL;
}

static bool status_expected(const struct int_list *expected, int status)
{
    if (expected->count == 0)
        return status >= 200 && status <= 299;
    for (size_t i = 0; i < expected->count; i++) {
        if (expected->items[i] == status)
            return true;
    }
    return false;
}

static const char *find_header(const struct http_response *response, const char *name)
{
    for (size_t i = 0; i < response->header_count; i++) {
        if (strcasecmp(response->headers[i].name, name) == 0)
            return response->headers[i].value;
    }
    return NULL;
}

static enum probe_reason check_header(const struct probe_http_expect *expect,
                                      const struct http_response *response, char *text, size_t size)
{
    for (size_t i = 0; i < expect->header.count; i++) {
        const struct string_pair *wanted = &expect->header.items[i];
        const char *value = find_header(response, wanted->key);
        if (value && strstr(value, wanted->value))
            continue;
        (void)snprintf(text, size, "the header %s %s", wanted->key,
                       value ? "is not as expected" : "is missing");
        return PROBE_REASON_HEADER;
    }
    return PROBE_REASONS;
}

static enum probe_reason check_certificate(const struct probe_tls_config *tls,
                                           const struct http_response *response, char *text, size_t size)
{
    if (tls->min_validity_ns == 0 || response->certificate_not_after_s == 0)
        return PROBE_REASONS;
    int64_t left_s = response->certificate_not_after_s - clock_wall_ns() / NS_PER_S;
    if (left_s >= tls->min_validity_ns / NS_PER_S)
        return PROBE_REASONS;
    (void)snprintf(text, size, "a certificate expires in %lld s", (long long)left_s);
    return PROBE_REASON_CERTIFICATE;
}

static enum probe_reason check_answer(const struct probe_http_config *config,
                                      const struct http_response *response, char *text, size_t size)
{
    enum probe_reason reason = check_certificate(&config->tls, response, text, size);
    if (reason != PROBE_REASONS)
        return reason;
    if (!status_expected(&config->expect.status, response->status)) {
        (void)snprintf(text, size, "HTTP status %d", response->status);
        return PROBE_REASON_STATUS;
    }
    reason = check_header(&config->expect, response, text, size);
    if (reason != PROBE_REASONS)
        return reason;
    const char *body = config->expect.body;
    if (body && !memmem(response->body.ptr, response->body.len, body, strlen(body))) {
        (void)snprintf(text, size, "the body does not contain the expected text");
        return PROBE_REASON_BODY;
    }
    return PROBE_REASONS;
}

static void on_done(void *ctx, const struct http_response *response, const struct error *err)
{
    struct probe_attempt *attempt = ctx;
    struct probe *probe = attempt->probe;
    attempt->http.call = NULL;
    if (attempt->state == ATTEMPT_RUNNING) {
        char text[ERROR_TEXT_MAX] = "";
        note_phases(attempt, response);
        if (err && err->code == ERR_CANCELLED) {
            probe_attempt_void(attempt, "the collector is stopping");
        } else if (err) {
            probe_attempt_verdict(attempt, reason_of(attempt, response, err), err->message);
        } else {
            attempt->seen.http_status = response->status;
            attempt->seen.certificate_not_after_s = response->certificate_not_after_s;
            if (response->status == 401 || response->status == 403)
                probe->secret_stale = true;
            enum probe_reason reason = check_answer(probe->config->http, response, text, sizeof text);
            probe_attempt_verdict(attempt, reason, text);
        }
    }
    probe_attempt_released(attempt);
}

static void start(struct probe_attempt *attempt)
{
    struct probe *probe = attempt->probe;
    const struct probe_http_config *config = probe->config->http;
    struct error err = {0};
    attempt->http.call = NULL;
    if (!probe_attempt_secret(attempt, config->bearer_token_file))
        return;
    const struct http_request request = {
        .method = config->method,
        .url = config->url,
        .headers = probe->headers,
        .header_count = config->headers.count,
        .body = str_from(config->body),
        .bearer_token = probe->secret,
        .tls = config->tls.peer,
        .deadline_mono_ns = attempt->times.deadline_ns + CLIENT_SLACK_NS,
        .max_body_bytes = config->max_body_bytes,
        .max_redirects = (unsigned)config->max_redirects,
        .fresh_connection = config->connection == PROBE_CONNECTION_NEW,
        .want_certificates = is_https(probe->config),
    };
    if (http_client_send(probe->set->env.http, &request, on_done, attempt, &attempt->http.call, &err) != 0) {
        probe_attempt_verdict(attempt, PROBE_REASON_PROTOCOL, err.message);
        probe_attempt_released(attempt);
    }
}

static void abort_attempt(struct probe_attempt *attempt)
{
    http_call_cancel(attempt->http.call); /* on_done() follows */
}

const struct probe_kind probe_http = {
    .reasons = REASON(TIMEOUT) | REASON(RESOLVE) | REASON(CONNECT) | REASON(TLS) | REASON(CERTIFICATE) |
               REASON(STATUS) | REASON(HEADER) | REASON(BODY) | REASON(AUTH) | REASON(PROTOCOL),
    .prepare = prepare,
    .cleanup = cleanup,
    .start = start,
    .abort = abort_attempt,
};
