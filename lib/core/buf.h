/* A growing byte buffer that must be given its maximum.
 *
 * Appending past `max` frees nothing, drops what does not fit and sets `failed`; check it once at the end.
 * Ownership: buf_deinit() frees; buf_take() moves the bytes (malloc'd, terminated) to the caller.
 * Threads: owned by its caller. */
#ifndef FRAISEQL_CORE_BUF_H
#define FRAISEQL_CORE_BUF_H

#include "lib/core/str.h"

struct buf {
    char *data; /* NULL while empty; not terminated, see buf_text() */
    size_t len, cap, max;
    bool failed;
};

#define BUF_INIT(max_bytes)                                                                                  \
    {                                                                                                        \
        .max = (max_bytes)                                                                                   \
    }

void buf_init(struct buf *buf, size_t max);
void buf_deinit(struct buf *buf);
/* Empties and keeps the memory. */
void buf_reset(struct buf *buf);
/* Makes room for `extra` more bytes; false (and failed) when that passes max. */
bool buf_reserve(struct buf *buf, size_t extra);
void buf_append(struct buf *buf, const void *bytes, size_t len);
void buf_append_str(struct buf *buf, struct str s);
void buf_append_text(struct buf *buf, const char *text);
void buf_append_byte(struct buf *buf, char byte);
void buf_printf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
/* Terminated contents, valid until the next change; "" while empty. */
const char *buf_text(struct buf *buf);
struct str buf_str(const struct buf *buf);
char *buf_take(struct buf *buf);

#endif
