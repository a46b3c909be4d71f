#include "provisioner/prices/origin.h"

#include <strings.h>

#define MAX_HOST 255

static bool take(struct str *text, struct str front)
{
    if (!str_starts(*text, front))
        return false;
    text->ptr += front.len;
    text->len -= front.len;
    return true;
}

static bool is_host(struct str host)
{
    for (size_t i = 0; i < host.len; i++) {
        char byte = host.ptr[i];
        bool good = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                    (byte >= 'A' && byte <= 'Z') || byte == '.' || byte == '-' || byte == ':';
        if (!good)
            return false;
    }
    return host.len > 0 && host.len <= MAX_HOST;
}

static bool split_port(struct str authority, struct origin *origin)
{
    const char *colon = memchr(authority.ptr, ':', authority.len), *close = NULL;
    uint64_t port = origin->https ? 443 : 80;
    origin->host = authority;
    if (authority.ptr[0] == '[') {
        close = memchr(authority.ptr, ']', authority.len);
        if (!close)
            return false;
        origin->host = (struct str){authority.ptr + 1, (size_t)(close - authority.ptr - 1)};
        colon = close + 1 < authority.ptr + authority.len ? close + 1 : NULL;
    } else if (colon) {
        origin->host.len = (size_t)(colon - authority.ptr);
        if (memchr(colon + 1, ':', authority.len - origin->host.len - 1))
            return false;
    }
    if (colon) {
        struct str text = {colon + 1, authority.len - (size_t)(colon + 1 - authority.ptr)};
        if (*colon != ':' || !str_to_u64(text, &port) || port < 1 || port > 65535)
            return false;
    }
    origin->port = (unsigned)port;
    return is_host(origin->host);
}

bool origin_parse(struct str url, struct origin *ret_origin)
{
    struct origin origin = {0};
    origin.https = take(&url, STR("https://"));
    if (!origin.https && !take(&url, STR("http://")))
        return false;
    size_t length = 0;
    while (length < url.len && !strchr("/?#", url.ptr[length]))
        length++;
    origin.rest = (struct str){url.ptr + length, url.len - length};
    for (size_t i = 0; i < url.len; i++) {
        if ((unsigned char)url.ptr[i] <= ' ' || url.ptr[i] == 0x7f)
            return false;
    }
    if (length == 0 || !split_port((struct str){url.ptr, length}, &origin))
        return false;
    *ret_origin = origin;
    return true;
}

bool origin_same(const struct origin *a, const struct origin *b)
{
    return a->https == b->https && a->port == b->port && a->host.len == b->host.len &&
           strncasecmp(a->host.ptr, b->host.ptr, a->host.len) == 0;
}

static bool is_loopback(struct str host)
{
    bool numbers = true;
    for (size_t i = 0; i < host.len; i++)
        numbers = numbers && (host.ptr[i] == '.' || (host.ptr[i] >= '0' && host.ptr[i] <= '9'));
    return str_equal_text(host, "localhost") || str_equal_text(host, "::1") ||
           (numbers && str_starts(host, STR("127.")));
}

int origin_check_base(const char *url, struct error *err)
{
    struct origin origin;
    if (!origin_parse(str_from(url), &origin) || (origin.rest.len && !str_equal_text(origin.rest, "/")))
        return error_set(err, ERR_CONFIG, "it is not of the form https://HOST or https://HOST:PORT");
    if (!origin.https && !is_loopback(origin.host))
        return error_set(err, ERR_CONFIG, "without TLS it may lead to this machine's loopback only");
    return 0;
}
