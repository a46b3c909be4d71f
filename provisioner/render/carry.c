/* What an earlier rendering of the global root had configured and this one does not: its providers. Terraform
 * can only remove what the root no longer describes with the provider that made it, so they stay. One that
 * nothing uses is not even started. */
#include "lib/core/file.h"
#include "lib/core/yaml.h"
#include "provisioner/render/render_internal.h"

/* A block, or a list of them under one name. */
static size_t block_count(const struct node *blocks)
{
    return !blocks ? 0 : blocks->kind == NODE_SEQUENCE ? blocks->count : 1;
}

static const struct node *block_at(const struct node *blocks, size_t i)
{
    return blocks->kind == NODE_SEQUENCE ? blocks->items[i] : blocks;
}

static bool has_alias(const struct node *blocks, struct str alias)
{
    for (size_t i = 0; i < block_count(blocks); i++) {
        if (str_equal(node_text(block_at(blocks, i), "alias"), alias))
            return true;
    }
    return false;
}

static bool lacks_block(const struct node *now, const struct node *before)
{
    for (size_t i = 0; i < block_count(before); i++) {
        if (!has_alias(now, node_text(block_at(before, i), "alias")))
            return true;
    }
    return false;
}

static size_t pair_count(const struct node *mapping)
{
    return mapping && mapping->kind == NODE_MAPPING ? mapping->count : 0;
}

static void put_blocks(struct json_writer *json, const struct node *now, const struct node *before)
{
    json_array_begin(json);
    for (size_t i = 0; i < block_count(now); i++)
        json_node(json, block_at(now, i));
    for (size_t i = 0; i < block_count(before); i++) {
        if (!has_alias(now, node_text(block_at(before, i), "alias")))
            json_node(json, block_at(before, i));
    }
    json_array_end(json);
}

/* What `before` has and `now` does not. */
static void put_missing(struct json_writer *json, const struct node *now, const struct node *before)
{
    for (size_t i = 0; i < pair_count(before); i++) {
        if (node_member(now, before->pairs[i].key.ptr))
            continue;
        json_key(json, before->pairs[i].key.ptr);
        json_node(json, before->pairs[i].value);
    }
}

static void put_providers(struct json_writer *json, const struct node *now, const struct node *before)
{
    json_key(json, "provider");
    json_object_begin(json);
    for (size_t i = 0; i < pair_count(now); i++) {
        const char *name = now->pairs[i].key.ptr;
        json_key(json, name);
        if (lacks_block(now->pairs[i].value, node_member(before, name)))
            put_blocks(json, now->pairs[i].value, node_member(before, name));
        else
            json_node(json, now->pairs[i].value);
    }
    put_missing(json, now, before);
    json_object_end(json);
}

static void put_requirements(struct json_writer *json, const struct node *now, const struct node *before)
{
    json_object_begin(json);
    for (size_t i = 0; i < pair_count(now); i++) {
        json_key(json, now->pairs[i].key.ptr);
        json_node(json, now->pairs[i].value);
    }
    put_missing(json, now, before);
    json_object_end(json);
}

static void put_terraform(struct json_writer *json, const struct node *now, const struct node *before)
{
    static const char requirements[] = "required_providers";
    json_object_begin(json);
    for (size_t i = 0; i < pair_count(now); i++) {
        const char *key = now->pairs[i].key.ptr;
        json_key(json, key);
        if (strcmp(key, requirements) == 0)
            put_requirements(json, now->pairs[i].value, node_member(before, requirements));
        else
            json_node(json, now->pairs[i].value);
    }
    json_object_end(json);
}

static bool lacks_any(const struct node *now, const struct node *before)
{
    for (size_t i = 0; i < pair_count(before); i++) {
        if (lacks_block(node_member(now, before->pairs[i].key.ptr), before->pairs[i].value))
            return true;
    }
    return false;
}

static void merge(struct json_writer *json, const struct node *now, const struct node *before)
{
    const struct node *providers = node_member(before, "provider");
    json_object_begin(json);
    for (size_t i = 0; i < pair_count(now); i++) {
        const char *key = now->pairs[i].key.ptr;
        if (strcmp(key, "provider") == 0)
            continue;
        json_key(json, key);
        if (strcmp(key, "terraform") == 0)
            put_terraform(json, now->pairs[i].value, node_member(before, key));
        else
            json_node(json, now->pairs[i].value);
    }
    put_providers(json, node_member(now, "provider"), providers);
    json_object_end(json);
}

void render_carry(struct arena *arena, const char *path, struct buf *document)
{
    struct buf text = BUF_INIT(RENDER_MAX_BYTES), flat = BUF_INIT(RENDER_MAX_BYTES);
    struct node *before = NULL, *now = NULL;
    struct json_writer json;
    if (file_read(path, &text, NULL) || json_parse(arena, buf_str(&text), &before, NULL) ||
        json_parse(arena, buf_str(document), &now, NULL) ||
        !lacks_any(node_member(now, "provider"), node_member(before, "provider"))) {
        buf_deinit(&text);
        return;
    }
    json_init(&json, &flat);
    merge(&json, now, before);
    buf_reset(document);
    render_indent(buf_str(&flat), document);
    buf_deinit(&flat);
    buf_deinit(&text);
}
