/* What differs between two configurations of one table. Values are compared by their text in the file, which
 * is the one form that all types have. */
#include "lib/core/crypto.h"
#include "lib/core/option_internal.h"

#include <stdio.h>

#define COMPARE_MAX_BYTES (256UL * 1024 * 1024)

_Static_assert(OPTION_DIGEST_BYTES == CRYPTO_SHA256_BYTES, "the digest is a SHA-256");

static void wipe(struct buf *buf)
{
    if (buf->data)
        explicit_bzero(buf->data, buf->cap);
    buf_deinit(buf);
}

void option_digest(const struct option_section *section, const void *config,
                   unsigned char digest[OPTION_DIGEST_BYTES])
{
    struct buf text = BUF_INIT(COMPARE_MAX_BYTES);
    option_reveal(section, config, &text);
    crypto_sha256(buf_str(&text), digest);
    wipe(&text);
}

static bool member_differs(const struct option *option, const void *before, const void *after)
{
    struct buf old = BUF_INIT(COMPARE_MAX_BYTES), new = BUF_INIT(COMPARE_MAX_BYTES);
    option_reveal_member(option, before, &old);
    option_reveal_member(option, after, &new);
    bool differs = !str_equal(buf_str(&old), buf_str(&new));
    wipe(&old);
    wipe(&new);
    return differs;
}

static bool has_fixed_option(const struct option_section *section)
{
    for (size_t i = 0; i < section->option_count; i++) {
        if (section->options[i].not_reloadable)
            return true;
    }
    return false;
}

/* `used` bytes of the path are those of the section. */
static bool find_restart(const struct option_section *section, const void *before, const void *after,
                         char path[NODE_PATH_MAX], size_t used)
{
    for (size_t i = 0; i < section->option_count; i++) {
        const struct option *option = &section->options[i];
        const void *old = (const char *)before + option->offset, *new = (const char *)after + option->offset;
        int length = snprintf(path + used, NODE_PATH_MAX - used, "%s%s", used ? "." : "", option->name);
        if (option->not_reloadable && member_differs(option, old, new))
            return true;
        if (length < 0 || used + (size_t)length >= NODE_PATH_MAX)
            continue;
        if (option->type == OPT_SECTION_PTR) {
            old = *(const void *const *)old;
            new = *(const void *const *)new;
        }
        /* A section that comes or goes brings or takes what cannot be changed while running. */
        if (option->type == OPT_SECTION_PTR && !old != !new &&has_fixed_option(option->section))
            return true;
        bool nested = option->type == OPT_SECTION || (option->type == OPT_SECTION_PTR && old && new);
        if (nested && find_restart(option->section, old, new, path, used + (size_t)length))
            return true;
    }
    return false;
}

bool option_needs_restart(const struct option_section *section, const void *before, const void *after,
                          char path[NODE_PATH_MAX])
{
    bool found = find_restart(section, before, after, path, 0);
    if (!found)
        path[0] = '\0';
    return found;
}
