/* The compressed form of up to an hour of buckets: runs of equal slots.
 *
 *     byte 1, varint width_s, varint slots, then tokens until every slot is told:
 *     varint (run << 2 | kind) and, by kind, 0: nothing (empty slots), 1: varint good, 2: varints good bad
 * unknown
 *
 * Varints are LEB128 (7 bits a byte, low first), at most 10 bytes. An hour of a healthy probe is six bytes. A
 * stored blob is sealed with four more: the low 32 bits of hash_stable() of what is before, little-endian.
 *
 * Pure. Errors: anything that is not exactly this grammar is ERR_CORRUPT; nothing is read past the end. */
#ifndef FRAISEQL_JOURNAL_BUCKET_CODEC_H
#define FRAISEQL_JOURNAL_BUCKET_CODEC_H

#include "lib/core/buf.h"
#include "lib/core/error.h"

#define BUCKET_HOUR_S    3600
#define BUCKET_MAX_SLOTS 3600U
#define BUCKET_BLOB_MAX  (BUCKET_MAX_SLOTS * 32U + 64U) /* no encoding is longer */

struct bucket_counts {
    uint64_t good, bad, unknown;
};

static inline bool bucket_counts_empty(const struct bucket_counts *counts)
{
    return !(counts->good | counts->bad | counts->unknown);
}

/* Saturates: 2^64 events a second are not ours to count. */
void bucket_counts_add(struct bucket_counts *into, const struct bucket_counts *more);

/* slots * width_s is at most an hour. Appends to out. */
void bucket_codec_encode(const struct bucket_counts *slots, unsigned count, unsigned width_s,
                         struct buf *out);

/* Walks the runs of a blob that stays where it is. */
struct bucket_reader {
    const uint8_t *at, *end;
    unsigned width_s, slots;
    unsigned next_slot; /* first slot that no run has told of yet */
};

int bucket_reader_init(struct bucket_reader *reader, struct str blob, struct error *err) CHECK_RESULT;
/* 1 and the next run, 0 at the end, or ERR_CORRUPT. */
int bucket_reader_next(struct bucket_reader *reader, unsigned *ret_run, struct bucket_counts *ret_counts,
                       struct error *err) CHECK_RESULT;

/* Fills slots[] (room for BUCKET_MAX_SLOTS). */
int bucket_codec_decode(struct str blob, struct bucket_counts *slots, unsigned *ret_count,
                        unsigned *ret_width_s, struct error *err) CHECK_RESULT;

/* Seals everything in `out` from `start` on. */
void bucket_codec_seal(struct buf *out, size_t start);
int bucket_codec_unseal(struct str sealed, struct str *ret_blob, struct error *err) CHECK_RESULT;

#endif
