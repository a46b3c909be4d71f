/* Reading canonical label text. Input is our own rendering; the walk stays inside the text whatever it is. */
#include "lib/metrics/label_internal.h"

bool label_text_next(struct str text, size_t *cursor, struct str *ret_name, struct str *ret_raw_value)
{
    size_t i = *cursor;
    if (i < text.len && i > 0 && text.ptr[i] == ',')
        i++;
    if (i >= text.len)
        return false;
    const char *equals = memchr(text.ptr + i, '=', text.len - i);
    if (!equals)
        return false;
    size_t name_end = (size_t)(equals - text.ptr);
    size_t value = name_end + 2, end = value;
    while (end < text.len && text.ptr[end] != '"')
        end += text.ptr[end] == '\\' ? 2 : 1;
    if (end >= text.len)
        return false;
    *ret_name = (struct str){text.ptr + i, name_end - i};
    *ret_raw_value = (struct str){text.ptr + value, end - value};
    *cursor = end + 1;
    return true;
}

void label_unescape(struct str raw_value, struct buf *out)
{
    for (size_t i = 0; i < raw_value.len; i++) {
        char c = raw_value.ptr[i];
        if (c == '\\' && i + 1 < raw_value.len) {
            c = raw_value.ptr[++i];
            if (c == 'n')
                c = '\n';
        }
        buf_append_byte(out, c);
    }
}

bool label_text_find(struct str text, struct str name, struct buf *out)
{
    size_t cursor = 0;
    struct str found, raw;
    while (label_text_next(text, &cursor, &found, &raw)) {
        if (str_equal(found, name)) {
            label_unescape(raw, out);
            return true;
        }
    }
    return false;
}

void label_text_without(struct str text, struct str name, struct buf *out)
{
    size_t cursor = 0, start = out->len;
    struct str found, raw;
    while (label_text_next(text, &cursor, &found, &raw)) {
        if (str_equal(found, name))
            continue;
        if (out->len > start)
            buf_append_byte(out, ',');
        /* name, =", value, " lie in one piece. */
        buf_append(out, found.ptr, (size_t)(raw.ptr + raw.len + 1 - found.ptr));
    }
}
