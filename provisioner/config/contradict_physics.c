/* Objectives below what the speed of light in fibre allows between two regions, and consistency that waits
 * for nobody. */
#include "lib/core/str.h"
#include "lib/core/units.h"
#include "provisioner/catalog/catalog.h"
#include "provisioner/config/checks.h"

struct pair {
    const struct region *a, *b;
    double rtt_ms;
};

/* Rows travel between these two directly. */
static bool are_linked(const struct deployment *deployment, const struct region *a, const struct region *b)
{
    const char *primary = deployment->replication.primary;
    if (a == b || !a->location || !b->location || !deployment_replicates(deployment, a) ||
        !deployment_replicates(deployment, b))
        return false;
    return deployment->replication.mode == REPLICATION_ACTIVE_ACTIVE ||
           (primary && (strcmp(a->name, primary) == 0 || strcmp(b->name, primary) == 0));
}

static bool writes(const struct deployment *deployment, const struct region *region)
{
    const char *primary = deployment->replication.primary;
    return deployment->replication.mode == REPLICATION_ACTIVE_ACTIVE ||
           (primary && strcmp(region->name, primary) == 0);
}

/* The farthest pair, and the writer whose nearest copy is farthest: what a lag, and what a loss, is bound by.
 */
static void find_pairs(const struct deployment *deployment, struct pair *ret_farthest,
                       struct pair *ret_loneliest)
{
    *ret_farthest = *ret_loneliest = (struct pair){0};
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        const struct region *a = deployment_region(deployment, i);
        struct pair nearest = {0};
        for (size_t j = 0; j < deployment_region_count(deployment); j++) {
            const struct region *b = deployment_region(deployment, j);
            if (!are_linked(deployment, a, b))
                continue;
            struct pair pair = {a, b, location_min_rtt_ms(a->location, b->location)};
            if (pair.rtt_ms > ret_farthest->rtt_ms)
                *ret_farthest = pair;
            if (!nearest.a || pair.rtt_ms < nearest.rtt_ms)
                nearest = pair;
        }
        if (writes(deployment, a) && nearest.a && nearest.rtt_ms > ret_loneliest->rtt_ms)
            *ret_loneliest = nearest;
    }
}

static void contradict_bound(const struct deployment *deployment, struct findings *findings, const char *rule,
                             const char *path, int64_t wanted_ns, const struct pair *pair, double bound_ms,
                             const char *way)
{
    char wanted[UNITS_TEXT_MAX];
    if (!wanted_ns || !pair->a || (double)wanted_ns >= bound_ms * (double)NS_PER_MS)
        return;
    struct finding *finding = findings_contradict(
        findings, rule, deployment_node(deployment, path),
        "%s: %s is less than the %.1f ms that light in fibre takes %s between %s and %s, %.0f km apart", path,
        units_format_duration(wanted_ns, wanted), bound_ms, way, pair->a->name, pair->b->name,
        location_distance_km(pair->a->location, pair->b->location));
    finding_hint(findings, finding,
                 "Aim higher than the bound, which no network reaches, or move the regions nearer.");
}

void contradict_physics(const struct deployment *deployment, struct findings *findings)
{
    const struct deployment_replication *replication = &deployment->replication;
    if (replication->mode == REPLICATION_NONE)
        return;
    struct pair farthest, loneliest;
    find_pairs(deployment, &farthest, &loneliest);
    contradict_bound(deployment, findings, "physics-lag", "replication.lag-target",
                     replication->lag_target_ns, &farthest, farthest.rtt_ms / 2, "one way");
    contradict_bound(deployment, findings, "physics-rpo", "replication.rpo", replication->rpo_ns, &loneliest,
                     loneliest.rtt_ms, "there and back");
    if (strcmp(replication->consistency, "strong") == 0) {
        struct finding *finding = findings_contradict(
            findings, "consistency", deployment_node(deployment, "replication.consistency"),
            "replication.consistency is strong, and %s replication (line %u) copies rows after they are "
            "committed",
            replication->mode == REPLICATION_ACTIVE_ACTIVE ? "active-active" : "streaming",
            deployment_node(deployment, "replication.mode")->line);
        finding_hint(findings, finding,
                     "Write consistency: causal or eventual, or send all reads and writes to one "
                     "region.");
    }
}
