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

static int parse_object(struct arena *arena, struct str json, struct node **ret_object, struct error *err)
{
    int code = json_parse(arena, json, ret_object, err);
    if (!code && (*ret_object)->kind != NODE_MAPPING)
        code = error_set(err, ERR_PARSE, "the outputs are no object");
    return code;
}

int outputs_parse(struct arena *arena, struct str json, struct root_outputs *ret, struct error *err)
{
    struct node *document = NULL;
    int code = parse_object(arena, json, &document, err);
    if (code)
        return code;
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

static int capture(struct run_root *root, struct buf *bytes, struct error *err)
{
    static const char *const arguments[] = {"output", "-json", "-no-color", NULL};
    return terraform_capture(&root->run->terraform, root->folder, arguments, bytes, err);
}

int root_outputs(struct run_root *root, struct root_outputs *ret, struct error *err)
{
    if (root->own) {
        hosts_outputs(root, ret);
        return 0;
    }
    struct buf bytes = BUF_INIT(TF_CAPTURE_MAX);
    int code = capture(root, &bytes, err);
    if (!code)
        code = outputs_parse(root->arena, buf_str(&bytes), ret, err);
    buf_deinit(&bytes);
    return code;
}

int root_documents(struct run_root *global, const struct node **ret_documents, struct error *err)
{
    struct buf bytes = BUF_INIT(TF_CAPTURE_MAX);
    struct node *outputs = NULL;
    int code = capture(global, &bytes, err);
    if (!code)
        code = parse_object(global->arena, buf_str(&bytes), &outputs, err);
    *ret_documents = code ? NULL : node_member(node_member(outputs, "replication"), "value");
    buf_deinit(&bytes);
    return code;
}
