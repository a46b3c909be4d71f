/* What a schedule of backups says of itself: lines of a file on a host. */
#include "scrapers/backup/status.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct backup_status status;
    if (backup_status_read((struct str){(const char *)data, size}, &status, NULL) != 0)
        return 0;
    assert(status.since_s > 0);
    uint64_t newest_s = backup_status_newest_s(&status);
    assert(newest_s == 0 || newest_s >= status.since_s);
    assert(status.verified.ended_s <= newest_s);
    return 0;
}
