#include "lib/net/percent.h"

void percent_encode(struct buf *out, struct str text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        bool plain = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
                     (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' || byte == '~';
        if (plain) {
            buf_append_byte(out, (char)byte);
            continue;
        }
        buf_append_byte(out, '%');
        buf_append_byte(out, digits[byte >> 4]);
        buf_append_byte(out, digits[byte & 15]);
    }
}
