/* What clouds answer who asks for a log: the first byte says which cloud. No crash, and no line that is too
 * long or holds what acts on a terminal. */
#include "provisioner/aws/logs.h"
#include "provisioner/azure/logs.h"
#include "provisioner/gcp/logs.h"

#include <assert.h>

#define MOST 7U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_answer(uint8_t cloud, struct str body, struct log_lines *lines, struct arena *arena)
{
    struct error err = {0};
    const char *text = NULL;
    int code = cloud == 'a'   ? aws_logs_read(body, lines, arena, &text, &err)
               : cloud == 'g' ? gcp_logs_read(body, lines, arena, &text, &err)
               : cloud == 'z' ? azure_logs_read(body, lines, arena, &err)
                              : azure_workspace_read(body, arena, &text, &err);
    assert(code ? err.message[0] : !err.message[0]);
    assert(!code || !text);
}

static void check(const char *line)
{
    assert(line[0] && strlen(line) < 2 * LOG_LINE_BYTES + 64 && str_is_utf8(str_from(line)));
    for (; *line; line++)
        assert((unsigned char)*line >= 0x20 && *line != 0x7F);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct arena *arena = arena_new(0);
    struct log_lines lines;
    struct string_list list;
    const struct str body = {(const char *)data + 1, size - 1};
    log_lines_init(&lines, MOST);
    read_answer(data[0], body, &lines, arena);
    read_answer(data[0], body, &lines, arena); /* a second page */
    log_lines_add(&lines, 0, body);
    log_lines_give(&lines, arena, &list);
    assert(list.count <= MOST);
    for (size_t i = 0; i < list.count; i++)
        check(list.items[i]);
    log_lines_deinit(&lines);
    arena_free(arena);
    return 0;
}
