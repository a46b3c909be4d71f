/* Finding one's way in a deployment. */
#include "provisioner/config/internal.h"
#include "provisioner/provider.h"

#include <stdio.h>

size_t deployment_places(const struct deployment *deployment)
{
    size_t places = 0;
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        if (deployment_region(deployment, i)->index >= places)
            places = deployment_region(deployment, i)->index + 1;
    }
    return places;
}

const struct region *deployment_find_region(const struct deployment *deployment, const char *name)
{
    for (size_t i = 0; name && i < deployment_region_count(deployment); i++) {
        if (strcmp(deployment_region(deployment, i)->name, name) == 0)
            return deployment_region(deployment, i);
    }
    return NULL;
}

static bool is_own(const struct region *region)
{
    return region->provider && region->provider->own_hosts;
}

struct deployment *deployment_part(const struct deployment *deployment, bool own_hosts)
{
    size_t count = deployment_region_count(deployment);
    struct deployment *part = arena_alloc(deployment->arena, sizeof *part);
    struct region *regions = arena_alloc(deployment->arena, (count + 1) * sizeof *regions);
    *part = *deployment;
    part->region_list.items = regions;
    part->region_list.count = 0;
    for (size_t i = 0; i < count; i++) {
        if (is_own(deployment_region(deployment, i)) == own_hosts)
            regions[part->region_list.count++] = *deployment_region(deployment, i);
    }
    return part;
}

bool deployment_is_first_own(const struct deployment *deployment, const struct region *region)
{
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        if (is_own(deployment_region(deployment, i)))
            return strcmp(deployment_region(deployment, i)->name, region->name) == 0;
    }
    return false;
}

bool deployment_replicates(const struct deployment *deployment, const struct region *region)
{
    const struct deployment_replication *replication = &deployment->replication;
    if (replication->mode == REPLICATION_NONE)
        return false;
    size_t taking_part = replication->regions.count ? 0 : deployment_region_count(deployment);
    bool named = !replication->regions.count;
    for (size_t i = 0; i < replication->regions.count; i++) {
        taking_part += deployment_find_region(deployment, replication->regions.items[i]) ? 1 : 0;
        named = named || strcmp(replication->regions.items[i], region->name) == 0;
    }
    return named && taking_part > 1;
}

/* The child for one step of a path: a key, or a number of a list. */
static const struct node *child(const struct node *node, struct str step)
{
    uint64_t index;
    if (node->kind == NODE_SEQUENCE)
        return str_to_u64(step, &index) && index < node->count ? node->items[index] : NULL;
    for (size_t i = 0; node->kind == NODE_MAPPING && i < node->count; i++) {
        if (str_equal(node->pairs[i].key, step))
            return node->pairs[i].value;
    }
    return NULL;
}

const struct node *deployment_node(const struct deployment *deployment, const char *dotted_path)
{
    const struct node *node = deployment->root;
    while (node && *dotted_path) {
        size_t length = strcspn(dotted_path, ".");
        const struct node *next = child(node, (struct str){dotted_path, length});
        if (!next)
            break;
        node = next;
        dotted_path += length + (dotted_path[length] == '.' ? 1 : 0);
    }
    return node;
}

const struct node *region_node(const struct deployment *deployment, const struct region *region,
                               const char *member)
{
    const struct node *regions = deployment_node(deployment, "regions");
    const struct node_pair *pair = region->name ? node_find(regions, region->name) : NULL;
    if (!pair)
        return regions;
    struct deployment inner = {.root = pair->value};
    return deployment_node(&inner, member);
}
