#include "provisioner/self_hosted/near.h"

#include "lib/core/arena.h"
#include "provisioner/self_hosted/network.h"

int64_t near_round_trip_ns(const struct site *a, const struct site *b)
{
    return (int64_t)network_latency_ms(a->deployment, a->region->name, b->region->name) * NS_PER_MS;
}

int64_t near_longest_round_trip_ns(const struct site *site)
{
    int64_t longest_ns = 0;
    for (size_t i = 0; i < site->site_count; i++) {
        for (size_t j = 0; j < i; j++) {
            int64_t ns = near_round_trip_ns(&site->sites[i], &site->sites[j]);
            longest_ns = ns > longest_ns ? ns : longest_ns;
        }
    }
    return longest_ns;
}

const struct site *const *near_sites(const struct site *site)
{
    const struct site **sorted = arena_zalloc(site->arena, (site->site_count + 1) * sizeof *sorted);
    size_t count = 0;
    sorted[count++] = site;
    for (size_t i = 0; i < site->site_count; i++) {
        const struct site *other = &site->sites[i];
        if (strcmp(other->region->name, site->region->name) == 0)
            continue;
        size_t place = count++;
        int64_t ns = near_round_trip_ns(site, other);
        for (; place > 1 && near_round_trip_ns(site, sorted[place - 1]) > ns; place--)
            sorted[place] = sorted[place - 1];
        sorted[place] = other;
    }
    return sorted;
}

bool near_same_cluster(const struct site *a, const struct site *b)
{
    if (strcmp(a->region->name, b->region->name) == 0)
        return true;
    return deployment_replicates(a->deployment, a->region) && deployment_replicates(b->deployment, b->region);
}

const struct site *near_write_site(const struct site *site)
{
    const struct site *primary = site_primary(site);
    return primary && near_same_cluster(site, primary) ? primary : site;
}

const char *near_inner_address(const struct site *site)
{
    const struct layout *layout = site->layout;
    return layout->netns || strncmp(layout->address, "127.", 4) == 0 ? layout->address : "127.0.0.1";
}
