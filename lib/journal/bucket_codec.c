#include "lib/journal/bucket_codec.h"

#include "lib/core/hash.h"

#define CODEC_VERSION 1
#define SEAL_BYTES    4

enum token_kind { TOKEN_EMPTY, TOKEN_GOOD, TOKEN_ALL };

static uint64_t add_saturating(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

void bucket_counts_add(struct bucket_counts *into, const struct bucket_counts *more)
{
    into->good = add_saturating(into->good, more->good);
    into->bad = add_saturating(into->bad, more->bad);
    into->unknown = add_saturating(into->unknown, more->unknown);
}

static void write_varint(struct buf *out, uint64_t number)
{
    char bytes[10];
    size_t len = 0;
    for (; number >= 0x80; number >>= 7)
        bytes[len++] = (char)(number | 0x80);
    bytes[len++] = (char)number;
    buf_append(out, bytes, len);
}

static int read_varint(struct bucket_reader *reader, uint64_t *ret_number)
{
    uint64_t number = 0;
    for (unsigned shift = 0; shift < 64 && reader->at < reader->end; shift += 7) {
        uint8_t byte = *reader->at++;
        if (shift == 63 && byte > 1)
            return -1;
        number |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *ret_number = number;
            return 0;
        }
    }
    return -1;
}

static bool equal(const struct bucket_counts *a, const struct bucket_counts *b)
{
    return a->good == b->good && a->bad == b->bad && a->unknown == b->unknown;
}

static void write_run(struct buf *out, unsigned run, const struct bucket_counts *counts)
{
    enum token_kind kind = bucket_counts_empty(counts)        ? TOKEN_EMPTY
                           : !(counts->bad | counts->unknown) ? TOKEN_GOOD
                                                              : TOKEN_ALL;
    write_varint(out, (uint64_t)run << 2 | kind);
    if (kind != TOKEN_EMPTY)
        write_varint(out, counts->good);
    if (kind == TOKEN_ALL) {
        write_varint(out, counts->bad);
        write_varint(out, counts->unknown);
    }
}

void bucket_codec_encode(const struct bucket_counts *slots, unsigned count, unsigned width_s, struct buf *out)
{
    buf_append_byte(out, CODEC_VERSION);
    write_varint(out, width_s);
    write_varint(out, count);
    for (unsigned i = 0; i < count;) {
        unsigned run = 1;
        while (i + run < count && equal(&slots[i], &slots[i + run]))
            run++;
        write_run(out, run, &slots[i]);
        i += run;
    }
}

static int corrupt(struct error *err, const char *what)
{
    return error_set(err, ERR_CORRUPT, "stored buckets are damaged: %s", what);
}

int bucket_reader_init(struct bucket_reader *reader, struct str blob, struct error *err)
{
    uint64_t width, slots;
    *reader =
        (struct bucket_reader){.at = (const uint8_t *)blob.ptr, .end = (const uint8_t *)blob.ptr + blob.len};
    if (!blob.len || *reader->at++ != CODEC_VERSION)
        return corrupt(err, "unknown version");
    if (read_varint(reader, &width) || read_varint(reader, &slots))
        return corrupt(err, "cut off in the header");
    if (!width || !slots || width > BUCKET_HOUR_S || slots > BUCKET_MAX_SLOTS ||
        width * slots > BUCKET_HOUR_S)
        return corrupt(err, "more than an hour");
    reader->width_s = (unsigned)width;
    reader->slots = (unsigned)slots;
    return 0;
}

int bucket_reader_next(struct bucket_reader *reader, unsigned *ret_run, struct bucket_counts *ret_counts,
                       struct error *err)
{
    struct bucket_counts counts = {0};
    uint64_t token;
    if (reader->next_slot == reader->slots)
        return reader->at == reader->end ? 0 : corrupt(err, "bytes after the last slot");
    if (read_varint(reader, &token))
        return corrupt(err, "cut off");
    uint64_t run = token >> 2, kind = token & 3;
    if (!run || run > reader->slots - reader->next_slot)
        return corrupt(err, "a run leaves the hour");
    if (kind > TOKEN_ALL)
        return corrupt(err, "unknown token");
    if (kind != TOKEN_EMPTY && read_varint(reader, &counts.good))
        return corrupt(err, "cut off");
    if (kind == TOKEN_ALL && (read_varint(reader, &counts.bad) || read_varint(reader, &counts.unknown)))
        return corrupt(err, "cut off");
    reader->next_slot += (unsigned)run;
    *ret_run = (unsigned)run;
    *ret_counts = counts;
    return 1;
}

int bucket_codec_decode(struct str blob, struct bucket_counts *slots, unsigned *ret_count,
                        unsigned *ret_width_s, struct error *err)
{
    struct bucket_reader reader;
    int code = bucket_reader_init(&reader, blob, err);
    if (code)
        return code;
    unsigned run, at = 0;
    struct bucket_counts counts;
    while ((code = bucket_reader_next(&reader, &run, &counts, err)) == 1) {
        for (unsigned i = 0; i < run; i++)
            slots[at++] = counts;
    }
    if (code)
        return code;
    *ret_count = reader.slots;
    *ret_width_s = reader.width_s;
    return 0;
}

static void seal_of(struct str blob, unsigned char seal[SEAL_BYTES])
{
    uint64_t hash = hash_stable(blob);
    for (unsigned i = 0; i < SEAL_BYTES; i++)
        seal[i] = (unsigned char)(hash >> 8 * i);
}

void bucket_codec_seal(struct buf *out, size_t start)
{
    unsigned char seal[SEAL_BYTES];
    struct str blob = buf_str(out);
    seal_of((struct str){blob.ptr + start, blob.len - start}, seal);
    buf_append(out, seal, sizeof seal);
}

int bucket_codec_unseal(struct str sealed, struct str *ret_blob, struct error *err)
{
    unsigned char seal[SEAL_BYTES];
    if (sealed.len < SEAL_BYTES)
        return corrupt(err, "shorter than its check sum");
    struct str blob = {sealed.ptr, sealed.len - SEAL_BYTES};
    seal_of(blob, seal);
    if (memcmp(seal, blob.ptr + blob.len, SEAL_BYTES) != 0)
        return corrupt(err, "the check sum does not match");
    *ret_blob = blob;
    return 0;
}
