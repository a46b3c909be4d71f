#include "provisioner/run/view.h"

#include "provisioner/output.h"

#include <stdio.h>

#define NS_PER_SECOND  INT64_C(1000000000)
#define NAME_MAX_WIDTH 24U

unsigned view_columns(struct str text)
{
    unsigned columns = 0;
    for (size_t i = 0; i < text.len; i++)
        columns += ((unsigned char)text.ptr[i] & 0xC0) != 0x80;
    return columns;
}

/* Appends at most `width` columns; an ellipsis stands for the rest. */
static unsigned put(struct buf *out, const char *text, unsigned width)
{
    struct str left = str_from(text);
    unsigned columns = view_columns(left);
    if (columns <= width) {
        buf_append_str(out, left);
        return columns;
    }
    if (!width)
        return 0;
    for (unsigned taken = 0; taken < width - 1;) {
        size_t length = 1;
        while (length < left.len && ((unsigned char)left.ptr[length] & 0xC0) == 0x80)
            length++;
        buf_append(out, left.ptr, length);
        left.ptr += length;
        left.len -= length;
        taken++;
    }
    buf_append_text(out, "\u2026");
    return width;
}

static unsigned put_padded(struct buf *out, const char *text, unsigned cell, unsigned width)
{
    unsigned used = put(out, text, cell < width ? cell : width);
    for (; used < cell && used < width; used++)
        buf_append_byte(out, ' ');
    return used;
}

const char *view_address(const char *address)
{
    static const char prefix[] = "module.";
    while (strncmp(address, prefix, sizeof prefix - 1) == 0) {
        const char *dot = strchr(address + sizeof prefix - 1, '.');
        if (!dot)
            break;
        address = dot + 1;
    }
    return address;
}

void view_line(const struct view_row *row, unsigned name_width, unsigned width, struct buf *out)
{
    char cell[512], elapsed[OUTPUT_ELAPSED_MAX];
    if (width < VIEW_MIN_WIDTH)
        width = VIEW_MIN_WIDTH;
    if (name_width > NAME_MAX_WIDTH)
        name_width = NAME_MAX_WIDTH;
    unsigned used = put_padded(out, row->name, name_width + 2, width);
    used += put_padded(out, row->doing, 11, width - used);
    if (row->planned)
        (void)snprintf(cell, sizeof cell, "%llu/%llu  ", (unsigned long long)row->done,
                       (unsigned long long)row->planned);
    else
        (void)snprintf(cell, sizeof cell, "  ");
    used += put_padded(out, cell, 9, width - used);
    if (!row->elapsed_ns)
        return;
    const char *what = row->slowest ? view_address(row->slowest) : row->heard;
    if (!what || width - used < 15) {
        (void)put(out, output_elapsed(row->elapsed_ns, elapsed), width - used);
        return;
    }
    used += put_padded(out, output_elapsed(row->elapsed_ns, elapsed), 7, width - used);
    (void)snprintf(cell, sizeof cell, " %s", what);
    if (!row->slowest) {
        (void)put(out, cell, width - used);
        return;
    }
    char since[OUTPUT_ELAPSED_MAX + 4];
    (void)snprintf(since, sizeof since, " (%s)", output_elapsed(row->slowest_ns, elapsed));
    unsigned tail = view_columns(str_from(since));
    bool fits = width - used > tail + 6;
    used += put(out, cell, width - used - (fits ? tail : 0));
    if (fits)
        (void)put(out, since, width - used);
}

/* As many names as fit beside the number of those that do not. */
static void put_attributes(const struct view_change *change, unsigned width, struct buf *out)
{
    unsigned used = 0, all = 0;
    char more[32];
    for (size_t i = 0; i < change->attribute_count; i++)
        all += view_columns(str_from(change->attributes[i])) + 2;
    for (size_t i = 0; i < change->attribute_count; i++) {
        unsigned columns = view_columns(str_from(change->attributes[i])) + 2;
        size_t left = change->attribute_count - i - 1;
        unsigned rest = all > width ? (unsigned)snprintf(more, sizeof more, ", %zu more", left) : 0;
        if (used + columns + rest > width) {
            if (i)
                (void)snprintf(more, sizeof more, ", %zu more", left + 1);
            else
                (void)snprintf(more, sizeof more, ": %zu attribute%s", left + 1, PLURAL(left + 1));
            if (used + view_columns(str_from(more)) <= width)
                buf_append_text(out, more);
            return;
        }
        buf_append_text(out, i ? ", " : ": ");
        buf_append_text(out, change->attributes[i]);
        used += columns;
    }
}

void view_change(const struct view_change *change, unsigned width, struct buf *out)
{
    unsigned used = put(out, view_address(change->address), width);
    unsigned reason = change->reason[0] ? view_columns(str_from(change->reason)) + 3 : 0;
    if (reason && used + reason <= width) {
        buf_printf(out, " (%s)", change->reason);
        used += reason;
    }
    put_attributes(change, width - used, out);
}

const char *view_duration(int64_t ns, char text[VIEW_DURATION_MAX])
{
    long long seconds = (long long)(ns / NS_PER_SECOND), minutes = seconds / 60, hours = minutes / 60;
    int used = 0;
    if (hours)
        used += snprintf(text, VIEW_DURATION_MAX, "%lld hour%s ", hours, PLURAL(hours));
    if (minutes)
        used += snprintf(text + used, VIEW_DURATION_MAX - (size_t)used, "%lld minute%s ", minutes % 60,
                         PLURAL(minutes % 60));
    (void)snprintf(text + used, VIEW_DURATION_MAX - (size_t)used, "%lld second%s", seconds % 60,
                   PLURAL(seconds % 60));
    return text;
}
