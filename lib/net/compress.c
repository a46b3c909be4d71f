#include "lib/net/compress.h"

#include "lib/core/arena.h"

#include <assert.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <zlib.h>

#define FIRST_ROOM_BYTES 16384UL
#define RATIO_SLACK      4096UL /* for tiny inputs */

struct decompressor {
    struct libdeflate_decompressor *deflate;
};

typedef enum libdeflate_result decompress_fn(struct libdeflate_decompressor *deflate, const void *in,
                                             size_t in_len, void *out, size_t out_len, size_t *ret_in,
                                             size_t *ret_out);

struct decompressor *decompressor_new(void)
{
    struct decompressor *decompressor = xcalloc(1, sizeof *decompressor);
    decompressor->deflate = libdeflate_alloc_decompressor();
    if (!decompressor->deflate)
        abort(); /* out of memory */
    return decompressor;
}

void decompressor_free(struct decompressor *decompressor)
{
    if (!decompressor)
        return;
    libdeflate_free_decompressor(decompressor->deflate);
    free(decompressor);
}

/* Room that an honest input of this size can fill, within what the buffer may hold. */
static size_t most_room(const struct buf *out, size_t in_len)
{
    size_t by_ratio, by_max = out->max - out->len;
    if (__builtin_mul_overflow(in_len, (size_t)COMPRESS_MAX_RATIO, &by_ratio) ||
        __builtin_add_overflow(by_ratio, RATIO_SLACK, &by_ratio))
        return by_max;
    return by_ratio < by_max ? by_ratio : by_max;
}

static int bad_data(struct error *err)
{
    return error_set(err, ERR_PARSE, "the compressed data are damaged or end early");
}

/* One member or stream at the start of `data`. libdeflate wants the whole output at once and starts again
 * when it did not fit, so the room doubles: the work is at most twice the last try. */
static int decompress_one(struct decompressor *decompressor, decompress_fn *fn, struct str data, size_t room,
                          struct buf *out, size_t *ret_used, struct error *err)
{
    size_t most = most_room(out, data.len);
    for (;;) {
        if (room > most)
            room = most;
        size_t used = 0, wrote = 0;
        char none;
        if (room && !buf_reserve(out, room))
            return error_set(err, ERR_LIMIT, "the data are larger than %zu bytes when decompressed",
                             out->max);
        enum libdeflate_result result = fn(decompressor->deflate, data.ptr, data.len,
                                           room ? out->data + out->len : &none, room, &used, &wrote);
        if (result == LIBDEFLATE_SUCCESS) {
            out->len += wrote;
            *ret_used = used;
            return 0;
        }
        if (result != LIBDEFLATE_INSUFFICIENT_SPACE)
            return bad_data(err);
        if (room == most)
            return most == out->max - out->len
                       ? error_set(err, ERR_LIMIT, "the data are larger than %zu bytes when decompressed",
                                   out->max)
                       : bad_data(err); /* no deflate stream grows that much */
        room *= 2;
    }
}

static size_t trailer_size(struct str data)
{
    const unsigned char *end = (const unsigned char *)data.ptr + data.len;
    return end[-4] | (size_t)end[-3] << 8 | (size_t)end[-2] << 16 | (size_t)end[-1] << 24;
}

int decompress_gzip(struct decompressor *decompressor, struct str data, struct buf *out, struct error *err)
{
    if (data.len < 18) /* header and trailer of RFC 1952 */
        return bad_data(err);
    size_t start = out->len;
    while (data.len) {
        size_t used = 0;
        /* The trailer of a single member tells the size; it is a hint and trusted no further. */
        size_t room = data.len >= 18 ? trailer_size(data) : 0;
        if (room < FIRST_ROOM_BYTES)
            room = FIRST_ROOM_BYTES;
        int rc = decompress_one(decompressor, libdeflate_gzip_decompress_ex, data, room, out, &used, err);
        if (rc < 0) {
            out->len = start;
            return rc;
        }
        data = (struct str){data.ptr + used, data.len - used};
    }
    return 0;
}

static bool looks_like_zlib(struct str data)
{
    /* RFC 1950: method 8, and the two bytes are a multiple of 31. */
    const unsigned char *bytes = (const unsigned char *)data.ptr;
    return data.len >= 2 && (bytes[0] & 0x0f) == 8 && (bytes[0] * 256 + bytes[1]) % 31 == 0;
}

int decompress_zlib(struct decompressor *decompressor, struct str data, struct buf *out, struct error *err)
{
    size_t used = 0, start = out->len;
    size_t room = data.len < FIRST_ROOM_BYTES / 4 ? FIRST_ROOM_BYTES : data.len * 4;
    int rc = ERR_PARSE;
    if (!data.len)
        return bad_data(err);
    if (looks_like_zlib(data))
        rc = decompress_one(decompressor, libdeflate_zlib_decompress_ex, data, room, out, &used, err);
    /* Some senders mean raw deflate when they say "deflate" (RFC 9110 section 8.4.1.2). */
    if (rc == ERR_PARSE)
        rc = decompress_one(decompressor, libdeflate_deflate_decompress_ex, data, room, out, &used, err);
    if (rc == 0 && used != data.len)
        rc = bad_data(err);
    if (rc < 0)
        out->len = start;
    return rc;
}

struct compressor {
    z_stream stream;
};

/* zlib writes here, as libdeflate cannot end its output by a flush. */
struct compressor *compressor_new(int level)
{
    struct compressor *compressor = xcalloc(1, sizeof *compressor);
    if (deflateInit2(&compressor->stream, level, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        abort(); /* out of memory, or a level that is not from 1 to 9 */
    return compressor;
}

void compressor_free(struct compressor *compressor)
{
    if (!compressor)
        return;
    (void)deflateEnd(&compressor->stream);
    free(compressor);
}

void compress_block(struct compressor *compressor, struct str plain, struct buf *out,
                    struct gzip_block *ret_block)
{
    assert(plain.len <= UINT32_MAX);
    z_stream *stream = &compressor->stream;
    ret_block->crc = libdeflate_crc32(0, plain.ptr, plain.len);
    ret_block->plain_len = (uint32_t)plain.len;
    (void)deflateReset(stream);
    /* The bound is that of a finished stream; a flush adds at most an empty stored block. */
    size_t room = deflateBound(stream, plain.len) + 16;
    if (room > out->max - out->len)
        room = out->max - out->len; /* it may do with less */
    if (!plain.len || !buf_reserve(out, room))
        return;
    stream->next_in = (Bytef *)(uintptr_t)plain.ptr;
    stream->avail_in = (uInt)plain.len;
    stream->next_out = (Bytef *)out->data + out->len;
    stream->avail_out = (uInt)room;
    if (room > 0)
        (void)deflate(stream, Z_FULL_FLUSH);
    /* Room that was filled to the last byte may have been too small for the flush (zlib.h, deflate()). */
    if (stream->avail_out == 0) {
        out->failed = true;
        return;
    }
    assert(stream->avail_in == 0);
    out->len += room - stream->avail_out;
}

void compress_gzip_header(struct buf *out)
{
    /* RFC 1952: magic, deflate, no flags, no time, no extra flags, unknown system. */
    static const unsigned char header[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
    buf_append(out, header, sizeof header);
}

void compress_gzip_add(struct gzip_block *trailer, const struct gzip_block *block)
{
    trailer->crc = (uint32_t)crc32_combine(trailer->crc, block->crc, (z_off_t)block->plain_len);
    trailer->plain_len += block->plain_len; /* modulo 2^32, as the format has it */
}

void compress_gzip_trailer(const struct gzip_block *trailer, struct buf *out)
{
    unsigned char bytes[10] = {0x03, 0x00}; /* a last block, empty, with the fixed codes (RFC 1951) */
    for (unsigned i = 0; i < 4; i++) {
        bytes[2 + i] = (unsigned char)(trailer->crc >> (8 * i));
        bytes[6 + i] = (unsigned char)(trailer->plain_len >> (8 * i));
    }
    buf_append(out, bytes, sizeof bytes);
}
