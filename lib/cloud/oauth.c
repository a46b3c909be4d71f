#include "lib/cloud/oauth.h"

#include "lib/core/clock.h"
#include "lib/net/percent.h"
#include "lib/net/retry.h"

#include <ctype.h>
#include <strings.h>

void oauth_form_begin(struct buf *form)
{
    buf_init(form, OAUTH_BODY_BYTES);
    (void)buf_reserve(form, OAUTH_BODY_BYTES);
}

void oauth_form_wipe(struct buf *form)
{
    if (form->data)
        explicit_bzero(form->data, form->cap);
    buf_deinit(form);
}

void oauth_form_add(struct buf *form, const char *name, struct str value)
{
    if (form->len)
        buf_append_byte(form, '&');
    buf_append_text(form, name);
    buf_append_byte(form, '=');
    percent_encode(form, value);
}

void oauth_tree_wipe(struct node *root)
{
    if (!root)
        return;
    if (root->scalar.len)
        explicit_bzero((void *)(uintptr_t)root->scalar.ptr, root->scalar.len);
    for (size_t i = 0; i < root->count; i++)
        oauth_tree_wipe(root->kind == NODE_MAPPING ? root->pairs[i].value : root->items[i]);
}

/* --- addresses --- */

/* What stands between "scheme://" and the next of / ? #. */
static struct str authority(const char *url, const char *scheme)
{
    size_t length = strlen(scheme);
    if (strncasecmp(url, scheme, length) != 0)
        return (struct str){NULL, 0};
    return (struct str){url + length, strcspn(url + length, "/?#")};
}

static bool is_ipv4_of(struct str host, unsigned first, int second)
{
    unsigned parts[4] = {0}, count = 0;
    for (size_t at = 0; count < 4; count++) {
        size_t end = at;
        uint64_t number;
        while (end < host.len && host.ptr[end] != '.')
            end++;
        if (!str_to_u64((struct str){host.ptr + at, end - at}, &number) || number > 255)
            return false;
        parts[count] = (unsigned)number;
        if (end == host.len)
            return count == 3 && parts[0] == first && (second < 0 || parts[1] == (unsigned)second);
        at = end + 1;
    }
    return false;
}

static bool allowed(const char *url, bool link_local)
{
    struct str https = authority(url, "https://"), host = authority(url, "http://");
    if (https.len)
        return !memchr(https.ptr, '@', https.len);
    if (!host.len || memchr(host.ptr, '@', host.len))
        return false;
    if (str_starts(host, STR("[::1]")))
        return host.len == 5 || host.ptr[5] == ':';
    const char *colon = memchr(host.ptr, ':', host.len);
    if (colon)
        host.len = (size_t)(colon - host.ptr);
    return str_equal(host, STR("localhost")) || is_ipv4_of(host, 127, -1) ||
           (link_local && is_ipv4_of(host, 169, 254));
}

bool oauth_url_is_private(const char *url)
{
    return allowed(url, false);
}

bool oauth_url_is_google(const char *url)
{
    static const char digits[] = "0123456789", domain[] = ".googleapis.com";
    struct str host = authority(url, "https://");
    if (!host.len)
        return allowed(url, false);
    const char *colon = memchr(host.ptr, ':', host.len);
    if (colon) {
        size_t port = host.len - (size_t)(colon + 1 - host.ptr);
        if (strspn(colon + 1, digits) < port)
            return false;
        host.len = (size_t)(colon - host.ptr);
    }
    for (size_t i = 0; i < host.len; i++) {
        if (!isalnum((unsigned char)host.ptr[i]) && host.ptr[i] != '-' && host.ptr[i] != '.')
            return false;
    }
    size_t end = sizeof domain - 1;
    return (host.len >= end && strncasecmp(host.ptr + host.len - end, domain, end) == 0) ||
           (host.len == end - 1 && strncasecmp(host.ptr, domain + 1, end - 1) == 0) ||
           str_equal(host, STR("localhost")) || is_ipv4_of(host, 127, -1);
}

bool oauth_url_is_local(const char *url)
{
    return allowed(url, true);
}

/* --- answers --- */

/* Words of a peer for a message: one line, no control characters, nothing that looks like a secret. */
static const char *one_line(struct arena *arena, struct str text)
{
    char masked[ERROR_TEXT_MAX];
    size_t length = 0;
    while (length < text.len && length < 220 && text.ptr[length] != '\r' && text.ptr[length] != '\n')
        length++;
    char *line = arena_strdup(arena, (struct str){text.ptr, length});
    for (char *at = line; *at; at++) {
        if ((unsigned char)*at < 32 || *at == 127)
            *at = ' ';
    }
    secret_mask_text(line, masked, sizeof masked);
    return str_is_utf8(str_from(masked)) ? arena_strdup(arena, str_from(masked)) : "";
}

static const char *words_of(struct arena *arena, const struct node *root)
{
    const struct node *error = node_member(root, "error");
    bool nested = error && error->kind == NODE_MAPPING;
    struct str code = nested ? node_text(error, "status") : node_text(root, "error");
    struct str text = nested ? node_text(error, "message") : node_text(root, "error_description");
    if (nested && !code.len)
        code = node_text(error, "code");
    if (!code.len && !text.len)
        return NULL;
    if (!code.len || !text.len)
        return one_line(arena, code.len ? code : text);
    return arena_printf(arena, "%s: %s", one_line(arena, code), one_line(arena, text));
}

int oauth_refusal(int status, struct str body, struct error *err)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct node *root = NULL;
    const char *words = NULL;
    int code = retry_status_passes(status)                                        ? ERR_UNAVAILABLE
               : status == 400 || status == 401 || status == 403 || status == 404 ? ERR_AUTH
                                                                                  : ERR_PEER;
    if (body.len <= OAUTH_BODY_BYTES && json_parse(arena, body, &root, NULL) == 0)
        words = words_of(arena, root);
    return words ? error_set(err, code, "answered %d: %s", status, words)
                 : error_set(err, code, "answered %d", status);
}

/* Seconds, as a number or as text, some with a fraction. */
static bool seconds(const struct node *root, const char *member, double max, int64_t *ret_s)
{
    struct str text = node_text(root, member);
    double number;
    if (!text.len || !str_to_double(text, &number) || !(number >= 0 && number <= max))
        return false;
    *ret_s = (int64_t)number;
    return true;
}

/* 0 when it says nothing of its end, -1 when it cannot be read. */
static int64_t expiry(const struct node *root, int64_t wall_ns)
{
    int64_t s;
    if (node_text(root, "expireTime").len) {
        int64_t wall_end_ns;
        return clock_parse_rfc3339(node_text(root, "expireTime"), &wall_end_ns) ? wall_end_ns : -1;
    }
    if (node_text(root, "expires_in").len)
        return seconds(root, "expires_in", 1e9, &s) ? wall_ns + s * NS_PER_S : -1;
    if (node_text(root, "expires_on").len)
        return seconds(root, "expires_on", 7e9, &s) ? s * NS_PER_S : -1;
    return 0;
}

/* A token goes into a header as it is: visible ASCII only. */
static bool is_token(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < 33 || text.ptr[i] > 126)
            return false;
    }
    return text.len > 0 && text.len <= SECRET_MAX_BYTES;
}

static int read_success(const struct node *root, const char *member, int64_t wall_ns,
                        struct oauth_answer *ret_answer, struct error *err)
{
    struct str token = node_text(root, member), type = node_text(root, "token_type");
    int64_t expires = expiry(root, wall_ns);
    if (!is_token(token))
        return error_set(err, ERR_PEER, "answered without a usable \"%s\"", member);
    if (type.len && !(type.len == 6 && strncasecmp(type.ptr, "bearer", 6) == 0))
        return error_set(err, ERR_PEER, "answered with a token that is not of the type Bearer");
    if (expires < 0)
        return error_set(err, ERR_PEER, "answered with an end of the token that cannot be read");
    if (expires && expires <= wall_ns)
        return error_set(err, ERR_PEER, "answered with a token that has ended already");
    *ret_answer = (struct oauth_answer){secret_new(token), expires};
    return 0;
}

int oauth_answer_read(int status, struct str body, const char *member, int64_t wall_ns,
                      struct oauth_answer *ret_answer, struct error *err)
{
    if (status != 200)
        return oauth_refusal(status, body, err);
    if (body.len > OAUTH_BODY_BYTES)
        return error_set(err, ERR_PEER, "answered with more than a token");
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct node *root = NULL;
    /* The parser's message may quote the answer. */
    if (json_parse(arena, body, &root, NULL) || root->kind != NODE_MAPPING) {
        oauth_tree_wipe(root);
        return error_set(err, ERR_PEER, "answered with something that is no JSON object");
    }
    int code = read_success(root, member, wall_ns, ret_answer, err);
    oauth_tree_wipe(root);
    return code;
}
