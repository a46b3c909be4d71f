#include "provisioner/config/cidr.h"

#include "lib/core/str.h"

#include <arpa/inet.h>
#include <stdio.h>

static uint32_t mask_of(unsigned bits)
{
    return bits ? UINT32_MAX << (32 - bits) : 0;
}

int cidr_parse(const char *text, struct cidr *ret, struct error *err)
{
    char address[INET_ADDRSTRLEN];
    struct in_addr parsed;
    uint64_t bits;
    const char *slash = strchr(text, '/');
    size_t length = slash ? (size_t)(slash - text) : 0;
    bool sound = slash && length < sizeof address && str_to_u64(str_from(slash + 1), &bits) && bits <= 32;
    if (sound) {
        memcpy(address, text, length);
        address[length] = '\0';
        sound = inet_pton(AF_INET, address, &parsed) == 1;
    }
    if (!sound)
        return error_set(err, ERR_CONFIG, "\"%.60s\" is not a range of addresses such as 10.0.0.0/16", text);
    *ret = (struct cidr){ntohl(parsed.s_addr), (unsigned)bits};
    if (ret->address & ~mask_of(ret->bits)) {
        char meant[CIDR_TEXT_MAX];
        ret->address &= mask_of(ret->bits);
        return error_set(err, ERR_CONFIG, "%s is an address inside a range: did you mean %s?", text,
                         cidr_format(*ret, meant));
    }
    return 0;
}

bool cidr_overlaps(struct cidr a, struct cidr b)
{
    uint32_t mask = mask_of(a.bits < b.bits ? a.bits : b.bits);
    return (a.address & mask) == (b.address & mask);
}

bool cidr_is_private(struct cidr range)
{
    static const struct cidr blocks[] = {
        {0x0A000000, 8}, {0xAC100000, 12}, {0xC0A80000, 16}, {0x64400000, 10}};
    for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
        if (range.bits >= blocks[i].bits && cidr_overlaps(range, blocks[i]))
            return true;
    }
    return false;
}

const char *cidr_format(struct cidr range, char text[CIDR_TEXT_MAX])
{
    (void)snprintf(text, CIDR_TEXT_MAX, "%u.%u.%u.%u/%u", range.address >> 24, range.address >> 16 & 255,
                   range.address >> 8 & 255, range.address & 255, range.bits);
    return text;
}
