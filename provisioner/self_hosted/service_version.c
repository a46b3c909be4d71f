#include "provisioner/self_hosted/service_version.h"

#define PART_DIGITS 6

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t read_part(struct str text, size_t at, unsigned *ret)
{
    size_t end = at;
    unsigned value = 0;
    while (end < text.len && is_digit(text.ptr[end]) && end - at < PART_DIGITS)
        value = value * 10 + (unsigned)(text.ptr[end++] - '0');
    *ret = value;
    return end;
}

bool service_version_parse(struct str text, struct service_version *ret)
{
    for (size_t at = 0; at < text.len; at++) {
        struct service_version version;
        if (!is_digit(text.ptr[at]))
            continue;
        size_t dot = read_part(text, at, &version.major);
        if (dot + 1 < text.len && text.ptr[dot] == '.' && is_digit(text.ptr[dot + 1])) {
            (void)read_part(text, dot + 1, &version.minor);
            *ret = version;
            return true;
        }
        at = dot;
    }
    return false;
}

bool service_version_databases(const struct service_version *version, int64_t *ret_least,
                               int64_t *ret_greatest)
{
    if (version->major < 2 || (version->major == 2 && version->minor < 15))
        return false;
    bool only_18 = version->major > 2 || version->minor > 15;
    *ret_least = only_18 ? 18 : 14;
    *ret_greatest = 18;
    return true;
}
