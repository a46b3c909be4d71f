/* Headers, phases, certificates and errors of an answer (lib/net/http_internal.h). */
#include "lib/core/arena.h"
#include "lib/core/clock.h"
#include "lib/core/limits.h"
#include "lib/net/http_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

bool http_is_redirect(long status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

void http_reset_headers(struct http_call *call)
{
    buf_reset(&call->head);
    call->head_count = 0;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *ctx)
{
    struct http_call *call = ctx;
    struct str line = str_trim((struct str){bytes, size * count});
    if (str_starts(line, STR("HTTP/"))) { /* a new answer, e.g. after 100 Continue */
        http_reset_headers(call);
        return size * count;
    }
    const char *colon = line.len ? memchr(line.ptr, ':', line.len) : NULL;
    if (!colon || memchr(line.ptr, '\0', line.len))
        return size * count;
    struct str value = {colon + 1, line.len - (size_t)(colon + 1 - line.ptr)};
    buf_append(&call->head, line.ptr, (size_t)(colon - line.ptr));
    buf_append_byte(&call->head, '\0');
    buf_append_str(&call->head, str_trim(value));
    buf_append_byte(&call->head, '\0');
    if (call->head.failed) {
        (void)error_set(&call->failure, ERR_LIMIT,
                        "%s:%u: the headers of the answer are larger than %lu bytes", call->target.host,
                        call->target.port, LIMIT_HTTP_HEADER_BYTES);
        return 0;
    }
    call->head_count++;
    return size * count;
}

void http_capture_headers(struct http_call *call)
{
    (void)curl_easy_setopt(call->easy, CURLOPT_HEADERFUNCTION, on_header);
    (void)curl_easy_setopt(call->easy, CURLOPT_HEADERDATA, call);
}

const char *http_find_header(const struct http_call *call, const char *name)
{
    const char *at = call->head.data;
    for (size_t i = 0; i < call->head_count; i++) {
        const char *value = at + strlen(at) + 1;
        if (strcasecmp(at, name) == 0)
            return value;
        at = value + strlen(value) + 1;
    }
    return NULL;
}

static void list_headers(struct http_call *call, struct http_response *response)
{
    free(call->head_list);
    call->head_list = xcalloc(call->head_count + 1, sizeof *call->head_list);
    const char *at = call->head.data;
    for (size_t i = 0; i < call->head_count; i++) {
        const char *value = at + strlen(at) + 1;
        call->head_list[i] = (struct http_header){at, value};
        at = value + strlen(value) + 1;
    }
    response->headers = call->head_list;
    response->header_count = call->head_count;
}

int64_t http_parse_certificate_time(const char *text)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm parts = {0};
    const char *rest = strptime(text, "%b %d %H:%M:%S %Y", &parts);
    if (!rest || strcmp(rest, " GMT") != 0)
        return 0;
    /* strptime() knows the month by the locale; what OpenSSL prints is always English. */
    for (int month = 0; month < 12; month++)
        if (strncmp(text, months + (size_t)month * 3, 3) == 0)
            return parts.tm_mon == month ? (int64_t)timegm(&parts) : 0;
    return 0;
}

static int64_t earliest_expiry(CURL *easy)
{
    const struct curl_certinfo *chain = NULL;
    int64_t earliest = 0;
    if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &chain) != CURLE_OK || !chain)
        return 0;
    for (int i = 0; i < chain->num_of_certs; i++) {
        for (const struct curl_slist *item = chain->certinfo[i]; item; item = item->next) {
            if (strncmp(item->data, "Expire date:", 12) != 0)
                continue;
            int64_t expiry = http_parse_certificate_time(item->data + 12);
            if (expiry && (!earliest || expiry < earliest))
                earliest = expiry;
        }
    }
    return earliest;
}

/* libcurl counts from the start of the hop; a call counts from its own. */
static int64_t phase_ns(const struct http_call *call, CURLINFO info)
{
    curl_off_t us = 0;
    if (curl_easy_getinfo(call->easy, info, &us) != CURLE_OK || us <= 0)
        return 0;
    return call->hop_ns - call->start_ns + us * NS_PER_US;
}

static struct str header_value(const struct http_call *call, const char *name)
{
    const char *value = http_find_header(call, name);
    return value ? str_from(value) : (struct str){"", 0};
}

void http_fill_response(struct http_call *call, struct http_response *response)
{
    CURL *easy = call->easy;
    long status = 0, version = 0, connects = 0, header_bytes = 0;
    curl_off_t body_bytes = 0;
    char *address = NULL;
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);
    (void)curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects);
    (void)curl_easy_getinfo(easy, CURLINFO_HEADER_SIZE, &header_bytes);
    (void)curl_easy_getinfo(easy, CURLINFO_SIZE_DOWNLOAD_T, &body_bytes);
    (void)curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &address);
    *response = (struct http_response){
        .status = (int)status,
        .body = call->body.len ? buf_str(&call->body) : (struct str){"", 0},
        .content_type = header_value(call, "content-type"),
        .location = header_value(call, "location"),
        .retry_after = header_value(call, "retry-after"),
        .received_bytes = header_bytes + body_bytes,
        .resolve_ns = call->resolve_ns,
        .connect_ns = phase_ns(call, CURLINFO_CONNECT_TIME_T),
        .tls_ns = phase_ns(call, CURLINFO_APPCONNECT_TIME_T),
        .first_byte_ns = phase_ns(call, CURLINFO_STARTTRANSFER_TIME_T),
        .total_ns = clock_mono_ns() - call->start_ns,
        .certificate_not_after_s = call->want_certificates ? earliest_expiry(easy) : 0,
        .effective_url = call->url_text,
        .remote_address = address ? address : "",
        .reused_connection = status != 0 && connects == 0,
    };
    if (version == CURL_HTTP_VERSION_1_0)
        response->http_version = 10;
    else if (version == CURL_HTTP_VERSION_1_1)
        response->http_version = 11;
    else if (version == CURL_HTTP_VERSION_2_0)
        response->http_version = 20;
    list_headers(call, response);
}

void http_timeout_error(struct http_call *call, struct error *err)
{
    const char *phase = "reading the answer";
    if (call->lookup)
        phase = "resolving the name";
    else if (!phase_ns(call, CURLINFO_CONNECT_TIME_T))
        phase = "connecting";
    else if (call->target.https && !phase_ns(call, CURLINFO_APPCONNECT_TIME_T))
        phase = "the TLS handshake";
    else if (!phase_ns(call, CURLINFO_STARTTRANSFER_TIME_T))
        phase = "waiting for the answer";
    (void)error_set(err, ERR_TIMEOUT, "%s:%u: timed out after %lld ms while %s", call->target.host,
                    call->target.port, (long long)((clock_mono_ns() - call->start_ns) / NS_PER_MS), phase);
}

static int error_code_of(CURLcode code)
{
    static const struct {
        CURLcode curl;
        int ours;
    } table[] = {
        {CURLE_OPERATION_TIMEDOUT, ERR_TIMEOUT},
        {CURLE_PEER_FAILED_VERIFICATION, ERR_PEER},
        {CURLE_SSL_ISSUER_ERROR, ERR_PEER},
        {CURLE_WEIRD_SERVER_REPLY, ERR_PEER},
        {CURLE_UNSUPPORTED_PROTOCOL, ERR_PEER},
        {CURLE_BAD_CONTENT_ENCODING, ERR_PEER},
        {CURLE_HTTP2, ERR_PEER},
        {CURLE_SSL_CERTPROBLEM, ERR_CONFIG},
        {CURLE_SSL_CACERT_BADFILE, ERR_CONFIG},
        {CURLE_URL_MALFORMAT, ERR_CONFIG},
        {CURLE_OUT_OF_MEMORY, -ENOMEM},
        {CURLE_LOGIN_DENIED, ERR_AUTH},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (table[i].curl == code)
            return table[i].ours;
    return ERR_UNAVAILABLE; /* refused, reset, cut off ... */
}

int http_map_error(struct http_call *call, CURLcode code, struct error *err)
{
    if (call->failure.code) {
        *err = call->failure;
        return err->code;
    }
    if (code == CURLE_OPERATION_TIMEDOUT) {
        http_timeout_error(call, err);
        return err->code;
    }
    return error_set(err, error_code_of(code), "%s:%u: %s", call->target.host, call->target.port,
                     call->curl_error[0] ? call->curl_error : curl_easy_strerror(code));
}
