/* The mask of passwords: any text, and the rule that what follows "password=" in a conninfo never comes
 * through. */
#include "lib/core/secret.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char tail[] = " password=Zs3cretZ";
    if (size > 4096)
        return 0;
    char *text = malloc(size + sizeof tail), *masked = malloc(size * 4 + 256);
    if (!text || !masked)
        abort();
    if (size)
        memcpy(text, bytes, size);
    text[size] = '\0';
    secret_mask_text(text, masked, size * 3 + 1);
    secret_mask_conninfo(text, masked, size * 3 + 1);
    /* A word of the input itself would be found too. */
    if (!strstr(text, "s3cret")) {
        memcpy(text + strlen(text), tail, sizeof tail);
        secret_mask_conninfo(text, masked, size * 4 + 256);
        if (strstr(masked, "s3cret"))
            abort();
    }
    free(text);
    free(masked);
    return 0;
}
