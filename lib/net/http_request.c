/* From a request to a libcurl easy handle (lib/net/http_internal.h). */
#include "lib/core/arena.h"
#include "lib/core/clock.h"
#include "lib/net/http_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define METHOD_MAX_BYTES  32
#define HEADER_MAX_BYTES  16384
#define READ_BUFFER_BYTES 65536L

static char *url_part(CURLU *url, CURLUPart part, unsigned flags)
{
    char *text = NULL;
    if (curl_url_get(url, part, &text, flags) != CURLUE_OK)
        return NULL;
    char *copy = xstrdup(text);
    curl_free(text);
    return copy;
}

static int read_target(CURLU *url, struct http_target *target, struct error *err)
{
    char *scheme = url_part(url, CURLUPART_SCHEME, 0);
    char *host = url_part(url, CURLUPART_HOST, CURLU_URLDECODE);
    char *port = url_part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    char *zone = url_part(url, CURLUPART_ZONEID, 0);
    char *user = url_part(url, CURLUPART_USER, 0);
    char *password = url_part(url, CURLUPART_PASSWORD, 0);
    uint64_t number = 0;
    int rc = 0;
    if (!scheme || (strcasecmp(scheme, "http") != 0 && strcasecmp(scheme, "https") != 0))
        rc = error_set(err, ERR_CONFIG, "only http and https URLs can be fetched");
    else if (user || password)
        rc = error_set(err, ERR_CONFIG, "the URL holds credentials; give them apart from it");
    else if (!host || !host[0] || !port || !str_to_u64(str_from(port), &number) || number < 1 ||
             number > 65535)
        rc = error_set(err, ERR_CONFIG, "the URL has no usable host and port");
    for (const char *c = host; rc == 0 && c && *c; c++)
        if ((unsigned char)*c >= 0x80)
            rc = error_set(err, ERR_CONFIG, "the host name must be written in ASCII (xn--...)");
    if (rc == 0) {
        struct str bare = str_from(host);
        if (bare.len > 2 && bare.ptr[0] == '[')
            bare = (struct str){bare.ptr + 1, bare.len - 2};
        char text[300];
        (void)snprintf(text, sizeof text, "%.*s%s%s", STR_ARGS(bare), zone ? "%" : "", zone ? zone : "");
        target->host = xstrdup(text);
        target->port = (uint16_t)number;
        target->https = strcasecmp(scheme, "https") == 0;
    }
    free(scheme);
    free(host);
    free(port);
    free(zone);
    free(user);
    free(password);
    return rc;
}

/* Takes over `url`, also when it fails. */
static int set_url(struct http_call *call, CURLU *url, struct error *err)
{
    struct http_target target = {0};
    int rc = read_target(url, &target, err);
    char *text = rc == 0 ? url_part(url, CURLUPART_URL, 0) : NULL;
    if (rc < 0 || !text) {
        curl_url_cleanup(url);
        free(target.host);
        return rc < 0 ? rc : error_set(err, ERR_CONFIG, "the URL cannot be read");
    }
    curl_url_cleanup(call->url);
    free(call->target.host);
    free(call->url_text);
    call->url = url;
    call->target = target;
    call->url_text = text;
    return 0;
}

int http_parse_url(struct http_call *call, const char *url, struct error *err)
{
    CURLU *parsed = curl_url();
    if (!parsed)
        return error_set(err, -ENOMEM, "cannot read the URL");
    CURLUcode code = curl_url_set(parsed, CURLUPART_URL, url, 0);
    if (code != CURLUE_OK) {
        curl_url_cleanup(parsed);
        return error_set(err, ERR_CONFIG, "the URL cannot be read: %s", curl_url_strerror(code));
    }
    return set_url(call, parsed, err);
}

static bool is_header_name(const char *name)
{
    /* token of RFC 9110 section 5.6.2 */
    return name[0] && name[strspn(name, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] == '\0';
}

static int add_header(struct http_call *call, const char *name, const char *value, struct error *err)
{
    if (!is_header_name(name))
        return error_set(err, ERR_CONFIG, "\"%.64s\" is not a header name", name);
    if (strpbrk(value, "\r\n"))
        return error_set(err, ERR_CONFIG, "the value of header %s has a line break", name);
    if (strlen(name) + strlen(value) > HEADER_MAX_BYTES)
        return error_set(err, ERR_CONFIG, "header %s is longer than %d bytes", name, HEADER_MAX_BYTES);
    char *line = xmalloc(strlen(name) + strlen(value) + 4);
    size_t size = strlen(name) + strlen(value) + 4;
    /* "Name;" is libcurl's way to send an empty value. */
    (void)snprintf(line, size, value[0] ? "%s: %s" : "%s;%s", name, value);
    struct curl_slist *longer = curl_slist_append(call->headers, line);
    explicit_bzero(line, size);
    free(line);
    if (!longer)
        return error_set(err, -ENOMEM, "cannot keep header %s", name);
    call->headers = longer;
    return 0;
}

/* Keeps libcurl from sending a header of its own. */
static void suppress_header(struct http_call *call, const char *line)
{
    struct curl_slist *longer = curl_slist_append(call->headers, line);
    if (longer)
        call->headers = longer;
}

static int set_headers(struct http_call *call, const struct http_request *request, struct error *err)
{
    bool has_content_type = false;
    for (size_t i = 0; i < request->header_count; i++) {
        int rc = add_header(call, request->headers[i].name, request->headers[i].value, err);
        if (rc < 0)
            return rc;
        has_content_type = has_content_type || strcasecmp(request->headers[i].name, "content-type") == 0;
    }
    suppress_header(call, "Expect:"); /* it would cost a second when the server does not know it */
    if (!has_content_type)
        suppress_header(call, "Content-Type:");
    if (!request->bearer_token)
        return 0;
    struct str token = secret_reveal(request->bearer_token);
    char *value = xmalloc(token.len + sizeof "Bearer ");
    (void)snprintf(value, token.len + sizeof "Bearer ", "Bearer %.*s", STR_ARGS(token));
    int rc = add_header(call, "Authorization", value, err);
    explicit_bzero(value, token.len);
    free(value);
    return rc;
}

static void free_list(struct curl_slist **list)
{
    for (struct curl_slist *item = *list; item; item = item->next)
        explicit_bzero(item->data, strlen(item->data)); /* may hold a credential */
    curl_slist_free_all(TAKE(*list));
}

static int set_method(struct http_call *call, const struct http_request *request, struct error *err)
{
    CURL *easy = call->easy;
    const char *method = request->method ? request->method : "GET";
    size_t len = strlen(method);
    if (len == 0 || len > METHOD_MAX_BYTES || method[strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-")] != '\0')
        return error_set(err, ERR_CONFIG, "\"%.32s\" is not an HTTP method", method);
    bool sends = request->body.len > 0 || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
                 strcmp(method, "PATCH") == 0;
    if (sends) {
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
        if (curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request->body.len ? request->body.ptr : "") !=
            CURLE_OK)
            return error_set(err, -ENOMEM, "cannot keep a body of %zu bytes", request->body.len);
    } else if (strcmp(method, "HEAD") == 0) {
        (void)curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return 0;
    }
    if (strcmp(method, sends ? "POST" : "GET") != 0)
        (void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
    return 0;
}

/* libcurl keeps a copy. */
static void set_pem(CURL *easy, CURLoption option, struct str pem)
{
    struct curl_blob blob = {.data = (void *)(uintptr_t)pem.ptr, .len = pem.len, .flags = CURL_BLOB_COPY};
    (void)curl_easy_setopt(easy, option, &blob);
}

static void set_certificates(CURL *easy, const struct http_tls_options *tls)
{
    if (tls->ca_pem)
        set_pem(easy, CURLOPT_CAINFO_BLOB, str_from(tls->ca_pem));
    else if (tls->ca_file)
        (void)curl_easy_setopt(easy, CURLOPT_CAINFO, tls->ca_file);
    if (tls->cert_pem)
        set_pem(easy, CURLOPT_SSLCERT_BLOB, str_from(tls->cert_pem));
    else if (tls->cert_file)
        (void)curl_easy_setopt(easy, CURLOPT_SSLCERT, tls->cert_file);
    if (tls->key_pem)
        set_pem(easy, CURLOPT_SSLKEY_BLOB, secret_reveal(tls->key_pem));
    else if (tls->key_file)
        (void)curl_easy_setopt(easy, CURLOPT_SSLKEY, tls->key_file);
}

static int set_tls(struct http_call *call, const struct http_tls_options *tls, struct error *err)
{
    CURL *easy = call->easy;
    (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, tls->insecure_skip_verify ? 0L : 1L);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, tls->insecure_skip_verify ? 0L : 2L);
    (void)curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    set_certificates(easy, tls);
    if (tls->server_name && tls->server_name[0]) {
        if (tls->server_name[strcspn(tls->server_name, "/:@ []")] != '\0')
            return error_set(err, ERR_CONFIG, "\"%.64s\" is not a server name", tls->server_name);
        call->server_name = xstrdup(tls->server_name);
    }
    return 0;
}

static void set_basics(struct http_call *call, const struct http_request *request)
{
    CURL *easy = call->easy;
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* also overrides http_proxy of the environment */
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->curl_error);
    (void)curl_easy_setopt(easy, CURLOPT_USERAGENT, call->client->user_agent);
    (void)curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, READ_BUFFER_BYTES);
    (void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 600L);
    (void)curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, http_client_close_socket);
    (void)curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, call->client);
    if (request->accept_gzip)
        (void)curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    if (request->fresh_connection || request->want_certificates)
        (void)curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    if (request->fresh_connection)
        (void)curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    if (request->want_certificates) { /* they are seen in a full handshake only */
        (void)curl_easy_setopt(easy, CURLOPT_CERTINFO, 1L);
        (void)curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    }
    call->no_body = request->no_body;
    call->want_certificates = request->want_certificates;
}

int http_setup(struct http_call *call, const struct http_request *request, struct error *err)
{
    if (request->deadline_mono_ns <= 0)
        return error_set(err, ERR_CONFIG, "a request needs a deadline");
    call->easy = curl_easy_init();
    if (!call->easy)
        return error_set(err, -ENOMEM, "cannot create a request");
    set_basics(call, request);
    int rc = http_parse_url(call, request->url, err);
    if (rc == 0)
        rc = set_method(call, request, err);
    if (rc == 0)
        rc = set_tls(call, &request->tls, err);
    if (rc == 0)
        rc = set_headers(call, request, err);
    if (rc == 0 && request->basic_user) {
        const char *password = request->basic_password ? secret_reveal(request->basic_password).ptr : "";
        (void)curl_easy_setopt(call->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        (void)curl_easy_setopt(call->easy, CURLOPT_USERNAME, request->basic_user);
        (void)curl_easy_setopt(call->easy, CURLOPT_PASSWORD, password);
    }
    return rc;
}

/* "+host:port:a,[b]": the addresses the lane has found, under the name that TLS and Host go on using. */
static void set_addresses(struct http_call *call)
{
    const struct resolver_answer *answer = &call->addresses;
    curl_slist_free_all(TAKE(call->resolve));
    if (strcmp(answer->addresses[0], call->target.host) != 0) {
        char line[300 + RESOLVER_MAX_ADDRESSES * (RESOLVER_ADDRESS_MAX + 3)];
        int used = snprintf(line, sizeof line, "+%s:%u", call->target.host, call->target.port);
        const char *separator = ":";
        for (size_t i = 0; i < answer->count; i++) {
            const char *address = answer->addresses[i];
            bool v6 = strchr(address, ':') != NULL;
            if (strchr(address, '%'))
                continue; /* libcurl takes no scope here */
            used += snprintf(line + used, sizeof line - (size_t)used, "%s%s%s%s", separator, v6 ? "[" : "",
                             address, v6 ? "]" : "");
            separator = ",";
        }
        call->resolve = curl_slist_append(NULL, line);
    }
    (void)curl_easy_setopt(call->easy, CURLOPT_RESOLVE, call->resolve);
}

/* A server name of its own: libcurl takes SNI and the name to verify from the URL, so the URL gets that name
 * and the connection goes to the real host; reuse is then bound to the real host as well. */
static int use_server_name(struct http_call *call, struct error *err)
{
    char connect_to[320], host[320];
    bool v6 = strchr(call->target.host, ':') != NULL;
    const char *left = v6 ? "[" : "", *right = v6 ? "]" : "";
    CURLU *url = curl_url_dup(call->url);
    char *text = url && curl_url_set(url, CURLUPART_HOST, call->server_name, 0) == CURLUE_OK
                     ? url_part(url, CURLUPART_URL, 0)
                     : NULL;
    curl_url_cleanup(url);
    if (!text)
        return error_set(err, ERR_CONFIG, "\"%s\" is not a server name", call->server_name);
    (void)curl_easy_setopt(call->easy, CURLOPT_URL, text);
    free(text);
    (void)snprintf(connect_to, sizeof connect_to, "::%s%s%s:%u", left, call->target.host, right,
                   call->target.port);
    call->connect_to = curl_slist_append(NULL, connect_to);
    (void)curl_easy_setopt(call->easy, CURLOPT_CONNECT_TO, call->connect_to);
    for (const struct curl_slist *item = call->headers; item; item = item->next)
        if (strncasecmp(item->data, "host:", 5) == 0)
            return 0;
    (void)snprintf(host, sizeof host, "%s%s%s:%u", left, call->target.host, right, call->target.port);
    return add_header(call, "Host", host, err);
}

int http_setup_hop(struct http_call *call, struct error *err)
{
    int rc = 0;
    int64_t left_ms = (call->deadline_ns - clock_mono_ns()) / NS_PER_MS;
    set_addresses(call);
    /* libcurl gives each of several addresses a share of this. */
    (void)curl_easy_setopt(call->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(left_ms > 0 ? left_ms + 1 : 1));
    (void)curl_easy_setopt(call->easy, CURLOPT_URL, call->url_text);
    (void)curl_easy_setopt(call->easy, CURLOPT_CONNECT_TO, NULL);
    curl_slist_free_all(TAKE(call->connect_to));
    if (call->server_name && call->target.https)
        rc = use_server_name(call, err);
    (void)curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers);
    return rc;
}

static bool is_one_of(const char *line, const char *const *names, size_t count)
{
    size_t len = strcspn(line, ":;");
    for (size_t i = 0; i < count; i++)
        if (strlen(names[i]) == len && strncasecmp(line, names[i], len) == 0)
            return true;
    return false;
}

static void drop_headers(struct http_call *call, const char *const *names, size_t count)
{
    struct curl_slist *kept = NULL;
    for (const struct curl_slist *item = call->headers; item; item = item->next)
        if (!is_one_of(item->data, names, count))
            kept = curl_slist_append(kept, item->data);
    free_list(&call->headers);
    call->headers = kept;
}

static void drop_credentials(struct http_call *call)
{
    static const char *const names[] = {"authorization", "cookie", "proxy-authorization", "host"};
    drop_headers(call, names, ARRAY_LEN(names));
    (void)curl_easy_setopt(call->easy, CURLOPT_USERNAME, NULL);
    (void)curl_easy_setopt(call->easy, CURLOPT_PASSWORD, NULL);
    (void)curl_easy_setopt(call->easy, CURLOPT_SSLCERT, NULL);
    (void)curl_easy_setopt(call->easy, CURLOPT_SSLCERT_BLOB, NULL);
    (void)curl_easy_setopt(call->easy, CURLOPT_SSLKEY_BLOB, NULL);
    (void)curl_easy_setopt(call->easy, CURLOPT_SSLKEY, NULL);
    free(TAKE(call->server_name));
}

static void become_get(struct http_call *call)
{
    static const char *const names[] = {"content-encoding", "content-language", "content-length",
                                        "transfer-encoding"};
    drop_headers(call, names, ARRAY_LEN(names));
    (void)curl_easy_setopt(call->easy, CURLOPT_HTTPGET, 1L);
    (void)curl_easy_setopt(call->easy, CURLOPT_CUSTOMREQUEST, NULL);
}

int http_setup_redirect(struct http_call *call, long status, const char *location, struct error *err)
{
    const char *method = NULL;
    (void)curl_easy_getinfo(call->easy, CURLINFO_EFFECTIVE_METHOD, &method);
    bool is_head = method && strcmp(method, "HEAD") == 0;
    bool is_post = method && strcmp(method, "POST") == 0;
    char *before = xstrdup(call->target.host);
    uint16_t port = call->target.port;
    bool https = call->target.https;
    CURLU *url = curl_url_dup(call->url);
    int rc;
    if (url && curl_url_set(url, CURLUPART_URL, location, CURLU_URLENCODE) == CURLUE_OK) {
        rc = set_url(call, url, err);
    } else {
        curl_url_cleanup(url);
        rc = error_set(err, ERR_PEER, "its target cannot be read");
    }
    if (rc < 0) {
        (void)error_prefix(err, "%s:%u: cannot follow the redirect", before, port);
        if (err)
            err->code = ERR_PEER;
        free(before);
        return ERR_PEER;
    }
    if (strcasecmp(before, call->target.host) != 0 || port != call->target.port ||
        https != call->target.https)
        drop_credentials(call);
    free(before);
    if (!is_head && (status == 303 || (is_post && (status == 301 || status == 302))))
        become_get(call);
    return 0;
}

void http_request_free(struct http_call *call)
{
    if (call->easy)
        curl_easy_cleanup(call->easy);
    curl_url_cleanup(call->url);
    free_list(&call->headers);
    curl_slist_free_all(call->resolve);
    curl_slist_free_all(call->connect_to);
    free(call->target.host);
    free(call->url_text);
    free(call->server_name);
    free(call->head_list);
    buf_deinit(&call->body);
    buf_deinit(&call->head);
}
