/* The ledger of a host: lines that anything on that host may have written. */
#include "provisioner/self_hosted/ledger.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(0);
    struct ledger ledger;
    ledger_read(arena, (struct str){(const char *)data, size}, &ledger);
    for (size_t i = 0; i < ledger.count; i++) {
        if (!ledger_find(&ledger, ledger.items[i].id))
            __builtin_trap();
    }
    arena_free(arena);
    return 0;
}
