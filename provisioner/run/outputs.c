#include "provisioner/run/outputs.h"

#include "provisioner/run/hosts.h"

#include <unistd.h>

static const char *value_of(struct arena *arena, const struct node *outputs, const char *name)
{
    const struct node_pair *output = node_find(outputs, name);
    const struct node_pair *value =
        output && output->value->kind == NODE_MAPPING ? node_find(output->value, "value") : NULL;
    if (!value || value->value->kind != NODE_SCALAR || node_is_null(value->value))
        return "";
    return arena_strdup(arena, value->value->scalar);
}

/* Addresses and names go into commands that a person copies into a shell: whatever could act there is no
 * value. */
static const char *word_of(struct arena *arena, const struct node *outputs, const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.:_-";
    const char *value = value_of(arena, outputs, name);
    return value[0] != '-' && value[strspn(value, allowed)] == '\0' ? value : "";
}

int outputs_parse(struct arena *arena, struct str json, struct root_outputs *ret, struct error *err)
{
    struct node *document = NULL;
    int code = json_parse(arena, json, &document, err);
    if (code)
        return code;
    if (document->kind != NODE_MAPPING)
        return error_set(err, ERR_PARSE, "the outputs are no object");
    *ret = (struct root_outputs){
        .any = document->count > 0,
        .url = value_of(arena, document, "url"),
        .endpoint = value_of(arena, document, "endpoint"),
        .database_address = word_of(arena, document, "database_address"),
        .database_port = word_of(arena, document, "database_port"),
        .database_name = word_of(arena, document, "database_name"),
        .gateway_address = word_of(arena, document, "gateway_address"),
        .service_group = value_of(arena, document, "service_group"),
        .replication_state = value_of(arena, document, "replication_state"),
    };
    return 0;
}

int root_outputs(struct run_root *root, struct root_outputs *ret, struct error *err)
{
    if (root->own) {
        hosts_outputs(root, ret);
        return 0;
    }
    static const char *const arguments[] = {"output", "-json", "-no-color", NULL};
    struct buf bytes = BUF_INIT(TF_CAPTURE_MAX);
    int code = terraform_capture(&root->run->terraform, root->folder, arguments, &bytes, err);
    if (!code)
        code = outputs_parse(root->arena, buf_str(&bytes), ret, err);
    buf_deinit(&bytes);
    return code;
}
