/* Configuration files: yaml_parse(), then the option tables over a table with every type, then their dump,
 * which must parse back to the same dump. */
#include "tests/unit/lib/core/option_fixture.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static NO_RETURN void fail(const char *what, const struct diag *diag, const char *text)
{
    (void)fprintf(stderr, "%s\n%s\n", what, text);
    diag_print(diag, 2);
    abort();
}

/* NULL when the text is refused. */
static char *dump_of(struct str text, struct diag *diag)
{
    struct arena *arena = arena_new(0);
    struct node *root;
    struct fix_config config = {0};
    char *dump = NULL;
    if (yaml_parse(arena, "fuzz.yaml", text, &root, diag) == 0 &&
        option_parse(&fix_section, root, arena, &config, diag) == 0) {
        struct buf out = BUF_INIT(64UL * 1024 * 1024);
        option_dump(&fix_section, &config, &out, 0);
        dump = buf_take(&out);
    } else if (!diag->errors) {
        fail("refused without a message", diag, "");
    }
    arena_free(arena);
    return dump;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct diag diag;
    diag_init(&diag);
    char *first = dump_of((struct str){(const char *)bytes, size}, &diag);
    diag_sort(&diag);
    diag_deinit(&diag);
    if (!first)
        return 0;
    char *second = dump_of(str_from(first), &diag);
    if (!second)
        fail("the dump is refused", &diag, first);
    /* What is masked is gone: only the rest must come back as it was. */
    if (strcmp(first, second) != 0 && !strstr(first, "***"))
        fail("the dump of the dump differs", &diag, first);
    diag_deinit(&diag);
    free(first);
    free(second);
    return 0;
}
