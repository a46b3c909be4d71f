#include "provisioner/self_hosted/site.h"

int site_init(struct site *site, const struct site *sites, const struct deployment *deployment,
              const struct region *region, struct layout *layout, struct vault *vault, struct arena *arena,
              struct error *err)
{
    *site = (struct site){.deployment = deployment,
                          .region = region,
                          .layout = layout,
                          .sites = sites,
                          .site_count = deployment_region_count(deployment),
                          .primary = region->name,
                          .vault = vault,
                          .arena = arena};
    return layout_make(deployment, region, arena, layout, err);
}

int site_steps(const struct site *site, struct step_list *list, struct error *err)
{
    for (size_t i = 0; host_components[i]; i++) {
        const struct component *component = host_components[i];
        if (!component_runs(site->region, component->name))
            continue;
        int code = component->steps ? component->steps(site, list, err) : 0;
        if (code)
            return error_prefix(err, "region %s: %s", site->region->name, component->name);
    }
    return 0;
}
