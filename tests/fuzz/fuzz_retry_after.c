/* Retry-After of a receiver's answer. */
#include "lib/net/retry.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const int64_t max_ns = 3600 * NS_PER_S;
    int64_t wait_ns =
        retry_after_ns((struct str){(const char *)data, size}, INT64_C(1764000000000000000), max_ns);
    assert(wait_ns >= 0 && wait_ns <= max_ns);
    return 0;
}
