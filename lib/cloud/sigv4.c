#include "lib/cloud/sigv4.h"

#include "lib/cloud/sigv4_internal.h"
#include "lib/core/crypto.h"
#include "lib/net/http_date.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#define TIME_BYTES    16 /* 20261126T042032Z */
#define DAY_BYTES     8
#define HEX_BYTES     (2 * CRYPTO_SHA256_BYTES)
#define OFFSET_MIN_NS (60 * NS_PER_S)
#define DATE_MAX_S    INT64_C(7258118400) /* the year 2200: later ones do not fit nanoseconds */

struct signing {
    char time[TIME_BYTES + 1];
    char scope[256];
    char *signed_headers;
    char canonical_hash[HEX_BYTES + 1];
};

static void to_hex(const unsigned char digest[CRYPTO_SHA256_BYTES], char text[HEX_BYTES + 1])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < CRYPTO_SHA256_BYTES; i++) {
        text[2 * i] = digits[digest[i] >> 4];
        text[2 * i + 1] = digits[digest[i] & 15];
    }
    text[HEX_BYTES] = '\0';
}

static void hash_text(struct str bytes, char text[HEX_BYTES + 1])
{
    unsigned char digest[CRYPTO_SHA256_BYTES];
    crypto_sha256(bytes, digest);
    to_hex(digest, text);
}

static const char *given(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++) {
        if (strcasecmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    }
    return NULL;
}

static int refuse_own_headers(const struct http_request *request, struct error *err)
{
    static const char *const own[] = {"Authorization", "X-Amz-Date", "X-Amz-Security-Token"};
    for (size_t i = 0; i < ARRAY_LEN(own); i++) {
        if (given(request, own[i]))
            return error_set(err, ERR_CONFIG, "the header %s is the signature's to write", own[i]);
    }
    return 0;
}

static void format_time(int64_t wall_ns, char text[TIME_BYTES + 1])
{
    struct tm tm = {0};
    time_t seconds = (time_t)(wall_ns / NS_PER_S);
    (void)gmtime_r(&seconds, &tm);
    if (strftime(text, TIME_BYTES + 1, "%Y%m%dT%H%M%SZ", &tm) != TIME_BYTES)
        text[0] = '\0'; /* the year 10000 */
}

/* HMAC(HMAC(HMAC(HMAC("AWS4" secret, day), region), service), "aws4_request"). */
static void derive(const struct sigv4_key *key, struct str day, unsigned char derived[CRYPTO_SHA256_BYTES])
{
    const struct str steps[] = {day, str_from(key->region), str_from(key->service), STR("aws4_request")};
    struct str secret = secret_reveal(key->secret);
    char *first = xmalloc(secret.len + 5);
    memcpy(first, "AWS4", 4);
    memcpy(first + 4, secret.ptr, secret.len);
    crypto_hmac_sha256((struct str){first, secret.len + 4}, steps[0], derived);
    explicit_bzero(first, secret.len + 5);
    free(first);
    for (size_t i = 1; i < ARRAY_LEN(steps); i++) {
        unsigned char next[CRYPTO_SHA256_BYTES];
        crypto_hmac_sha256((struct str){(const char *)derived, CRYPTO_SHA256_BYTES}, steps[i], next);
        memcpy(derived, next, sizeof next);
        explicit_bzero(next, sizeof next);
    }
}

static const char *authorization(const struct sigv4_key *key, const struct signing *signing,
                                 struct arena *arena)
{
    unsigned char derived[CRYPTO_SHA256_BYTES], mac[CRYPTO_SHA256_BYTES];
    char signature[HEX_BYTES + 1];
    const char *text = arena_printf(arena, "AWS4-HMAC-SHA256\n%s\n%s\n%s", signing->time, signing->scope,
                                    signing->canonical_hash);
    derive(key, (struct str){signing->time, DAY_BYTES}, derived);
    crypto_hmac_sha256((struct str){(const char *)derived, sizeof derived}, str_from(text), mac);
    explicit_bzero(derived, sizeof derived);
    to_hex(mac, signature);
    return arena_printf(arena, "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s",
                        key->access_key_id, signing->scope, signing->signed_headers, signature);
}

/* Adds what is signed besides the request's own headers; `headers` has room for four more. */
static size_t add_headers(const struct http_request *request, const struct sigv4_key *key,
                          const struct signing *signing, const char *hash, struct arena *arena,
                          struct http_header *headers)
{
    size_t count = request->header_count;
    if (count)
        memcpy(headers, request->headers, count * sizeof *headers);
    headers[count++] =
        (struct http_header){"X-Amz-Date", arena_strdup(arena, (struct str){signing->time, TIME_BYTES})};
    if (key->session)
        headers[count++] = (struct http_header){"X-Amz-Security-Token", secret_reveal(key->session).ptr};
    if (strcmp(key->service, "s3") == 0 && !given(request, "X-Amz-Content-Sha256"))
        headers[count++] = (struct http_header){"X-Amz-Content-Sha256", hash};
    return count;
}

int sigv4_sign(const struct http_request *request, const struct sigv4_key *key, int64_t wall_ns,
               struct arena *arena, const struct http_header **ret_headers, size_t *ret_count,
               struct error *err)
{
    struct signing signing;
    char *hash = arena_zalloc(arena, HEX_BYTES + 1);
    struct http_header *headers = arena_zalloc(arena, (request->header_count + 4) * sizeof *headers);
    int code = refuse_own_headers(request, err);
    if (code)
        return code;
    format_time(wall_ns, signing.time);
    (void)snprintf(signing.scope, sizeof signing.scope, "%.8s/%s/%s/aws4_request", signing.time, key->region,
                   key->service);
    hash_text(request->body, hash);
    size_t count = add_headers(request, key, &signing, hash, arena, headers);

    struct sigv4_canonical canonical = {
        .method = request->method ? request->method : "GET",
        .url = request->url,
        .headers = headers,
        .header_count = count,
        .body_hash = given(request, "X-Amz-Content-Sha256"),
        .as_it_is = strcmp(key->service, "s3") == 0,
    };
    if (!canonical.body_hash)
        canonical.body_hash = hash;
    struct buf text;
    buf_init(&text, SIGV4_CANONICAL_MAX);
    code = sigv4_canonical_text(&canonical, arena, &text, &signing.signed_headers, err);
    if (!code)
        hash_text(buf_str(&text), signing.canonical_hash);
    if (text.data)
        explicit_bzero(text.data, text.cap); /* it holds the session token */
    buf_deinit(&text);
    if (code)
        return code;
    headers[count++] = (struct http_header){"Authorization", authorization(key, &signing, arena)};
    *ret_headers = headers;
    *ret_count = count;
    return 0;
}

/* --- clocks -----------------------------------------------------------------------------------------------
 */

static bool blames_the_clock(const char *code, const char *message)
{
    if (strcmp(code, "RequestTimeTooSkewed") == 0 || strcmp(code, "RequestExpired") == 0 ||
        strcmp(code, "RequestInTheFuture") == 0)
        return true;
    bool signature =
        strcmp(code, "SignatureDoesNotMatch") == 0 || strcmp(code, "InvalidSignatureException") == 0;
    return signature && (strstr(message, "Signature expired") || strstr(message, "not yet current"));
}

bool sigv4_clock_offset(const char *code, const char *message, const char *date, int64_t wall_ns,
                        int64_t *ret_offset_ns)
{
    int64_t theirs_s;
    if (!code || !blames_the_clock(code, message ? message : "") || !date ||
        !http_date_parse(str_from(date), &theirs_s) || theirs_s > DATE_MAX_S)
        return false;
    int64_t offset = theirs_s * NS_PER_S - wall_ns;
    if (offset < OFFSET_MIN_NS && offset > -OFFSET_MIN_NS)
        return false;
    *ret_offset_ns = offset;
    return true;
}
