/* `regions:` (free labels by region) and the reserved `failover:`. */
#include "collector/config_internal.h"

#include "lib/metrics/label.h"

static const char *const reserved_labels[] = {"region"};

static void parse_region(const struct node_pair *pair, struct arena *arena, struct config_region *region,
                         struct diag *diag)
{
    const struct node *labels = pair->value;
    region->name = pair->key.ptr;
    region->position = (struct option_position){labels->file, pair->line, pair->column};
    if (labels->kind != NODE_MAPPING) {
        (void)diag_add(diag, DIAG_ERROR, labels->file, labels->line, labels->column,
                       "regions.%s must be a mapping of labels, not %s", region->name,
                       node_kind_text(labels));
        return;
    }
    region->labels.items = arena_alloc(arena, labels->count * sizeof *region->labels.items + 1);
    for (size_t i = 0; i < labels->count; i++) {
        const struct node_pair *label = &labels->pairs[i];
        bool reserved = str_equal_text(label->key, reserved_labels[0]);
        if (!label_name_valid(label->key) || reserved)
            (void)diag_add(diag, DIAG_ERROR, labels->file, label->line, label->column,
                           "regions.%s: \"%s\" %s", region->name, label->key.ptr,
                           reserved ? "is set by the name of the region"
                                    : "is not a label name: letters, digits and _ are allowed");
        else if (label->value->kind != NODE_SCALAR)
            (void)diag_add(diag, DIAG_ERROR, labels->file, label->value->line, label->value->column,
                           "regions.%s.%s must be text, not %s", region->name, label->key.ptr,
                           node_kind_text(label->value));
        else
            region->labels.items[region->labels.count++] =
                (struct string_pair){label->key.ptr, label->value->scalar.ptr};
    }
}

int config_parse_regions(const struct option *option, const struct node *node, struct arena *arena,
                         void *member, struct diag *diag)
{
    struct section_list *list = member;
    size_t errors = diag->errors;
    if (node->kind != NODE_MAPPING) {
        (void)diag_add(diag, DIAG_ERROR, node->file, node->line, node->column,
                       "%s must be a mapping of region names, not %s", option->name, node_kind_text(node));
        return ERR_CONFIG;
    }
    struct config_region *regions = arena_zalloc(arena, node->count * sizeof *regions + 1);
    for (size_t i = 0; i < node->count; i++)
        parse_region(&node->pairs[i], arena, &regions[i], diag);
    list->items = regions;
    list->count = node->count;
    return diag->errors > errors ? ERR_CONFIG : 0;
}

void config_dump_regions(const struct option *option, const void *member, struct buf *out, unsigned indent)
{
    (void)option;
    const struct section_list *list = member;
    for (size_t i = 0; i < list->count; i++) {
        const struct config_region *region = SECTION_AT(const struct config_region, *list, i);
        buf_printf(out, "%*s", (int)indent, "");
        yaml_write_scalar(out, str_from(region->name));
        buf_append_text(out, region->labels.count ? ":\n" : ": {}\n");
        for (size_t j = 0; j < region->labels.count; j++) {
            buf_printf(out, "%*s%s: ", (int)indent + 2, "", region->labels.items[j].key);
            yaml_write_scalar(out, str_from(region->labels.items[j].value));
            buf_append_byte(out, '\n');
        }
    }
}

int config_refuse_failover(const struct option *option, const struct node *node, struct arena *arena,
                           void *member, struct diag *diag)
{
    (void)arena;
    (void)member;
    struct error *err =
        diag_add(diag, DIAG_ERROR, node->file, node->line, node->column,
                 "\"%s\" is reserved: this version decides and promotes nothing by itself", option->name);
    error_set_hint(
        err, "remove the section; triggers can tell a webhook or Alertmanager, and the operator switches");
    return ERR_CONFIG;
}
