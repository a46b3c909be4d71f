/* The first byte picks the format, the rest are the data: nothing but a limit or a parse error may come of
 * it, and what is read stays within the maximum. */
#include "lib/net/compress.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct decompressor *decompressor = decompressor_new();
    struct buf out = BUF_INIT(1UL << 20);
    struct error err = {0};
    struct str bytes = {(const char *)data + 1, size - 1};
    int rc = data[0] & 1 ? decompress_zlib(decompressor, bytes, &out, &err)
                         : decompress_gzip(decompressor, bytes, &out, &err);
    if (rc != 0 && (rc != err.code || (rc != ERR_LIMIT && rc != ERR_PARSE) || out.len != 0))
        abort();
    if (out.len > out.max || out.len > bytes.len * COMPRESS_MAX_RATIO + 65536)
        abort();
    buf_deinit(&out);
    decompressor_free(decompressor);
    return 0;
}
