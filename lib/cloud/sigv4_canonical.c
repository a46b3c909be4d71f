/* A request as one text in which two ways to write the same thing are written alike. */
#include "lib/cloud/sigv4_internal.h"
#include "lib/net/percent.h"

#include <stdlib.h>
#include <strings.h>

#define PARTS_MAX 1024U

struct url_parts {
    struct str scheme, authority, path, query;
};

static int split_url(const char *url, struct url_parts *ret_parts, struct error *err)
{
    struct str rest = str_from(url);
    const char *colon = strstr(url, "://");
    if (!colon)
        return error_set(err, ERR_CONFIG, "a URL to be signed begins with http:// or https://");
    ret_parts->scheme = (struct str){url, (size_t)(colon - url)};
    rest = str_from(colon + 3);
    size_t fragment = strcspn(rest.ptr, "#");
    rest.len = fragment < rest.len ? fragment : rest.len;
    size_t host = strcspn(rest.ptr, "/?#");
    ret_parts->authority = (struct str){rest.ptr, host};
    if (!host || memchr(rest.ptr, '@', host))
        return error_set(err, ERR_CONFIG, "a URL to be signed names a host and no user");
    const char *question = memchr(rest.ptr, '?', rest.len);
    size_t path_end = question ? (size_t)(question - rest.ptr) : rest.len;
    ret_parts->path = (struct str){rest.ptr + host, path_end - host};
    ret_parts->query = question ? (struct str){question + 1, rest.len - path_end - 1} : STR("");
    return 0;
}

/* --- percent encoding
 * ------------------------------------------------------------------------------------------ */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decodes %XX and encodes again, so that %2d, - and %2D are one. A % without two digits is itself. */
static void put_recoded(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        if (byte == '%' && i + 2 < text.len && hex_value(text.ptr[i + 1]) >= 0 &&
            hex_value(text.ptr[i + 2]) >= 0) {
            byte = (unsigned char)(hex_value(text.ptr[i + 1]) * 16 + hex_value(text.ptr[i + 2]));
            i += 2;
        }
        percent_encode(out, (struct str){(const char *)&byte, 1});
    }
}

/* --- path ---------------------------------------------------------------------------------------------- */

/* RFC 3986 section 5.2.4, with empty segments dropped as AWS does; ends with a slash where the path did. */
static int put_path(struct buf *out, struct str path, struct error *err)
{
    struct str kept[PARTS_MAX];
    size_t count = 0;
    bool folder = true;
    for (size_t i = 0; i < path.len;) {
        size_t end = i;
        while (end < path.len && path.ptr[end] != '/')
            end++;
        struct str part = {path.ptr + i, end - i};
        folder = end < path.len || str_equal(part, STR(".")) || str_equal(part, STR("..")) || !part.len;
        i = end + 1;
        if (!part.len || str_equal(part, STR(".")))
            continue;
        if (str_equal(part, STR(".."))) {
            count -= count > 0;
            continue;
        }
        if (count == PARTS_MAX)
            return error_set(err, ERR_LIMIT, "a path of more than %u parts is not signed", PARTS_MAX);
        kept[count++] = part;
    }
    for (size_t i = 0; i < count; i++) {
        buf_append_byte(out, '/');
        percent_encode(out, kept[i]);
    }
    if (!count || folder)
        buf_append_byte(out, '/');
    return 0;
}

/* S3: encoded once, as it is in the URL. */
static void put_path_as_it_is(struct buf *out, struct str path)
{
    if (!path.len)
        buf_append_byte(out, '/');
    for (size_t i = 0; i < path.len; i++) {
        if (path.ptr[i] == '%' || path.ptr[i] == '/')
            buf_append_byte(out, path.ptr[i]);
        else
            percent_encode(out, (struct str){path.ptr + i, 1});
    }
}

/* --- query --------------------------------------------------------------------------------------------- */

struct pair {
    const char *name, *value;
};

static int by_name_and_value(const void *a, const void *b)
{
    const struct pair *left = a, *right = b;
    int order = strcmp(left->name, right->name);
    return order ? order : strcmp(left->value, right->value);
}

static const char *recoded(struct str text, struct arena *arena)
{
    struct buf out = BUF_INIT(3 * text.len + 1);
    put_recoded(&out, text);
    const char *copy = arena_strdup(arena, buf_str(&out));
    buf_deinit(&out);
    return copy;
}

static int put_query(struct buf *out, struct str query, struct arena *arena, struct error *err)
{
    size_t count = 0, most = 1;
    for (size_t i = 0; i < query.len; i++)
        most += query.ptr[i] == '&';
    if (most > PARTS_MAX)
        return error_set(err, ERR_LIMIT, "a query of more than %u parameters is not signed", PARTS_MAX);
    struct pair *pairs = arena_alloc(arena, most * sizeof *pairs);
    for (size_t i = 0; i < query.len;) {
        const char *amp = memchr(query.ptr + i, '&', query.len - i);
        struct str part = {query.ptr + i, amp ? (size_t)(amp - query.ptr) - i : query.len - i};
        i += part.len + 1;
        if (!part.len)
            continue;
        const char *equals = memchr(part.ptr, '=', part.len);
        struct str name = {part.ptr, equals ? (size_t)(equals - part.ptr) : part.len};
        struct str value = equals ? (struct str){equals + 1, part.len - name.len - 1} : STR("");
        pairs[count++] = (struct pair){recoded(name, arena), recoded(value, arena)};
    }
    if (count)
        qsort(pairs, count, sizeof *pairs, by_name_and_value);
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%s%s=%s", i ? "&" : "", pairs[i].name, pairs[i].value);
    return 0;
}

/* --- headers ------------------------------------------------------------------------------------------- */

struct header_line {
    const char *name, *value;
    size_t index; /* of several with one name, in the order they are sent */
};

static bool is_signed(const char *name)
{
    static const char *const unsigned_names[] = {"user-agent", "expect", "connection", "transfer-encoding",
                                                 "x-amzn-trace-id"};
    for (size_t i = 0; i < ARRAY_LEN(unsigned_names); i++) {
        if (strcasecmp(name, unsigned_names[i]) == 0)
            return false;
    }
    return true;
}

static char *lower(const char *text, struct arena *arena)
{
    char *copy = arena_strdup(arena, str_from(text));
    for (char *c = copy; *c; c++)
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
    return copy;
}

static int by_name(const void *a, const void *b)
{
    const struct header_line *left = a, *right = b;
    int order = strcmp(left->name, right->name);
    return order ? order : left->index < right->index ? -1 : left->index > right->index;
}

/* Blanks at the ends go, those within become one. */
static void put_folded(struct buf *out, const char *value)
{
    bool any = false, blank = false;
    for (; *value; value++) {
        if (strchr(" \t\r\n\v\f", *value)) {
            blank = any;
            continue;
        }
        if (blank)
            buf_append_byte(out, ' ');
        buf_append_byte(out, *value);
        any = true;
        blank = false;
    }
}

/* The Host header as it is sent: without the scheme's own port. */
static const char *host_of(const struct url_parts *parts, struct arena *arena)
{
    struct str host = parts->authority;
    struct str port = str_equal(parts->scheme, STR("https")) ? STR(":443") : STR(":80");
    if (str_ends(host, port))
        host.len -= port.len;
    return lower(arena_strdup(arena, host), arena);
}

static void put_headers(const struct sigv4_canonical *canonical, const struct url_parts *parts,
                        struct arena *arena, struct buf *out, struct buf *names)
{
    size_t count = 0;
    bool has_host = false;
    struct header_line *lines = arena_alloc(arena, (canonical->header_count + 1) * sizeof *lines);
    for (size_t i = 0; i < canonical->header_count; i++) {
        const struct http_header *header = &canonical->headers[i];
        if (!is_signed(header->name))
            continue;
        has_host = has_host || strcasecmp(header->name, "host") == 0;
        lines[count++] = (struct header_line){lower(header->name, arena), header->value, i};
    }
    if (!has_host)
        lines[count++] = (struct header_line){"host", host_of(parts, arena), 0};
    qsort(lines, count, sizeof *lines, by_name);
    for (size_t i = 0; i < count; i++) {
        bool again = i && strcmp(lines[i].name, lines[i - 1].name) == 0;
        if (again)
            buf_append_byte(out, ',');
        else
            buf_printf(out, "%s%s:", i ? "\n" : "", lines[i].name);
        put_folded(out, lines[i].value);
        if (!again)
            buf_printf(names, "%s%s", i ? ";" : "", lines[i].name);
    }
    buf_append_text(out, "\n\n");
}

int sigv4_canonical_text(const struct sigv4_canonical *canonical, struct arena *arena, struct buf *text,
                         char **ret_signed, struct error *err)
{
    struct url_parts parts = {0};
    struct buf names = BUF_INIT(SIGV4_CANONICAL_MAX);
    int code = split_url(canonical->url, &parts, err);
    if (code)
        return code;
    /* All the room at once, so that growing leaves no copies behind that nobody wipes. */
    (void)buf_reserve(text, SIGV4_CANONICAL_MAX);
    buf_printf(text, "%s\n", canonical->method);
    if (canonical->as_it_is)
        put_path_as_it_is(text, parts.path);
    else
        code = put_path(text, parts.path, err);
    buf_append_byte(text, '\n');
    if (!code)
        code = put_query(text, parts.query, arena, err);
    buf_append_byte(text, '\n');
    put_headers(canonical, &parts, arena, text, &names);
    buf_printf(text, "%s\n%s", buf_text(&names), canonical->body_hash);
    if (!code && (text->failed || names.failed))
        code = error_set(err, ERR_LIMIT, "a request with headers of more than %lu bytes is not signed",
                         SIGV4_CANONICAL_MAX);
    *ret_signed = arena_strdup(arena, buf_str(&names));
    buf_deinit(&names);
    return code;
}
