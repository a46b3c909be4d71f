#include "lib/core/buf.h"

#include "lib/core/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buf_init(struct buf *buf, size_t max)
{
    *buf = (struct buf)BUF_INIT(max);
}

void buf_deinit(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf)BUF_INIT(buf->max);
}

void buf_reset(struct buf *buf)
{
    buf->len = 0;
    buf->failed = false;
}

bool buf_reserve(struct buf *buf, size_t extra)
{
    size_t needed;
    if (__builtin_add_overflow(buf->len, extra, &needed) || needed > buf->max) {
        buf->failed = true;
        return false;
    }
    if (needed < buf->cap) /* one byte is always kept for a terminator */
        return true;
    size_t cap = buf->cap ? buf->cap : 64;
    while (cap <= needed)
        cap *= 2;
    buf->data = xrealloc(buf->data, cap);
    buf->cap = cap;
    return true;
}

void buf_append(struct buf *buf, const void *bytes, size_t len)
{
    if (!len || !buf_reserve(buf, len))
        return;
    memcpy(buf->data + buf->len, bytes, len);
    buf->len += len;
}

void buf_append_str(struct buf *buf, struct str s)
{
    buf_append(buf, s.ptr, s.len);
}

void buf_append_text(struct buf *buf, const char *text)
{
    buf_append(buf, text, strlen(text));
}

void buf_append_byte(struct buf *buf, char byte)
{
    buf_append(buf, &byte, 1);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length > 0 && buf_reserve(buf, (size_t)length)) {
        (void)vsnprintf(buf->data + buf->len, (size_t)length + 1, format, again);
        buf->len += (size_t)length;
    }
    va_end(again);
}

const char *buf_text(struct buf *buf)
{
    if (!buf->data)
        return "";
    buf->data[buf->len] = '\0';
    return buf->data;
}

struct str buf_str(const struct buf *buf)
{
    return (struct str){buf->data, buf->len};
}

char *buf_take(struct buf *buf)
{
    if (!buf->data)
        return xstrdup("");
    buf->data[buf->len] = '\0';
    char *data = buf->data;
    *buf = (struct buf)BUF_INIT(buf->max);
    return data;
}
