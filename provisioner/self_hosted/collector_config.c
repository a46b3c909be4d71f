#include "provisioner/self_hosted/collector_internal.h"

#include "lib/core/units.h"
#include "lib/core/yaml.h"
#include "provisioner/self_hosted/near.h"
#include "provisioner/self_hosted/pgbackrest.h"

/* Round trips of a new connection until its answer: HTTP 2 (TCP, request); PostgreSQL over TLS 7 (TCP,
 * SSLRequest, TLS 1.3, startup, SCRAM 2, query). Half as many again for what is lost on the way. */
#define HTTP_ROUND_TRIPS     3
#define DATABASE_ROUND_TRIPS 11
#define HTTP_OWN_NS          (800 * NS_PER_MS)
#define DATABASE_OWN_NS      (800 * NS_PER_MS)
#define LATENCY_OWN_NS       (250 * NS_PER_MS)
#define LAG_OWN_NS           (500 * NS_PER_MS)
/* To the standby, and its answer back: what is seen of a standby is a round trip old. */
#define LAG_ROUND_TRIPS 2

const char *collector_scalar(const struct site *site, const char *text)
{
    struct buf out = BUF_INIT(65536);
    yaml_write_scalar(&out, str_from(text));
    const char *copy = arena_strdup(site->arena, buf_str(&out));
    buf_deinit(&out);
    return copy;
}

const char *collector_duration(const struct site *site, int64_t ns)
{
    char text[UNITS_TEXT_MAX];
    return arena_strdup(site->arena, str_from(units_format_duration(ns, text)));
}

const char *collector_file(const struct site *site, const char *name)
{
    return arena_printf(site->arena, "%s/monitoring/%s", site->layout->config, name);
}

const struct site *collector_keeper(const struct site *site)
{
    const char *location = site->deployment->monitoring.location;
    const struct site *keeper = location ? site_find(site, location) : NULL;
    return keeper ? keeper : site;
}

const char *collector_address(const struct site *site)
{
    return collector_keeper(site) == site ? near_inner_address(site) : site->layout->address;
}

static int64_t whole_ms(int64_t ns)
{
    return (ns + NS_PER_MS - 1) / NS_PER_MS * NS_PER_MS;
}

int64_t collector_http_timeout_ns(const struct site *site, const struct site *of)
{
    return whole_ms(HTTP_OWN_NS + HTTP_ROUND_TRIPS * near_round_trip_ns(site, of));
}

int64_t collector_database_timeout_ns(const struct site *site, const struct site *of)
{
    return whole_ms(DATABASE_OWN_NS + DATABASE_ROUND_TRIPS * near_round_trip_ns(site, of));
}

int64_t collector_latency_bound_ns(const struct site *site)
{
    return whole_ms(LATENCY_OWN_NS + HTTP_ROUND_TRIPS * near_longest_round_trip_ns(site));
}

int64_t collector_lag_bound_ns(const struct site *site)
{
    int64_t possible_ns = whole_ms(LAG_OWN_NS + LAG_ROUND_TRIPS * near_longest_round_trip_ns(site));
    int64_t wanted_ns = site->deployment->replication.lag_target_ns;
    return wanted_ns > possible_ns ? wanted_ns : possible_ns;
}

int64_t collector_backup_bound_ns(void)
{
    return BACKUP_LATEST_NS + BACKUP_GRACE_NS;
}

static void write_head(const struct site *site, struct buf *out)
{
    const struct layout *layout = site->layout;
    buf_printf(out,
               "# Written by fraiseql deploy.\n"
               "version: 1\n"
               "collector:\n"
               "  name: %s\n"
               "  region: %s\n"
               "  listen: %s:%u\n"
               "  journal: %s/collector/journal.db\n"
               "defaults: { interval: 5s, timeout: 4s }\n"
               "regions:\n",
               collector_scalar(site, site->region->name), collector_scalar(site, site->region->name),
               collector_address(site), layout->ports[PORT_COLLECTOR], layout->data);
    for (size_t i = 0; i < site->site_count; i++) {
        const struct region *region = site->sites[i].region;
        buf_printf(out, "  %s: { provider: self-hosted, location: %s }\n",
                   collector_scalar(site, region->name), collector_scalar(site, region->location_name));
    }
}

void collector_config_write(const struct site *site, struct buf *out)
{
    write_head(site, out);
    collector_write_targets(site, out);
    collector_write_objectives(site, out);
    if (collector_switches(site))
        collector_write_traffic(site, out);
}
