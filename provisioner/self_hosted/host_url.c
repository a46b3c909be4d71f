#include "provisioner/self_hosted/host_url.h"

#include <arpa/inet.h>

static bool is_word(struct str text, const char *also)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && (!c || !strchr(also, c)))
            return false;
    }
    /* What starts with a dash would be an option to ssh. */
    return text.len > 0 && text.len <= 253 && text.ptr[0] != '-';
}

static int refuse(struct error *err, const char *text, const char *why)
{
    (void)error_set(err, ERR_CONFIG, "\"%.100s\" names no host: %s", text, why);
    error_set_hint(err, "Write local, or ssh://user@host:port");
    return ERR_CONFIG;
}

int host_url_parse(const char *text, struct arena *arena, struct host_url *ret, struct error *err)
{
    static const char scheme[] = "ssh://";
    *ret = (struct host_url){0};
    if (strcmp(text, "local") == 0)
        return 0;
    if (strncmp(text, scheme, sizeof scheme - 1) != 0)
        return refuse(err, text, "it is neither local nor an ssh:// URL");
    struct str host = str_from(text + sizeof scheme - 1);
    const char *at = memchr(host.ptr, '@', host.len);
    if (at) {
        struct str user = {host.ptr, (size_t)(at - host.ptr)};
        if (memchr(user.ptr, ':', user.len))
            return refuse(err, text, "a password cannot be given; keys and agents of ssh are used");
        if (!is_word(user, "._-"))
            return refuse(err, text, "the user's name has letters, digits, dots, dashes and underscores");
        ret->user = arena_strdup(arena, user);
        host = str_from(at + 1);
    }
    if (host.len && host.ptr[host.len - 1] == '/')
        host.len--;
    const char *colon = memchr(host.ptr, ':', host.len);
    if (colon) {
        uint64_t port;
        struct str digits = {colon + 1, host.len - (size_t)(colon + 1 - host.ptr)};
        if (!str_to_u64(digits, &port) || port < 1 || port > 65535)
            return refuse(err, text, "the port is a number from 1 to 65535");
        ret->port = (uint16_t)port;
        host.len = (size_t)(colon - host.ptr);
    }
    if (!is_word(host, ".-_"))
        return refuse(err, text, "the host is a name or an IPv4 address, with nothing after the port");
    ret->host = arena_strdup(arena, host);
    return 0;
}

bool host_url_is_numeric(const char *text)
{
    struct in_addr address;
    return inet_pton(AF_INET, text, &address) == 1;
}
