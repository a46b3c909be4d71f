#include "provisioner/terminal.h"

const char *const terminal_styles[] = {"\033[0m", "\033[32m", "\033[33m", "\033[31m",
                                       "\033[2m", "\033[1m",  NULL};

/* Bytes of the character at the beginning, 0: it is none. */
static size_t character(struct str text)
{
    unsigned char first = (unsigned char)text.ptr[0];
    size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    return length <= text.len && str_is_utf8((struct str){text.ptr, length}) ? length : 0;
}

static size_t style(struct str text)
{
    for (size_t i = 0; terminal_styles[i]; i++) {
        if (str_starts(text, str_from(terminal_styles[i])))
            return strlen(terminal_styles[i]);
    }
    return 0;
}

/* U+0000 to U+001F, U+007F to U+009F; U+200E, U+200F, U+202A to U+202E and U+2066 to U+2069. */
static bool acts(const char *ptr, size_t length)
{
    const unsigned char *at = (const unsigned char *)ptr;
    if (length == 1)
        return (at[0] < 0x20 && at[0] != '\n' && at[0] != '\t') || at[0] == 0x7F;
    if (length == 2)
        return at[0] == 0xC2 && at[1] < 0xA0;
    if (length != 3 || at[0] != 0xE2)
        return false;
    return (at[1] == 0x80 && ((at[2] >= 0xAA && at[2] <= 0xAE) || at[2] == 0x8E || at[2] == 0x8F)) ||
           (at[1] == 0x81 && at[2] >= 0xA6 && at[2] <= 0xA9);
}

void terminal_append(struct buf *out, struct str text)
{
    while (text.len) {
        size_t length = style(text);
        bool ours = length > 0;
        if (!ours)
            length = character(text);
        if (str_starts(text, STR("\r\n")))
            length = 1;
        else if (!length || (!ours && acts(text.ptr, length)))
            buf_append_byte(out, '?');
        else
            buf_append(out, text.ptr, length);
        length = length ? length : 1;
        text.ptr += length;
        text.len -= length;
    }
}
