/* Scalars and lists of scalars: from text to member, with messages that say what was found and what is
 * allowed. */
#include "lib/core/option_internal.h"
#include "lib/core/secret.h"
#include "lib/core/units.h"

#include <arpa/inet.h>
#include <stdio.h>

static bool is_secret(const struct option *option)
{
    return option->secret || option->type == OPT_CONNINFO;
}

void option_refuse_kind(const struct option *option, const struct node *node, struct diag *diag)
{
    char text[OPTION_TEXT_MAX];
    (void)option_wanted(option, text);
    if (node_is_null(node)) {
        struct error *error = node_report(node, diag, DIAG_ERROR, "want %s, found nothing", text);
        if (!option->required)
            error_set_hint(error, "leave the key out for the default");
    } else if (node->kind == NODE_SCALAR && !is_secret(option)) {
        (void)node_report(node, diag, DIAG_ERROR, "want %s, found \"%.80s\"", text, node->scalar.ptr);
    } else {
        (void)node_report(node, diag, DIAG_ERROR, "want %s, found %s", text, node_kind_text(node));
    }
}

static void refuse_bounds(const struct option *option, const struct node *node, struct diag *diag)
{
    char bounds[OPTION_TEXT_MAX];
    (void)node_report(node, diag, DIAG_ERROR, "must be %s, found %.80s", option_bounds(option, bounds),
                      node->scalar.ptr);
}

/* NULL when the text is none of the choices; that is reported. */
static const struct option_enum *find_choice(const struct option *option, const struct node *node,
                                             struct diag *diag)
{
    const char *names[64];
    size_t count = 0;
    for (const struct option_enum *choice = option->choices; choice->name; choice++) {
        if (str_equal_text(node->scalar, choice->name))
            return choice;
        if (count < ARRAY_LEN(names))
            names[count++] = choice->name;
    }
    char text[OPTION_TEXT_MAX];
    struct error *error = node_report(node, diag, DIAG_ERROR, "want %s, found \"%.80s\"",
                                      option_wanted(option, text), node->scalar.ptr);
    const char *nearest = str_nearest(node->scalar.ptr, names, count);
    if (nearest)
        error_set_hint(error, "did you mean \"%s\"?", nearest);
    return NULL;
}

static void parse_enum(const struct option *option, const struct node *node, int *member, struct diag *diag)
{
    const struct option_enum *choice = find_choice(option, node, diag);
    if (choice)
        *member = choice->value;
}

static void parse_int(const struct option *option, const struct node *node, int64_t *member,
                      struct diag *diag)
{
    int64_t value;
    if (!str_to_i64(node->scalar, &value)) {
        option_refuse_kind(option, node, diag);
        return;
    }
    if (!option_in_bounds(option, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, value < 0)) {
        refuse_bounds(option, node, diag);
        return;
    }
    *member = value;
}

/* Durations, sizes and decimals: what units.h parses. */
static void parse_unit(const struct option *option, const struct node *node, void *member, struct diag *diag)
{
    struct error err;
    int64_t duration = 0;
    uint64_t value = 0;
    int code;
    if (option->type == OPT_DURATION) {
        code = units_parse_duration(node->scalar, &duration, &err);
        value = (uint64_t)duration;
    } else if (option->type == OPT_SIZE) {
        code = units_parse_size(node->scalar, &value, &err);
    } else {
        code = units_parse_decimal(node->scalar, option->scale, &value, &err);
    }
    if (code)
        (void)node_report(node, diag, DIAG_ERROR, "%s", err.message);
    else if (!option_in_bounds(option, value, false))
        refuse_bounds(option, node, diag);
    else if (option->type == OPT_DURATION)
        *(int64_t *)member = duration;
    else
        *(uint64_t *)member = value;
}

static int check_port(struct str text, struct str whole, uint16_t *ret_port, struct error *err)
{
    uint64_t port;
    if (!str_to_u64(text, &port) || port < 1 || port > 65535)
        return error_set(err, ERR_PARSE, "\"%.*s\" has no port from 1 to 65535 after its last colon",
                         STR_ARGS(whole));
    *ret_port = (uint16_t)port;
    return 0;
}

/* A name or an IPv4 address: letters, digits, hyphens, points, underscores. */
static bool is_host(struct str host)
{
    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && c != '-' && c != '.' && c != '_')
            return false;
    }
    return host.len < 254;
}

static bool is_ipv6(struct str host)
{
    char text[64];
    struct in6_addr address;
    const char *zone = host.len ? memchr(host.ptr, '%', host.len) : NULL;
    size_t length = zone ? (size_t)(zone - host.ptr) : host.len;
    if (length >= sizeof text || (zone && length + 1 == host.len))
        return false;
    memcpy(text, host.ptr, length);
    text[length] = '\0';
    return inet_pton(AF_INET6, text, &address) == 1;
}

int option_parse_address(struct str text, struct arena *arena, struct address_option *ret_address,
                         struct error *err)
{
    const char *colon = text.len ? memrchr(text.ptr, ':', text.len) : NULL;
    if (!colon)
        return error_set(err, ERR_PARSE, "\"%.*s\" is not an address: want host:port, [v6]:port or :port",
                         STR_ARGS(text));
    struct str host = {text.ptr, (size_t)(colon - text.ptr)};
    struct str number = {colon + 1, text.len - host.len - 1};
    struct address_option address = {0};
    int code = check_port(number, text, &address.port, err);
    if (code)
        return code;
    bool bracketed = host.len >= 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
    if (bracketed)
        host = (struct str){host.ptr + 1, host.len - 2};
    if (bracketed ? !is_ipv6(host) : !is_host(host)) {
        code = error_set(err, ERR_PARSE, "\"%.*s\" is not an address: want host:port, [v6]:port or :port",
                         STR_ARGS(text));
        if (!bracketed && memchr(host.ptr, ':', host.len))
            error_set_hint(err, "put an IPv6 address into brackets, as in [::1]:9480");
        return code;
    }
    address.text = arena_strdup(arena, text);
    address.host = arena_strdup(arena, host);
    *ret_address = address;
    return 0;
}

static void parse_address(const struct node *node, struct arena *arena, struct address_option *member,
                          struct diag *diag)
{
    struct error err;
    if (option_parse_address(node->scalar, arena, member, &err)) {
        struct error *error = node_report(node, diag, DIAG_ERROR, "%s", err.message);
        error_set_hint(error, "%s", err.hint);
    }
}

static int check_url(struct str url, struct error *err)
{
    char shown[OPTION_TEXT_MAX];
    secret_mask_conninfo(url.ptr, shown, sizeof shown);
    size_t scheme = str_starts(url, STR("http://")) ? 7 : str_starts(url, STR("https://")) ? 8 : 0;
    bool sound = scheme && url.len > scheme && !strchr("/?#:", url.ptr[scheme]);
    for (size_t i = 0; i < url.len && sound; i++)
        sound = (unsigned char)url.ptr[i] > ' ' && url.ptr[i] != 0x7F;
    if (!sound)
        return error_set(err, ERR_PARSE, "\"%s\" is not a URL: want http://host[:port]/path or https://...",
                         shown);
    return 0;
}

static void parse_text(const struct option *option, const struct node *node, struct arena *arena,
                       const char **member, struct diag *diag)
{
    struct error err = {0};
    bool path = option->type == OPT_PATH || option->type == OPT_SECRET_FILE || option->type == OPT_CONNINFO;
    if (!node->scalar.len && (path || option->not_empty)) {
        (void)node_report(node, diag, DIAG_ERROR, "must not be empty");
        return;
    }
    if (option->choices && !option->check && !find_choice(option, node, diag))
        return;
    int code = option->type == OPT_URL ? check_url(node->scalar, &err) : 0;
    if (!code && option->check)
        code = option->check(node->scalar.ptr, &err);
    if (code) {
        struct error *error = node_report(node, diag, DIAG_ERROR, "%s", err.message);
        error_set_detail(error, "%s", err.detail);
        error_set_hint(error, "%s", err.hint);
        return;
    }
    *member = arena_strdup(arena, node->scalar);
}

void option_parse_scalar(const struct option *option, const struct node *node, struct arena *arena,
                         void *member, struct diag *diag)
{
    if (node->kind != NODE_SCALAR || node_is_null(node)) {
        option_refuse_kind(option, node, diag);
        return;
    }
    switch ((int)option->type) {
    case OPT_BOOL:
        if (str_equal(node->scalar, STR("true")) || str_equal(node->scalar, STR("false")))
            *(bool *)member = node->scalar.ptr[0] == 't';
        else
            option_refuse_kind(option, node, diag);
        break;
    case OPT_INT:
        parse_int(option, node, member, diag);
        break;
    case OPT_DECIMAL:
    case OPT_DURATION:
    case OPT_SIZE:
        parse_unit(option, node, member, diag);
        break;
    case OPT_ENUM:
        parse_enum(option, node, member, diag);
        break;
    case OPT_ADDRESS:
        parse_address(node, arena, member, diag);
        break;
    default:
        parse_text(option, node, arena, member, diag);
    }
}

/* True when the node is a list that may be read; a key without a value is an empty one. */
static bool check_list(const struct option *option, const struct node *node, struct diag *diag)
{
    bool list = node->kind == NODE_SEQUENCE || node_is_null(node);
    if (!list) {
        option_refuse_kind(option, node, diag);
    } else if (option->not_empty && !node->count) {
        (void)node_report(node, diag, DIAG_ERROR, "must not be empty");
        return false;
    }
    return list && node->count;
}

void option_parse_string_list(const struct option *option, const struct node *node, struct arena *arena,
                              struct string_list *ret_list, struct diag *diag)
{
    if (!check_list(option, node, diag))
        return;
    struct option item = *option;
    item.type = OPT_STRING;
    ret_list->items = arena_zalloc(arena, node->count * sizeof *ret_list->items);
    ret_list->count = node->count;
    for (size_t i = 0; i < node->count; i++) {
        ret_list->items[i] = "";
        option_parse_scalar(&item, node->items[i], arena, &ret_list->items[i], diag);
    }
}

void option_parse_int_list(const struct option *option, const struct node *node, struct arena *arena,
                           struct int_list *ret_list, struct diag *diag)
{
    if (!check_list(option, node, diag))
        return;
    struct option item = *option;
    item.type = OPT_INT;
    ret_list->items = arena_zalloc(arena, node->count * sizeof *ret_list->items);
    ret_list->count = node->count;
    for (size_t i = 0; i < node->count; i++)
        option_parse_scalar(&item, node->items[i], arena, &ret_list->items[i], diag);
}
