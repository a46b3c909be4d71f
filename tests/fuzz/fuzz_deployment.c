/* The reader of deployment files: whatever the bytes, findings or a deployment, and what was read is rendered
 * and read again. */
#include "provisioner/config/dialect.h"
#include "provisioner/database.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct deployment *deployment)
{
    struct buf text = BUF_INIT(1 << 22);
    deployment_dump(deployment, &text);
    const struct database *engine = database_find("postgresql");
    for (size_t i = 0; i < deployment_region_count(deployment); i++)
        engine->render_replication(deployment, deployment_region(deployment, i), &text);
    buf_deinit(&text);
}

/* The other dialect, and what it is turned into. */
static void convert(struct arena *arena, struct str bytes)
{
    struct findings findings;
    struct diag diag;
    struct node *root;
    struct buf text = BUF_INIT(1 << 22);
    findings_init(&findings, arena);
    diag_init(&diag);
    if (!yaml_parse(arena, "old.yaml", bytes, &root, &diag)) {
        struct node *again;
        struct diag trouble;
        diag_init(&trouble);
        dialect_convert(root, &findings, &text);
        /* A key twice in two spellings may be refused; anything else must be YAML. */
        int code = yaml_parse(arena, "new.yaml", buf_str(&text), &again, &trouble);
        for (size_t i = 0; code && i < trouble.count; i++) {
            if (!strstr(trouble.items[i].error.message, "duplicate key"))
                abort();
        }
        diag_deinit(&trouble);
    }
    diag_deinit(&diag);
    buf_deinit(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 64UL * 1024)
        return 0;
    struct arena *arena = arena_new(0);
    struct findings findings;
    struct deployment *deployment = NULL;
    struct str bytes = {(const char *)data, size};
    findings_init(&findings, arena);
    int code = deployment_parse(arena, "fuzz.yaml", bytes, &deployment, &findings);
    if (code != 0 && !findings.errors)
        abort();
    findings_sort(&findings);
    if (!code)
        use(deployment);
    convert(arena, bytes);
    arena_free(arena);
    return 0;
}
