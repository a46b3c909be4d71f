#include "tracing/source_map.h"

#include "lib/core/arena.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

static bool holds(const struct source_prefix *prefix, const uint8_t address[16])
{
    unsigned whole = prefix->bits / 8, rest = prefix->bits % 8;
    if (memcmp(prefix->address, address, whole) != 0)
        return false;
    return rest == 0 || ((prefix->address[whole] ^ address[whole]) >> (8 - rest)) == 0;
}

static bool parse_address(const char *text, uint8_t address[16], unsigned *ret_width)
{
    if (inet_pton(AF_INET6, text, address) == 1) {
        *ret_width = 128;
        return true;
    }
    memcpy(address, mapped, sizeof mapped);
    *ret_width = 32;
    return inet_pton(AF_INET, text, address + 12) == 1;
}

int source_prefix_parse(const char *text, struct source_prefix *ret_prefix, struct error *err)
{
    struct source_prefix prefix = {0};
    const char *slash = strchr(text, '/');
    char address[INET6_ADDRSTRLEN];
    size_t len = slash ? (size_t)(slash - text) : strlen(text);
    unsigned width = 0;
    if (len >= sizeof address)
        return error_set(err, ERR_CONFIG, "not an address or prefix: \"%.60s\"", text);
    memcpy(address, text, len);
    address[len] = '\0';
    if (!parse_address(address, prefix.address, &width)) {
        (void)error_set(err, ERR_CONFIG, "not an address or prefix: \"%.60s\"", text);
        error_set_hint(err, "write an address or prefix such as 10.1.0.0/16 or 2001:db8::/32");
        return ERR_CONFIG;
    }
    uint64_t bits = width;
    if (slash && (!str_to_u64(str_from(slash + 1), &bits) || bits > width))
        return error_set(err, ERR_CONFIG, "the prefix length of \"%.60s\" is not a number from 0 to %u", text,
                         width);
    prefix.bits = (unsigned)bits + (128 - width);
    for (unsigned bit = prefix.bits; bit < 128; bit++)
        if (prefix.address[bit / 8] & (0x80U >> bit % 8))
            return error_set(err, ERR_CONFIG, "\"%.60s\" has bits set beyond its prefix length", text);
    *ret_prefix = prefix;
    return 0;
}

void source_map_add(struct source_map *map, const struct source_prefix *prefix)
{
    map->prefixes = xrealloc(map->prefixes, (map->count + 1) * sizeof *map->prefixes);
    size_t at = map->count++;
    for (; at > 0 && map->prefixes[at - 1].bits < prefix->bits; at--)
        map->prefixes[at] = map->prefixes[at - 1];
    map->prefixes[at] = *prefix;
}

void source_map_deinit(struct source_map *map)
{
    free(map->prefixes);
    *map = (struct source_map){0};
}

const char *source_map_find(const struct source_map *map, const struct sockaddr *peer)
{
    uint8_t address[16];
    if (!peer)
        return NULL;
    if (peer->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, peer, sizeof v4);
        memcpy(address, mapped, sizeof mapped);
        memcpy(address + 12, &v4.sin_addr, 4);
    } else if (peer->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, peer, sizeof v6);
        memcpy(address, &v6.sin6_addr, 16);
    } else {
        return NULL;
    }
    for (size_t i = 0; i < map->count; i++)
        if (holds(&map->prefixes[i], address))
            return map->prefixes[i].region;
    return NULL;
}
