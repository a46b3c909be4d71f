#include "exporters/exposition_internal.h"

#include "lib/core/arena.h"
#include "lib/core/buf.h"
#include "lib/core/limits.h"
#include "lib/net/compress.h"

#include <stdlib.h>

/* Beside prefix and label text a line has at most `,le="` and its value, quotes, braces, blanks, the number
 * and LF. */
#define LINE_EXTRA_BYTES (2 * NUMBER_TEXT_MAX + 16)

struct prefix {
    char text[LIMIT_METRIC_NAME_BYTES + 16]; /* name and suffix */
    size_t length;
};

/* Where the page stands: in one family's parts, one part's series, one series' lines. */
struct position {
    uint32_t family, part, series, skip, line;
};

/* Bytes that wait to be given. */
struct outgoing {
    struct buf bytes;
    size_t at;
};

struct exposition {
    struct hub_view *view;
    enum exposition_format format;
    struct exposition_name *names;
    struct position at;
    struct prefix prefixes[SUFFIX_SUM + 1]; /* of the present family, by suffix */
    bool family_open;                       /* its prefixes are made and its header is in `pending` or out */
    bool header_due;                        /* no line of the family was written yet */
    bool ended;                             /* every line is out, # EOF too */
    struct exposition_stats stats;
    struct outgoing pending; /* plain; empty whenever fill() is called */

    struct compressor *compressor; /* NULL: plain */
    struct outgoing packed;
    struct gzip_block trailer;
    char *plain; /* EXPOSITION_CHUNK_BYTES to compress */
    bool gzip_ended;
};

static bool name_wanted(const struct exposition_options *options, struct str text_name,
                        struct str metadata_name)
{
    for (size_t i = 0; i < options->name_count; i++) {
        if (str_equal_text(text_name, options->names[i]) || str_equal_text(metadata_name, options->names[i]))
            return true;
    }
    return options->name_count == 0;
}

struct exposition *exposition_new(struct hub_view *view, const struct exposition_options *options)
{
    struct exposition *exposition = xcalloc(1, sizeof *exposition);
    exposition->view = view;
    exposition->format = options->format;
    exposition->names = exposition_names(view, &exposition->stats.families_left_out);
    for (uint32_t i = 0; i < view->family_count; i++) {
        struct exposition_name *name = &exposition->names[i];
        struct str metadata_name = exposition_metadata_name(&view->families[i], name);
        if (!name_wanted(options, view->families[i].name, metadata_name))
            name->left_out = true;
    }
    buf_init(&exposition->pending.bytes, SIZE_MAX / 2);
    buf_init(&exposition->packed.bytes, SIZE_MAX / 2);
    if (options->gzip_level > 0) {
        exposition->compressor = compressor_new(options->gzip_level > 9 ? 9 : options->gzip_level);
        exposition->plain = xmalloc(EXPOSITION_CHUNK_BYTES);
        compress_gzip_header(&exposition->packed.bytes);
    }
    return exposition;
}

void exposition_free(struct exposition *exposition)
{
    if (!exposition)
        return;
    (void)hub_view_unref(exposition->view);
    compressor_free(exposition->compressor);
    buf_deinit(&exposition->pending.bytes);
    buf_deinit(&exposition->packed.bytes);
    free(exposition->names);
    free(exposition->plain);
    free(exposition);
}

static void open_family(struct exposition *exposition, const struct hub_family *family)
{
    static const struct str suffixes[] = {
        [SUFFIX_NONE] = {"", 0},
        [SUFFIX_BUCKET] = {"_bucket", 7},
        [SUFFIX_COUNT] = {"_count", 6},
        [SUFFIX_SUM] = {"_sum", 4},
    };
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        struct prefix *prefix = &exposition->prefixes[i];
        memcpy(prefix->text, family->name.ptr, family->name.len);
        memcpy(prefix->text + family->name.len, suffixes[i].ptr, suffixes[i].len);
        prefix->length = family->name.len + suffixes[i].len;
    }
    exposition->family_open = true;
    exposition->header_due = true;
}

/* prefix{text,le="..."} value: `le` is empty for all lines but an own histogram's buckets. */
static char *write_line(char *p, const struct prefix *prefix, struct str text, struct str le,
                        struct value value)
{
    memcpy(p, prefix->text, prefix->length);
    p += prefix->length;
    if (text.len || le.len) {
        *p++ = '{';
        memcpy(p, text.ptr, text.len);
        p += text.len;
        if (le.len) {
            if (text.len)
                *p++ = ',';
            memcpy(p, "le=\"", 4);
            memcpy(p + 4, le.ptr, le.len);
            p += 4 + le.len;
            *p++ = '"';
        }
        *p++ = '}';
    }
    *p++ = ' ';
    p = number_write_value(p, value);
    *p++ = '\n';
    return p;
}

/* One line of an own histogram: its buckets, then sum, then count. */
static char *write_histogram_line(const struct exposition *exposition, char *p,
                                  const struct snapshot *snapshot, const struct shape_series *series,
                                  uint32_t line)
{
    const struct histogram_layout *layout = &snapshot->shape->layouts[series->layout];
    struct str text = shape_series_text(snapshot->shape, series);
    uint32_t infinite = layout->bound_count;
    if (line <= infinite)
        return write_line(p, &exposition->prefixes[SUFFIX_BUCKET], text, layout->le_text[line],
                          snapshot_value(snapshot, series->slot + line));
    if (line == infinite + 1)
        return write_line(p, &exposition->prefixes[SUFFIX_SUM], text, STR(""),
                          snapshot_value(snapshot, series->slot + infinite + 1));
    return write_line(p, &exposition->prefixes[SUFFIX_COUNT], text, STR(""),
                      snapshot_value(snapshot, series->slot + infinite));
}

static bool is_skipped(struct position *at, const struct hub_part *part, uint32_t index)
{
    while (at->skip < part->skip_count && part->skip[at->skip] < index)
        at->skip++;
    return at->skip < part->skip_count && part->skip[at->skip] == index;
}

/* Why write_part() came back. */
enum stop { STOP_END, STOP_FULL, STOP_HEADER };

/* The lines of one part, as many as fit. STOP_HEADER: the next line is the family's first. */
static enum stop write_part(struct exposition *exposition, const struct hub_part *part, char **out,
                            const char *end)
{
    const struct snapshot *snapshot = part->snapshot;
    const struct shape *shape = snapshot->shape;
    const struct shape_family *family = part->family;
    struct position *at = &exposition->at;
    char *p = *out;
    enum stop stop = STOP_END;
    for (; at->series < family->series_count; at->series++) {
        uint32_t index = family->first_series + at->series;
        const struct shape_series *series = &shape->series[index];
        if (snapshot->kinds[series->slot] == VALUE_ABSENT ||
            (part->skip_count && is_skipped(at, part, index)))
            continue;
        if (exposition->header_due) {
            stop = STOP_HEADER;
            break;
        }
        const struct prefix *prefix = &exposition->prefixes[series->suffix];
        size_t room = prefix->length + series->text_len + LINE_EXTRA_BYTES;
        if (series->kind == SERIES_SAMPLE) {
            if ((size_t)(end - p) < room) {
                stop = STOP_FULL;
                break;
            }
            p = write_line(p, prefix, shape_series_text(shape, series), (struct str){"", 0},
                           snapshot_value(snapshot, series->slot));
            exposition->stats.lines++;
            continue;
        }
        uint32_t lines = shape->layouts[series->layout].bound_count + 3;
        while (at->line < lines && (size_t)(end - p) >= room + strlen("_bucket")) {
            p = write_histogram_line(exposition, p, snapshot, series, at->line++);
            exposition->stats.lines++;
        }
        if (at->line < lines) {
            stop = STOP_FULL;
            break;
        }
        at->line = 0;
    }
    *out = p;
    return stop;
}

static void close_family(struct exposition *exposition)
{
    exposition->at = (struct position){.family = exposition->at.family + 1};
    exposition->family_open = false;
}

/* Appends the header to the bytes to give, or straight to the piece being filled when it fits. */
static bool put_header(struct exposition *exposition, const struct hub_family *family, char **out,
                       const char *end)
{
    struct buf *pending = &exposition->pending.bytes;
    buf_reset(pending);
    exposition_header(family, &exposition->names[exposition->at.family], exposition->format, pending);
    exposition->header_due = false;
    exposition->stats.families++;
    if ((size_t)(end - *out) < pending->len)
        return false;
    memcpy(*out, pending->data, pending->len);
    *out += pending->len;
    buf_reset(pending);
    return true;
}

/* Whole lines into out..end. False when the piece is full or something waits in `pending`; true at the end.
 */
static bool fill(struct exposition *exposition, char **out, const char *end)
{
    const struct hub_view *view = exposition->view;
    struct position *at = &exposition->at;
    while (at->family < view->family_count) {
        const struct hub_family *family = &view->families[at->family];
        if (exposition->names[at->family].left_out) {
            close_family(exposition);
            continue;
        }
        if (!exposition->family_open)
            open_family(exposition, family);
        while (at->part < family->part_count) {
            switch (write_part(exposition, &view->parts[family->first_part + at->part], out, end)) {
            case STOP_FULL:
                return false;
            case STOP_HEADER:
                if (!put_header(exposition, family, out, end))
                    return false;
                break;
            case STOP_END:
                at->part++;
                at->series = at->skip = 0;
                break;
            }
        }
        close_family(exposition);
    }
    if (exposition->ended)
        return true;
    exposition->ended = true;
    if (exposition->format != EXPOSITION_TEXT)
        buf_append_text(&exposition->pending.bytes, "# EOF\n");
    return exposition->pending.bytes.len == 0;
}

static size_t drain(struct outgoing *outgoing, char *out, size_t max)
{
    size_t left = outgoing->bytes.len - outgoing->at;
    size_t taken = left < max ? left : max;
    if (taken)
        memcpy(out, outgoing->bytes.data + outgoing->at, taken);
    outgoing->at += taken;
    if (outgoing->at == outgoing->bytes.len) {
        buf_reset(&outgoing->bytes);
        outgoing->at = 0;
    }
    return taken;
}

/* Room for the longest line there can be: where the caller's piece is too short for the next one. */
static void spill_line(struct exposition *exposition)
{
    size_t room = LIMIT_METRIC_NAME_BYTES + LIMIT_LABEL_TEXT_BYTES + LINE_EXTRA_BYTES + 64;
    char *spill = xmalloc(room), *p = spill;
    (void)fill(exposition, &p, spill + room);
    /* A header or # EOF that fill() left in `pending` comes after what it wrote. */
    struct buf *pending = &exposition->pending.bytes, after = *pending;
    buf_init(pending, after.max);
    buf_append(pending, spill, (size_t)(p - spill));
    buf_append(pending, after.data, after.len);
    buf_deinit(&after);
    free(spill);
}

/* Plain bytes, at most max; 0 at the end. */
static size_t pull_plain(struct exposition *exposition, char *out, size_t max)
{
    char *p = out;
    for (;;) {
        p += drain(&exposition->pending, p, max - (size_t)(p - out));
        if (exposition->pending.bytes.len || (size_t)(p - out) == max)
            break; /* the piece is full */
        if (fill(exposition, &p, out + max))
            break; /* the page has ended */
        if (exposition->pending.bytes.len)
            continue;
        if (p > out)
            break; /* the next line waits for the next piece */
        spill_line(exposition);
    }
    exposition->stats.plain_bytes += (size_t)(p - out);
    return (size_t)(p - out);
}

static void compress_next(struct exposition *exposition)
{
    struct buf *out = &exposition->packed.bytes;
    size_t length = pull_plain(exposition, exposition->plain, EXPOSITION_CHUNK_BYTES);
    if (length) {
        struct gzip_block block;
        compress_block(exposition->compressor, (struct str){exposition->plain, length}, out, &block);
        compress_gzip_add(&exposition->trailer, &block);
    } else {
        compress_gzip_trailer(&exposition->trailer, out);
        exposition->gzip_ended = true;
    }
}

size_t exposition_pull(struct exposition *exposition, char *out, size_t max)
{
    if (!exposition->compressor)
        return pull_plain(exposition, out, max);
    size_t length = 0;
    for (;;) {
        length += drain(&exposition->packed, out + length, max - length);
        if (length == max || exposition->gzip_ended)
            return length;
        compress_next(exposition);
    }
}

void exposition_stats(const struct exposition *exposition, struct exposition_stats *ret_stats)
{
    *ret_stats = exposition->stats;
}
