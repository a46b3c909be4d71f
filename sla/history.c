#include "sla/history.h"

#include "lib/core/arena.h"

#include <stdlib.h>

#define SEGMENT_S   300
#define SMALL_BYTES 16

/* Encoded buckets of [start_s, start_s + span_s). */
struct segment {
    int64_t start_s;
    struct bucket_counts total;
    union {
        char small[SMALL_BYTES];
        char *bytes; /* malloc'd, when len > SMALL_BYTES */
    } blob;
    uint32_t len;
    uint16_t span_s, width_s;
};

/* The edge of one window: `before` is the sum of all buckets that end at or before it. */
struct cursor {
    int64_t window_s, edge_s;
    struct bucket_counts before;   /* of whole segments behind the edge */
    struct bucket_counts consumed; /* behind the edge within segment `at` (or within the open one) */
    size_t at;                     /* index into segments; segment_count: the open one */
    unsigned slot;                 /* first slot of it that is not behind the edge */
    bool reading;                  /* reader stands in segment `at`, with `run` slots of `value` to go */
    struct bucket_reader reader;
    size_t offset; /* of reader in the blob, which moves when segments do */
    unsigned run;
    struct bucket_counts value;
};

struct history {
    struct segment *segments; /* ascending, disjoint */
    size_t segment_count, segment_capacity;
    struct bucket_counts total; /* of everything held */
    int64_t open_s;             /* start of the open segment; INT64_MIN: none */
    int64_t last_open_s;        /* as open_s, and stays while it is being closed */
    int64_t last_s, now_s, aged_hour_s;
    size_t blob_bytes;
    struct cursor *cursors;
    size_t cursor_count;
    struct bucket_counts open[SEGMENT_S];
};

static void add(struct bucket_counts *into, const struct bucket_counts *more, uint64_t times)
{
    into->good += more->good * times;
    into->bad += more->bad * times;
    into->unknown += more->unknown * times;
}

static int64_t floor_to(int64_t number, int64_t step)
{
    int64_t rest = number % step;
    return number - (rest < 0 ? rest + step : rest);
}

static int64_t end_of(const struct segment *segment)
{
    return segment->start_s + segment->span_s;
}

static struct str blob_of(const struct segment *segment)
{
    return (struct str){segment->len > SMALL_BYTES ? segment->blob.bytes : segment->blob.small, segment->len};
}

static void reset_cursor(struct cursor *cursor)
{
    *cursor = (struct cursor){.window_s = cursor->window_s, .edge_s = cursor->edge_s};
}

static void reset_cursors(struct history *history)
{
    for (size_t i = 0; i < history->cursor_count; i++)
        reset_cursor(&history->cursors[i]);
}

/* --- segments --- */

static void drop_blob(struct history *history, struct segment *segment)
{
    if (segment->len > SMALL_BYTES) {
        free(segment->blob.bytes);
        history->blob_bytes -= segment->len;
    }
    segment->len = 0;
}

static void encode(struct history *history, struct segment *segment, const struct bucket_counts *slots)
{
    struct buf out = BUF_INIT(BUCKET_BLOB_MAX);
    unsigned count = segment->span_s / segment->width_s;
    bucket_codec_encode(slots, count, segment->width_s, &out);
    segment->total = (struct bucket_counts){0};
    for (unsigned i = 0; i < count; i++)
        add(&segment->total, &slots[i], 1);
    segment->len = (uint32_t)out.len;
    if (out.len <= SMALL_BYTES) {
        memcpy(segment->blob.small, out.data, out.len);
    } else {
        segment->blob.bytes = xmalloc(out.len);
        memcpy(segment->blob.bytes, out.data, out.len);
        history->blob_bytes += out.len;
    }
    buf_deinit(&out);
}

/* We encoded it ourselves: it decodes. */
static void decode(const struct segment *segment, struct bucket_counts *slots)
{
    unsigned count, width;
    if (bucket_codec_decode(blob_of(segment), slots, &count, &width, NULL))
        abort();
}

/* Index of the first segment that ends after `second`. */
static size_t find(const struct history *history, int64_t second)
{
    size_t low = 0, high = history->segment_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (end_of(&history->segments[middle]) <= second)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct segment *insert(struct history *history, size_t at)
{
    if (history->segment_count == history->segment_capacity) {
        history->segment_capacity = history->segment_capacity ? history->segment_capacity * 3 / 2 : 8;
        history->segments =
            xrealloc(history->segments, history->segment_capacity * sizeof *history->segments);
    }
    memmove(&history->segments[at + 1], &history->segments[at],
            (history->segment_count - at) * sizeof *history->segments);
    history->segment_count++;
    return &history->segments[at];
}

static bool is_empty(const struct bucket_counts *slots, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (!bucket_counts_empty(&slots[i]))
            return false;
    }
    return true;
}

static void close_open(struct history *history)
{
    if (history->open_s == INT64_MIN)
        return;
    for (size_t i = 0; i < history->cursor_count; i++) {
        /* Standing in the open segment, by slots of the dense form. */
        if (history->cursors[i].at == history->segment_count && history->cursors[i].slot)
            reset_cursor(&history->cursors[i]);
    }
    history->open_s = INT64_MIN;
    if (is_empty(history->open, SEGMENT_S))
        return;
    struct segment *segment = insert(history, history->segment_count);
    int64_t start_s = floor_to(history->last_open_s, SEGMENT_S);
    *segment = (struct segment){.start_s = start_s, .span_s = SEGMENT_S, .width_s = 1};
    encode(history, segment, history->open);
    memset(history->open, 0, sizeof history->open);
}

/* Makes the segment of `second` the open one, taking back what was loaded for it. False when it lies in an
 * hour that is coarse already. */
static bool open_segment(struct history *history, int64_t second)
{
    int64_t start_s = floor_to(second, SEGMENT_S);
    struct segment *last = history->segment_count ? &history->segments[history->segment_count - 1] : NULL;
    if (last && end_of(last) > start_s) {
        if (last->start_s != start_s || last->span_s != SEGMENT_S || last->width_s != 1)
            return false;
        decode(last, history->open);
        drop_blob(history, last);
        history->segment_count--;
        reset_cursors(history);
    }
    history->open_s = history->last_open_s = start_s;
    return true;
}

static void note_behind(struct history *history, size_t at, int64_t bucket_end_s)
{
    for (size_t i = 0; i < history->cursor_count; i++) {
        struct cursor *cursor = &history->cursors[i];
        if (cursor->at == at ? cursor->reading || cursor->slot : bucket_end_s <= cursor->edge_s)
            reset_cursor(cursor);
    }
}

static void add_late(struct history *history, int64_t second, const struct bucket_counts *counts,
                     int64_t now_s)
{
    struct bucket_counts slots[BUCKET_MAX_SLOTS];
    size_t at = find(history, second);
    struct segment *segment = &history->segments[at];
    if (at == history->segment_count || segment->start_s > second) {
        unsigned width_s = buckets_width_s(floor_to(second, BUCKET_HOUR_S), now_s);
        segment = insert(history, at);
        *segment = (struct segment){.start_s = floor_to(second, SEGMENT_S),
                                    .span_s = SEGMENT_S,
                                    .width_s = (uint16_t)(width_s ? width_s : 60)};
        memset(slots, 0, SEGMENT_S * sizeof slots[0]);
        reset_cursors(history);
    } else {
        decode(segment, slots);
        drop_blob(history, segment);
    }
    unsigned slot = (unsigned)(second - segment->start_s) / segment->width_s;
    add(&slots[slot], counts, 1);
    encode(history, segment, slots);
    note_behind(history, at, segment->start_s + (int64_t)(slot + 1) * segment->width_s);
}

/* --- adding --- */

void history_add(struct history *history, int64_t second, const struct bucket_counts *counts, int64_t now_s)
{
    if (bucket_counts_empty(counts))
        return;
    bool late = history->open_s != INT64_MIN && second < history->open_s;
    if (history->open_s == INT64_MIN || second >= history->open_s + SEGMENT_S) {
        close_open(history);
        late = !open_segment(history, second);
    }
    add(&history->total, counts, 1);
    history->last_s = second > history->last_s ? second : history->last_s;
    if (late) {
        add_late(history, second, counts, now_s);
        return;
    }
    add(&history->open[second - history->open_s], counts, 1);
    for (size_t i = 0; i < history->cursor_count; i++) {
        struct cursor *cursor = &history->cursors[i];
        if (cursor->at == history->segment_count && second - history->open_s < cursor->slot)
            add(&cursor->consumed, counts, 1);
    }
}

static void append(struct history *history, int64_t start_s, unsigned span_s, unsigned width_s,
                   const struct bucket_counts *slots)
{
    if (is_empty(slots, span_s / width_s))
        return;
    struct segment *segment = insert(history, history->segment_count);
    *segment = (struct segment){.start_s = start_s, .span_s = (uint16_t)span_s, .width_s = (uint16_t)width_s};
    encode(history, segment, slots);
    add(&history->total, &segment->total, 1);
}

static bool load_hour(struct history *history, unsigned width_s, const struct bucket *buckets, size_t count)
{
    struct bucket_counts slots[BUCKET_MAX_SLOTS];
    int64_t hour_s = floor_to(buckets[0].start_s, BUCKET_HOUR_S);
    if (history->open_s != INT64_MIN || find(history, hour_s) != history->segment_count ||
        buckets[count - 1].start_s >= hour_s + BUCKET_HOUR_S)
        return false;
    memset(slots, 0, BUCKET_HOUR_S / width_s * sizeof slots[0]);
    for (size_t i = 0; i < count; i++) {
        struct bucket_counts counts = {buckets[i].good, buckets[i].bad, buckets[i].unknown};
        add(&slots[(buckets[i].start_s - hour_s) / width_s], &counts, 1);
    }
    history->last_s = buckets[count - 1].start_s;
    if (width_s > 1)
        append(history, hour_s, BUCKET_HOUR_S, width_s, slots);
    for (unsigned at = 0; width_s == 1 && at < BUCKET_HOUR_S; at += SEGMENT_S)
        append(history, hour_s + at, SEGMENT_S, 1, slots + at);
    return true;
}

void history_load(struct history *history, unsigned width_s, const struct bucket *buckets, size_t count,
                  int64_t now_s)
{
    if (!count)
        return;
    reset_cursors(history);
    if (load_hour(history, width_s, buckets, count))
        return;
    for (size_t i = 0; i < count; i++) {
        struct bucket_counts counts = {buckets[i].good, buckets[i].bad, buckets[i].unknown};
        history_add(history, buckets[i].start_s, &counts, now_s);
    }
}

/* --- windows --- */

static void advance_in_segment(const struct segment *segment, struct cursor *cursor)
{
    unsigned until = (unsigned)((cursor->edge_s - segment->start_s) / segment->width_s);
    struct str blob = blob_of(segment);
    if (!cursor->reading) {
        if (bucket_reader_init(&cursor->reader, blob, NULL))
            abort();
        cursor->reading = true;
        cursor->run = 0;
    } else {
        cursor->reader.at = (const uint8_t *)blob.ptr + cursor->offset;
        cursor->reader.end = (const uint8_t *)blob.ptr + blob.len;
    }
    while (cursor->slot < until) {
        if (!cursor->run && bucket_reader_next(&cursor->reader, &cursor->run, &cursor->value, NULL) != 1)
            abort();
        unsigned take = until - cursor->slot < cursor->run ? until - cursor->slot : cursor->run;
        add(&cursor->consumed, &cursor->value, take);
        cursor->slot += take;
        cursor->run -= take;
    }
    cursor->offset = (size_t)(cursor->reader.at - (const uint8_t *)blob.ptr);
}

static void advance_cursor(const struct history *history, struct cursor *cursor)
{
    for (; cursor->at < history->segment_count; cursor->at++) {
        const struct segment *segment = &history->segments[cursor->at];
        if (cursor->edge_s < end_of(segment)) {
            if (cursor->edge_s > segment->start_s)
                advance_in_segment(segment, cursor);
            return;
        }
        add(&cursor->before, &segment->total, 1);
        cursor->consumed = (struct bucket_counts){0};
        cursor->reading = false;
        cursor->slot = 0;
    }
    if (history->open_s == INT64_MIN)
        return;
    for (; cursor->slot < SEGMENT_S && history->open_s + cursor->slot + 1 <= cursor->edge_s; cursor->slot++)
        add(&cursor->consumed, &history->open[cursor->slot], 1);
}

/* Puts all segments of the hour from `first` on into one; returns how many there were. */
static size_t merge_hour(struct history *history, size_t first, unsigned width_s)
{
    struct bucket_counts slots[BUCKET_MAX_SLOTS], merged[BUCKET_MAX_SLOTS];
    int64_t hour_s = floor_to(history->segments[first].start_s, BUCKET_HOUR_S);
    size_t count = 0;
    memset(merged, 0, BUCKET_HOUR_S / width_s * sizeof merged[0]);
    for (; first + count < history->segment_count; count++) {
        struct segment *segment = &history->segments[first + count];
        if (segment->start_s >= hour_s + BUCKET_HOUR_S)
            break;
        decode(segment, slots);
        for (unsigned i = 0; i < segment->span_s / segment->width_s; i++) {
            int64_t start_s = segment->start_s + (int64_t)i * segment->width_s;
            add(&merged[(start_s - hour_s) / width_s], &slots[i], 1);
        }
        drop_blob(history, segment);
    }
    struct segment *hour = &history->segments[first];
    *hour = (struct segment){.start_s = hour_s, .span_s = BUCKET_HOUR_S, .width_s = (uint16_t)width_s};
    encode(history, hour, merged);
    memmove(hour + 1, hour + count, (history->segment_count - first - count) * sizeof *hour);
    history->segment_count -= count - 1;
    return count;
}

static int64_t longest_window_s(const struct history *history)
{
    int64_t longest = BUCKET_HOUR_S;
    for (size_t i = 0; i < history->cursor_count; i++)
        longest = history->cursors[i].window_s > longest ? history->cursors[i].window_s : longest;
    return longest;
}

static void age(struct history *history, int64_t now_s)
{
    size_t gone = 0, i = 0;
    if (history->open_s != INT64_MIN && buckets_width_s(floor_to(history->open_s, BUCKET_HOUR_S), now_s) != 1)
        close_open(history);
    int64_t keep_from_s = now_s - longest_window_s(history) - BUCKET_HOUR_S;
    for (; gone < history->segment_count && end_of(&history->segments[gone]) <= keep_from_s; gone++) {
        add(&history->total, &history->segments[gone].total, UINT64_MAX); /* minus */
        drop_blob(history, &history->segments[gone]);
    }
    if (gone)
        memmove(history->segments, history->segments + gone,
                (history->segment_count - gone) * sizeof *history->segments);
    history->segment_count -= gone;
    bool changed = gone > 0;
    for (; i < history->segment_count; i++) {
        unsigned width_s = buckets_width_s(floor_to(history->segments[i].start_s, BUCKET_HOUR_S), now_s);
        if (width_s == 1)
            break; /* and all after it are younger */
        if (width_s && width_s > history->segments[i].width_s) {
            (void)merge_hour(history, i, width_s);
            changed = true;
        }
    }
    if (changed)
        reset_cursors(history);
}

void history_advance(struct history *history, int64_t now_s)
{
    int64_t hour_s = floor_to(now_s, BUCKET_HOUR_S);
    if (hour_s != history->aged_hour_s) {
        history->aged_hour_s = hour_s;
        age(history, now_s);
    }
    history->now_s = now_s;
    for (size_t i = 0; i < history->cursor_count; i++) {
        struct cursor *cursor = &history->cursors[i];
        int64_t edge_s = now_s - cursor->window_s;
        cursor->edge_s = edge_s > cursor->edge_s ? edge_s : cursor->edge_s;
        advance_cursor(history, cursor);
    }
}

struct bucket_counts history_sum(const struct history *history, size_t index)
{
    const struct cursor *cursor = &history->cursors[index];
    return (struct bucket_counts){
        history->total.good - cursor->before.good - cursor->consumed.good,
        history->total.bad - cursor->before.bad - cursor->consumed.bad,
        history->total.unknown - cursor->before.unknown - cursor->consumed.unknown,
    };
}

int64_t history_last_s(const struct history *history)
{
    return history->last_s;
}

size_t history_bytes(const struct history *history)
{
    return sizeof *history + history->segment_capacity * sizeof *history->segments + history->blob_bytes +
           history->cursor_count * sizeof *history->cursors;
}

/* --- life --- */

void history_set_windows(struct history *history, const int64_t *windows_s, size_t count)
{
    free(history->cursors);
    history->cursors = xcalloc(count ? count : 1, sizeof *history->cursors);
    history->cursor_count = count;
    for (size_t i = 0; i < count; i++)
        history->cursors[i] = (struct cursor){.window_s = windows_s[i], .edge_s = INT64_MIN};
}

struct history *history_new(const int64_t *windows_s, size_t count)
{
    struct history *history = xcalloc(1, sizeof *history);
    history->open_s = history->last_s = history->now_s = history->aged_hour_s = INT64_MIN;
    history_set_windows(history, windows_s, count);
    return history;
}

void history_free(struct history *history)
{
    if (!history)
        return;
    for (size_t i = 0; i < history->segment_count; i++)
        drop_blob(history, &history->segments[i]);
    free(history->segments);
    free(history->cursors);
    free(history);
}
