/* What a host says of its processes and its database: the first byte says which. */
#include "provisioner/self_hosted/facts.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    struct arena *arena = arena_new(0);
    struct str json = {(const char *)data + 1, size - 1};
    struct buf out = BUF_INIT(16UL * 1024 * 1024);
    struct json_writer writer;
    json_init(&writer, &out);
    json_object_begin(&writer);
    if (data[0] == 'p') {
        struct process_facts facts;
        facts_processes(arena, json, &facts);
        facts_put_processes(&writer, &facts);
    } else {
        struct replication_facts facts;
        facts_replication(arena, "primary", json, &facts);
        facts_put_replication(&writer, &facts);
    }
    json_object_end(&writer);
    struct node *again = NULL;
    if (json_parse(arena, buf_str(&out), &again, NULL))
        __builtin_trap();
    buf_deinit(&out);
    arena_free(arena);
    return 0;
}
