/* What clouds answer who asks for backups: the first byte says which cloud. No crash, no text that acts on a
 * terminal, and a copy of an instance is JSON. */
#include "provisioner/aws/backups.h"
#include "provisioner/azure/backups.h"
#include "provisioner/gcp/backups.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text)
{
    assert(strlen(text) <= BACKUP_TEXT_MAX);
    for (; *text; text++)
        assert(*text >= 0x20 && *text < 0x7F);
}

static void copy(uint8_t cloud, const struct node *root, struct arena *arena)
{
    struct buf out = BUF_INIT(1024UL * 1024);
    struct error err = {0};
    struct node *again = NULL;
    int code = cloud == 'g' ? gcp_backups_copy(root, "name", "origin", &out, &err)
                            : azure_backups_copy(root, 1, "origin", &out, &err);
    /* A name that came twice in an answer is refused by json_parse() already; so it is of ours. */
    assert(code || out.failed || json_parse(arena, buf_str(&out), &again, NULL) == 0);
    buf_deinit(&out);
}

static void read_xml(struct str body, struct backup_list *list, struct arena *arena)
{
    const struct xml *root = NULL;
    const char *next = NULL;
    struct aws_form form;
    if (xml_parse(body, arena, &root, NULL))
        return;
    (void)!aws_backups_read(root, list, arena, &next, NULL);
    aws_form_init(&form, "A", "1");
    aws_backups_settings(root, "origin", &form);
    aws_form_deinit(&form);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct arena *arena = arena_new(0);
    struct backup_list list = {.database = "db"};
    const struct str body = {(const char *)data + 1, size - 1};
    struct node *root = NULL;
    const char *next = NULL;
    if (data[0] == 'a') {
        read_xml(body, &list, arena);
    } else if (json_parse(arena, body, &root, NULL) == 0) {
        (void)!(data[0] == 'g' ? gcp_backups_read(root, &list, arena, &next, NULL)
                               : azure_backups_read(root, &list, arena, &next, NULL));
        copy(data[0], root, arena);
    }
    backup_list_sort(&list);
    for (size_t i = 0; i < list.count; i++) {
        check_text(list.items[i].id);
        check_text(list.items[i].name);
        check_text(list.items[i].said);
    }
    arena_free(arena);
    return 0;
}
