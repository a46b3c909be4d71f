/* gzip and its relatives with output and ratio caps (a gzip bomb is a peer error, never memory).
 *
 * Reading: whole messages with libdeflate; all members of a multi-member file. Writing: one gzip *stream*
 * whose blocks are deflated apart (raw deflate ended by a full flush) so that unchanged blocks can be cached
 * and concatenated: RFC 1952 readers that stop after the first member (curl 7.88 does) read it whole. */
#ifndef FRAISEQL_NET_COMPRESS_H
#define FRAISEQL_NET_COMPRESS_H

#include "lib/core/buf.h"
#include "lib/core/error.h"

#define COMPRESS_MAX_RATIO 1100U /* deflate's own limit is 1032:1 */

/* Reusable state; one a thread. */
struct decompressor;
struct decompressor *decompressor_new(void);
void decompressor_free(struct decompressor *decompressor); /* accepts NULL */
DEFINE_CLEANUP(struct decompressor, decompressor_free)
/* gzip (all members), or zlib ("deflate" of HTTP; raw deflate is accepted too). Appends to out; ERR_LIMIT
 * when out->max would be passed, ERR_PARSE when the data are damaged or end early. */
int decompress_gzip(struct decompressor *decompressor, struct str data, struct buf *out, struct error *err)
    CHECK_RESULT;
int decompress_zlib(struct decompressor *decompressor, struct str data, struct buf *out, struct error *err)
    CHECK_RESULT;

/* One gzip stream made of blocks. */
struct gzip_block {
    uint32_t crc; /* CRC-32 of the plain bytes */
    uint32_t plain_len;
};
struct compressor;
struct compressor *compressor_new(int level); /* 1 to 9 */
void compressor_free(struct compressor *compressor);
DEFINE_CLEANUP(struct compressor, compressor_free)
/* Appends one self-contained block (usable in any stream) to out. */
void compress_block(struct compressor *compressor, struct str plain, struct buf *out,
                    struct gzip_block *ret_block);
void compress_gzip_header(struct buf *out);
/* Folds a block into the running trailer (start with {0, 0}). */
void compress_gzip_add(struct gzip_block *trailer, const struct gzip_block *block);
void compress_gzip_trailer(const struct gzip_block *trailer, struct buf *out);

#endif
