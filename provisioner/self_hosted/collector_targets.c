/* What a region's collector looks at: scrapers, probes, and who may send it spans. */
#include "provisioner/self_hosted/collector_internal.h"
#include "provisioner/self_hosted/database_roles.h"
#include "provisioner/self_hosted/near.h"
#include "provisioner/self_hosted/pgbackrest.h"

/* The certificate is verified against the deployment's own authority, which signs nobody else. */
static const char *dsn_of(const struct site *site, const struct site *of)
{
    return collector_scalar(
        site,
        arena_printf(site->arena, "host=%s port=%u dbname=postgres user=%s sslmode=verify-ca sslrootcert=%s",
                     of->layout->address, of->layout->ports[PORT_POSTGRES], DATABASE_ROLE_MONITOR,
                     collector_file(site, COLLECTOR_AUTHORITY)));
}

static int64_t at_least(int64_t ns, int64_t least_ns)
{
    return ns > least_ns ? ns : least_ns;
}

static void write_databases(const struct site *site, struct buf *out)
{
    buf_append_text(out, "scrapers:\n  postgres:\n");
    for (size_t i = 0; i < site->site_count; i++) {
        const struct site *of = &site->sites[i];
        const char *name = of->region->name;
        /* A region that replicates with nobody is a cluster of its own. */
        const char *cluster = deployment_replicates(of->deployment, of->region)
                                  ? of->deployment->metadata.name
                                  : arena_printf(site->arena, "%s-%s", of->deployment->metadata.name, name);
        int64_t timeout_ns = at_least(collector_database_timeout_ns(site, of), 4 * NS_PER_S);
        buf_printf(
            out,
            "    - name: %s\n      cluster: %s\n      region: %s\n      dsn: %s\n      password_file: %s\n"
            "      interval: %s\n      timeout: %s\n      lag_interval: 250ms\n",
            collector_scalar(site, arena_printf(site->arena, "database-%s", name)),
            collector_scalar(site, cluster), collector_scalar(site, name), dsn_of(site, of),
            collector_file(site, COLLECTOR_MONITOR_PASSWORD),
            collector_duration(site, at_least(timeout_ns, 5 * NS_PER_S)),
            collector_duration(site, timeout_ns));
    }
}

static void write_pages(const struct site *site, struct buf *out)
{
    const char *address = near_inner_address(site), *region = collector_scalar(site, site->region->name);
    buf_append_text(out, "  prometheus:\n");
    for (int64_t i = 0; i < site->region->instances; i++)
        buf_printf(
            out,
            "    - { name: service-%s-%lld, region: %s, url: http://%s:%lld%s, bearer_token_file: %s }\n",
            site->region->name, (long long)i + 1, region, address,
            (long long)(site->layout->ports[PORT_SERVICE] + i), site->deployment->service.metrics_path,
            collector_file(site, COLLECTOR_METRICS_TOKEN));
    buf_printf(out, "    - { name: haproxy-%s, region: %s, url: http://%s:%u/metrics }\n", site->region->name,
               region, address, site->layout->ports[PORT_PROXY_METRICS]);
}

/* A backup is expected where the database writes: one that follows is silent. */
static void write_backup(const struct site *site, struct buf *out)
{
    if (!pgbackrest_runs(site))
        return;
    buf_printf(out, "  backup:\n    - { name: backup-%s, region: %s, status_file: %s }\n", site->region->name,
               collector_scalar(site, site->region->name), pgbackrest_status_file(site));
}

/* A timeout may not be longer than its interval. */
static void write_times(const struct site *site, int64_t timeout_ns, struct buf *out)
{
    buf_printf(out, "    interval: %s\n    timeout: %s\n",
               collector_duration(site, at_least(timeout_ns, NS_PER_S)),
               collector_duration(site, timeout_ns));
}

static void write_probes(const struct site *site, const struct site *of, struct buf *out)
{
    const char *region = collector_scalar(site, of->region->name);
    const struct layout *layout = of->layout;
    /* The header keeps another region's service from answering for this one. */
    buf_printf(out,
               "  - name: api\n    region: %s\n    http: { url: http://%s:%u%s, headers: { "
               "x-fraiseql-region: %s } }\n",
               region, layout->address, layout->ports[PORT_HTTP], site->deployment->service.readiness_path,
               collector_scalar(site, site->region->name));
    write_times(site, collector_http_timeout_ns(site, of), out);
    buf_printf(out, "  - name: database\n    region: %s\n    postgres: { dsn: %s, password_file: %s }\n",
               region, dsn_of(site, of), collector_file(site, COLLECTOR_MONITOR_PASSWORD));
    write_times(site, collector_database_timeout_ns(site, of), out);
    buf_printf(out, "  - name: proxy\n    region: %s\n    tcp: { address: %s:%u }\n", region, layout->address,
               layout->ports[PORT_HTTP]);
    write_times(site, collector_http_timeout_ns(site, of), out);
}

void collector_write_targets(const struct site *site, struct buf *out)
{
    /* Spans come from this region's service alone; loopback needs no token. */
    const char *otlp = site->layout->netns ? "127.0.0.1" : near_inner_address(site);
    write_databases(site, out);
    write_pages(site, out);
    write_backup(site, out);
    buf_append_text(out, "probes:\n");
    for (size_t i = 0; i < site->site_count; i++)
        write_probes(site, &site->sites[i], out);
    buf_printf(
        out, "otlp:\n  http: %s:%u\n  grpc: %s:%u\n  sources:\n    - { address: 127.0.0.0/8, region: %s }\n",
        otlp, site->layout->ports[PORT_OTLP_HTTP], otlp, site->layout->ports[PORT_OTLP_GRPC],
        collector_scalar(site, site->region->name));
}
