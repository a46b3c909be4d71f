#include "lib/core/secret.h"

#include <strings.h>

/* A bounded writer: what does not fit is dropped, the text stays terminated. */
struct sink {
    char *text;
    size_t size, used;
};

static void put(struct sink *sink, struct str s)
{
    for (size_t i = 0; i < s.len && sink->used + 1 < sink->size; i++)
        sink->text[sink->used++] = s.ptr[i];
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte of a leading %XX, -1 when there is none. */
static int escaped_byte(struct str s)
{
    if (s.len < 3 || s.ptr[0] != '%')
        return -1;
    int high = hex_digit(s.ptr[1]), low = hex_digit(s.ptr[2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* True when a keyword is or ends with "password", or, in the query of a URL, with another usual name of a
 * secret (access_token, api_key, X-Amz-Signature). In a URL it may be written with %-escapes, as libpq
 * decodes keywords too. A word too many hides a harmless value, one too few shows a key. */
static bool is_secret_key(struct str key, bool in_query)
{
    static const char *const names[] = {"password", "passwd", "pwd",  "token", "secret",     "key",
                                        "sig",      "auth",   "pass", "hmac",  "credential", "signature"};
    char decoded[64];
    size_t length = 0;
    for (size_t i = 0; i < key.len; i++) {
        if (length + 1 >= sizeof decoded)
            return false;
        int escaped = escaped_byte((struct str){key.ptr + i, key.len - i});
        decoded[length++] = escaped >= 0 ? (char)escaped : key.ptr[i];
        i += escaped >= 0 ? 2 : 0;
    }
    decoded[length] = '\0';
    if (strcasecmp(decoded, "sslkey") == 0)
        return false; /* libpq's name of a file */
    for (size_t i = 0; i < (in_query ? ARRAY_LEN(names) : 1); i++) {
        size_t name_length = strlen(names[i]);
        if (length >= name_length && strcasecmp(decoded + length - name_length, names[i]) == 0)
            return true;
    }
    return false;
}

/* End of the userinfo's password that starts at `start`, or `start` when the colon there belongs to a port.
 * `whole`: the text is nothing but the URL, so that spaces do not end it. */
static const char *password_end(const char *start, bool whole)
{
    const char *at = NULL, *p = start;
    bool authority = true, port = true;
    for (; *p && (whole || !is_space(*p)); p++) {
        if (*p == '/' || *p == '?' || *p == '#')
            authority = false;
        if (authority && !(*p >= '0' && *p <= '9') && *p != '@')
            port = false;
        /* Passwords with a raw / or @ are malformed, but people write them: what follows the colon is a port
         * when it is a number, and a password up to the last @ otherwise. */
        if (*p == '@' && (authority || !port))
            at = p;
        if (!authority && (*p == '?' || *p == '#') && at)
            break;
    }
    return at ? at : start;
}

/* Masks user:password@ of the URL whose authority starts at `authority`; returns where copying goes on. */
static const char *mask_userinfo(struct sink *sink, const char *authority, bool whole)
{
    const char *p = authority;
    while (*p && *p != ':' && *p != '@' && *p != '/' && *p != '?' && *p != '[' && !is_space(*p))
        p++;
    if (*p != ':')
        return authority;
    const char *end = password_end(p + 1, whole);
    if (end == p + 1)
        return authority;
    put(sink, (struct str){authority, (size_t)(p + 1 - authority)});
    put(sink, STR(SECRET_MASK));
    return end;
}

/* A conninfo value: quoted with backslash escapes, or up to the next blank. Words without "=" that follow an
 * unquoted one are taken for the rest of a password that should have been quoted, when the text is a conninfo
 * and nothing else. */
static const char *skip_value(const char *p, bool whole)
{
    if (*p == '\'') {
        for (p++; *p && *p != '\''; p++) {
            if (*p == '\\' && p[1])
                p++;
        }
        return *p ? p + 1 : p;
    }
    for (;;) {
        while (*p && !is_space(*p))
            p += *p == '\\' && p[1] ? 2 : 1;
        if (!whole)
            return p;
        const char *word = p;
        while (is_space(*word))
            word++;
        const char *end = word;
        while (is_word(*end))
            end++;
        while (is_space(*end))
            end++;
        if (!*word || *end == '=')
            return p;
        p = word;
    }
}

/* Masks the value of a keyword that ends just before the "=" at or after `p`; NULL when there is no "=". */
static const char *mask_value(struct sink *sink, const char *p, bool in_query, bool whole)
{
    const char *equals = p;
    while (!in_query && is_space(*equals))
        equals++;
    if (*equals != '=')
        return NULL;
    const char *value = equals + 1;
    while (!in_query && is_space(*value))
        value++;
    put(sink, (struct str){p, (size_t)(value - p)});
    const char *end = value;
    if (in_query) {
        while (*end && *end != '&' && *end != '#' && (whole || !is_space(*end)))
            end++;
    } else {
        end = skip_value(value, whole);
    }
    if (end != value)
        put(sink, STR(SECRET_MASK));
    return end;
}

static void mask(const char *text, bool whole, struct sink *sink)
{
    const char *p = text;
    bool url = false;
    while (*p) {
        if (strncmp(p, "://", 3) == 0 && p > text && is_word(p[-1])) {
            url = true;
            put(sink, (struct str){p, 3});
            p = mask_userinfo(sink, p + 3, whole && strchr(text, ':') == p);
            continue;
        }
        bool in_query = url && p > text && (p[-1] == '?' || p[-1] == '&');
        bool starts = p == text || !is_word(p[-1]);
        if (!starts || (!is_word(*p) && *p != '%')) {
            url = url && (whole || !is_space(*p));
            put(sink, (struct str){p++, 1});
            continue;
        }
        const char *end = p;
        while (is_word(*end) || (in_query && (*end == '%' || *end == '-' || *end == '.')))
            end++;
        struct str key = {p, (size_t)(end - p)};
        if (!key.len)
            key.len = 1;
        put(sink, key);
        p += key.len;
        const char *after = is_secret_key(key, in_query) ? mask_value(sink, p, in_query, whole) : NULL;
        if (after)
            p = after;
    }
}

void secret_mask_conninfo(const char *text, char *masked, size_t size)
{
    struct sink sink = {masked, size, 0};
    if (!size)
        return;
    mask(text, true, &sink);
    masked[sink.used] = '\0';
}

void secret_mask_text(const char *text, char *masked, size_t size)
{
    struct sink sink = {masked, size, 0};
    if (!size)
        return;
    mask(text, false, &sink);
    masked[sink.used] = '\0';
}
