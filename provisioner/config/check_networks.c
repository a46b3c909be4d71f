/* Address ranges and links. */
#include "lib/core/str.h"
#include "provisioner/config/checks.h"
#include "provisioner/config/cidr.h"

#include <stdlib.h>

#define WIDEST_BITS    16
#define NARROWEST_BITS 20

/* 0 when the range is sound. */
static int check_range(const struct deployment *deployment, const char *text, const char *path,
                       struct cidr *ret_range, struct findings *findings)
{
    struct error err = {0};
    int code = cidr_parse(text, ret_range, &err);
    if (code) {
        (void)check_fail(deployment, findings, "cidr", path, "%s", err.message);
        return code;
    }
    if (!cidr_is_private(*ret_range)) {
        struct finding *finding = check_fail(deployment, findings, "cidr", path, "%s is not private", text);
        finding_hint(findings, finding,
                     "Private are 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 and 100.64.0.0/10.");
        return ERR_CONFIG;
    }
    return 0;
}

struct placed {
    struct cidr range;
    const struct region *region;
};

static void check_region_range(const struct deployment *deployment, const struct region *region,
                               struct placed *placed, size_t *count, struct findings *findings)
{
    const char *path = check_path(deployment, "regions.%s.network.cidr", region->name);
    struct cidr range;
    if (check_range(deployment, region->network.cidr, path, &range, findings))
        return;
    if (range.bits < WIDEST_BITS || range.bits > NARROWEST_BITS)
        (void)check_fail(deployment, findings, "cidr", path, "a region takes a /%d to a /%d, found %s",
                         WIDEST_BITS, NARROWEST_BITS, region->network.cidr);
    for (size_t i = 0; i < *count; i++) {
        if (cidr_overlaps(placed[i].range, range)) {
            const char *other = check_path(deployment, "regions.%s.network.cidr", placed[i].region->name);
            struct finding *finding = check_fail(
                deployment, findings, "cidr-overlap", path, "%s overlaps %s of region %s (line %u)",
                region->network.cidr, placed[i].region->network.cidr, placed[i].region->name,
                deployment_node(deployment, other)->line);
            finding_hint(findings, finding, "Leave it out, and a free range is allotted.");
        }
    }
    placed[(*count)++] = (struct placed){range, region};
}

void check_networks(const struct deployment *deployment, struct findings *findings)
{
    struct cidr all;
    if (deployment->network.cidr)
        (void)!check_range(deployment, deployment->network.cidr, "network.cidr", &all, findings);
    if (deployment->network.links != LINK_TLS) {
        struct finding *finding = check_fail(deployment, findings, "links", "network.links",
                                             "%s links are not part of this version",
                                             deployment->network.links == LINK_VPN ? "vpn" : "wireguard");
        finding_hint(findings, finding,
                     "tls is: PostgreSQL's own TLS between gateways that only the other "
                     "regions may use.");
    }
    size_t count = 0;
    struct placed *placed =
        arena_alloc(deployment->arena, (deployment_region_count(deployment) + 1) * sizeof *placed);
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        const struct region *region = deployment_region(deployment, i);
        if (region->network.cidr && !region->network.allotted)
            check_region_range(deployment, region, placed, &count, findings);
    }
}
