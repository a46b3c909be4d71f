/* What a region's collector takes out of the region's HAProxy, which sees only whether something answers: a
 * database far behind answers too. The server names are those of haproxy_config.c. */
#include "provisioner/self_hosted/collector_internal.h"
#include "provisioner/self_hosted/haproxy_config.h"
#include "provisioner/self_hosted/near.h"

bool collector_switches_on(const struct site *site, const char *trigger)
{
    enum switch_traffic wanted = site->deployment->monitoring.switch_traffic;
    if (!component_runs(site->region, "haproxy") || site->site_count < 2)
        return false;
    if (strcmp(trigger, TRIGGER_LAG) == 0)
        return wanted != SWITCH_TRAFFIC_NONE && deployment_replicates(site->deployment, site->region);
    return strcmp(trigger, TRIGGER_BUDGET) == 0 && wanted == SWITCH_TRAFFIC_LAG_AND_BUDGET;
}

bool collector_switches(const struct site *site)
{
    return collector_switches_on(site, TRIGGER_LAG) || collector_switches_on(site, TRIGGER_BUDGET);
}

static void write_rule(const struct site *site, const char *trigger, const struct site *of,
                       const char *servers, struct buf *out)
{
    buf_printf(out, "    - { trigger: %s, region: %s, %s }\n", trigger,
               collector_scalar(site, of->region->name), servers);
}

/* Clients whose reads went far come home. */
static const char *database_of(const struct site *site, const struct site *of)
{
    const char *list = "";
    for (size_t i = 0; of == site && i < site->site_count; i++) {
        const struct site *other = &site->sites[i];
        if (other != site && near_same_cluster(site, other))
            list = arena_printf(site->arena, "%s%sread/%s", list, list[0] ? ", " : "", other->region->name);
    }
    const char *after = list[0] ? arena_printf(site->arena, ", cut_after: [%s]", list) : "";
    return arena_printf(site->arena, "cut: [read/%s]%s", of->region->name, after);
}

/* Of this region its instances, of another one its front door. */
static const char *service_of(const struct site *site, const struct site *of)
{
    const char *list = "";
    if (of != site)
        return arena_printf(site->arena, "drain: [service/region-%s]", of->region->name);
    for (int64_t i = 0; i < site->region->instances; i++)
        list = arena_printf(site->arena, "%s%sservice/service-%lld", list, i ? ", " : "", (long long)i + 1);
    return arena_printf(site->arena, "drain: [%s]", list);
}

void collector_write_traffic(const struct site *site, struct buf *out)
{
    buf_printf(out, "traffic:\n  haproxy: %s\n  secret_file: %s\n  rules:\n", haproxy_socket(site),
               collector_file(site, COLLECTOR_TRAFFIC_SECRET));
    for (size_t i = 0; i < site->site_count; i++) {
        const struct site *of = &site->sites[i];
        if (collector_switches_on(site, TRIGGER_LAG) && near_same_cluster(site, of))
            write_rule(site, TRIGGER_LAG, of, database_of(site, of), out);
        if (collector_switches_on(site, TRIGGER_BUDGET))
            write_rule(site, TRIGGER_BUDGET, of, service_of(site, of), out);
    }
}
