/* Selectors: any text is parsed or refused; what parses is matched against label text made of the same bytes.
 */
#include "lib/core/arena.h"
#include "lib/metrics/label.h"
#include "lib/metrics/selector.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct str input = {(const char *)bytes, size};
    char *text = xstrndup(input);
    struct selector *selector;
    struct error err;
    if (size < 4096 && selector_parse(text, &selector, &err) == 0) {
        (void)selector_matches(selector, STR("a"), STR("x=\"1\",y=\"q\\\"\\\\\\n\""));
        struct label label = {STR("x"), input};
        size_t count = 1;
        struct buf labels = BUF_INIT(LIMIT_LABEL_TEXT_BYTES);
        if (labels_render(&label, &count, &labels) == 0) {
            struct buf back = BUF_INIT(LIMIT_LABEL_TEXT_BYTES);
            (void)selector_matches(selector, STR("a"), buf_str(&labels));
            if (size &&
                (!label_text_find(buf_str(&labels), STR("x"), &back) || !str_equal(buf_str(&back), input)))
                abort(); /* escaping must be undone exactly */
            buf_deinit(&back);
        }
        (void)selector_matches(selector, input, input); /* not canonical: must stay inside */
        buf_deinit(&labels);
        selector_free(selector);
    }
    free(text);
    return 0;
}
