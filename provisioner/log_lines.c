#include "provisioner/log_lines.h"

#include "lib/core/secret.h"

#include <stdlib.h>

/* Masking a short secret makes a line longer: twice is more than any line needs. */
#define MASKED_BYTES (2 * LOG_LINE_BYTES + 64)

void log_lines_init(struct log_lines *lines, size_t most)
{
    most = most > LOG_LINES_MAX ? LOG_LINES_MAX : most;
    *lines = (struct log_lines){.most = most, .lines = xcalloc(most + 1, sizeof *lines->lines)};
}

void log_lines_deinit(struct log_lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        free(lines->lines[i].text);
    free(lines->lines);
    *lines = (struct log_lines){0};
}

/* U+0080 to U+009F are escape sequences to some terminals. */
static bool is_control(const char *at, size_t length)
{
    unsigned char first = (unsigned char)at[0];
    return first < 0x20 || first == 0x7F || (length == 2 && first == 0xC2 && (unsigned char)at[1] < 0xA0);
}

/* In place, and never longer than before. */
static void tame(char *text)
{
    size_t length = strlen(text), to = 0;
    for (size_t from = 0; from < length;) {
        size_t size = str_utf8_length((struct str){text + from, length - from});
        if (!size || is_control(text + from, size)) {
            /* Left out, not blanked: a secret must not look like two words. */
            if (!size || strchr("\t\r\n", text[from]))
                text[to++] = size ? ' ' : '?';
            from += size ? size : 1;
            continue;
        }
        memmove(text + to, text + from, size);
        to += size;
        from += size;
    }
    text[to] = '\0';
}

/* No zero byte, no half of a character, and the mark of what was cut. */
static void copy_cut(struct str text, char copy[LOG_LINE_BYTES + 4])
{
    size_t length = text.len < LOG_LINE_BYTES ? text.len : LOG_LINE_BYTES;
    bool cut = length < text.len;
    while (cut && length && ((unsigned char)text.ptr[length] & 0xC0) == 0x80)
        length--;
    for (size_t i = 0; i < length; i++)
        copy[i] = text.ptr[i] ? text.ptr[i] : ' ';
    memcpy(copy + length, cut ? "..." : "", cut ? 4 : 1);
}

static void show(struct str text, char shown[MASKED_BYTES])
{
    char copy[LOG_LINE_BYTES + 4];
    copy_cut(text, copy);
    tame(copy); /* before masking too: a control character must not hide a name from it */
    secret_mask_text(copy, shown, MASKED_BYTES);
    tame(shown);
}

static void keep(struct log_lines *lines, int64_t order, struct str text)
{
    char shown[MASKED_BYTES];
    size_t place = lines->count;
    show(text, shown);
    if (!str_trim(str_from(shown)).len)
        return; /* nothing but control characters */
    while (place && lines->lines[place - 1].order > order)
        place--;
    if (lines->count == lines->most) {
        if (!place)
            return;
        free(lines->lines[0].text);
        lines->count--;
        place--;
        memmove(lines->lines, lines->lines + 1, lines->count * sizeof *lines->lines);
    }
    memmove(lines->lines + place + 1, lines->lines + place, (lines->count - place) * sizeof *lines->lines);
    lines->lines[place] = (struct log_line){order, xstrdup(shown)};
    lines->count++;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

void log_lines_add(struct log_lines *lines, int64_t order, struct str text)
{
    while (text.len) {
        const char *end = memchr(text.ptr, '\n', text.len);
        size_t length = end ? (size_t)(end - text.ptr) : text.len;
        struct str line = {text.ptr, length};
        if (str_trim(line).len) {
            while (is_blank(line.ptr[line.len - 1]))
                line.len--;
            keep(lines, order, line);
        }
        text.ptr += length + (end ? 1 : 0);
        text.len -= length + (end ? 1 : 0);
    }
}

void log_lines_give(const struct log_lines *lines, struct arena *arena, struct string_list *ret_list)
{
    const char **items = arena_alloc(arena, (lines->count + 1) * sizeof *items);
    for (size_t i = 0; i < lines->count; i++)
        items[i] = arena_strdup(arena, str_from(lines->lines[i].text));
    *ret_list = (struct string_list){lines->count, items};
}

const char *log_line_shown(struct str text, struct arena *arena)
{
    char shown[MASKED_BYTES];
    show(text, shown);
    return arena_strdup(arena, str_from(shown));
}
