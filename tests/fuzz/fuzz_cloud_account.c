/* What the journal gives back of a series' account: taken as it was stored, or refused. */
#include "scrapers/cloud/ledger.h"

#include "lib/core/hash.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* The seal would stop every change: it is made right. */
    struct buf sealed = BUF_INIT(1 << 20), again = BUF_INIT(1 << 22);
    struct cloud_account account;
    struct str key;
    buf_append(&sealed, data, size);
    uint64_t seal = hash_stable(buf_str(&sealed));
    for (unsigned i = 0; i < 8; i++)
        buf_append_byte(&sealed, (char)(seal >> (8 * i) & 0xff));
    if (!sealed.failed && cloud_account_decode(&account, buf_str(&sealed), &key, NULL) == 0) {
        cloud_account_encode(&account, key, &again);
        assert(str_equal(buf_str(&again), buf_str(&sealed)));
        cloud_account_deinit(&account);
    }
    buf_deinit(&sealed);
    buf_deinit(&again);
    return 0;
}
