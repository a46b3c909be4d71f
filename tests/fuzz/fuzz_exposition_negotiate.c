/* Accept and Accept-Encoding: whatever they say, one of the offered Content-Types is the answer. */
#include "exporters/exposition_negotiate.h"
#include "lib/core/arena.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char *const starts[] = {
        [EXPOSITION_TEXT] = "text/plain; version=0.0.4; charset=utf-8; escaping=",
        [EXPOSITION_OPENMETRICS_1_0_0] =
            "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=",
        [EXPOSITION_OPENMETRICS_0_0_1] =
            "application/openmetrics-text; version=0.0.1; charset=utf-8; escaping=",
    };
    char *header = xstrndup((struct str){(const char *)bytes, size});
    struct exposition_choice choice;
    exposition_negotiate(header, header, &choice);
    size_t length = strlen(starts[choice.format]);
    if (strncmp(choice.content_type, starts[choice.format], length) != 0 || !choice.content_type[length])
        abort();
    free(header);
    return 0;
}
