/* Stored bucket blobs: whatever decodes must encode to bytes that decode to the same. */
#include "lib/journal/bucket_codec.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct bucket_counts slots[BUCKET_MAX_SLOTS], again[BUCKET_MAX_SLOTS];

static void decode(struct str blob)
{
    unsigned count, width, count_again, width_again;
    if (bucket_codec_decode(blob, slots, &count, &width, NULL))
        return;
    struct buf out = BUF_INIT(BUCKET_BLOB_MAX);
    bucket_codec_encode(slots, count, width, &out);
    int code = bucket_codec_decode(buf_str(&out), again, &count_again, &width_again, NULL);
    assert(!out.failed && !code && count == count_again && width == width_again);
    assert(memcmp(slots, again, count * sizeof slots[0]) == 0);
    (void)code;
    buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct str input = {(const char *)bytes, size}, blob;
    decode(input);
    if (bucket_codec_unseal(input, &blob, NULL) == 0)
        decode(blob);
    return 0;
}
