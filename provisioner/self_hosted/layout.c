#include "provisioner/self_hosted/layout.h"

#include "lib/core/hash.h"
#include "lib/core/str.h"
#include "provisioner/self_hosted/host_url.h"

/* Where port_base moves each port, from it; the service's come last, as there are as many as it has
 * instances.
 */
static const struct {
    uint16_t usual, moved;
} ports[PORT_COUNT] = {
    [PORT_HTTP] = {8080, 0},       [PORT_WRITE] = {5433, 1},         [PORT_READ] = {5434, 2},
    [PORT_POSTGRES] = {5432, 3},   [PORT_PROXY_METRICS] = {8405, 4}, [PORT_COLLECTOR] = {9480, 5},
    [PORT_PROMETHEUS] = {9090, 6}, [PORT_ALERTMANAGER] = {9093, 7},  [PORT_SERVICE] = {8000, 20},
    [PORT_OTLP_HTTP] = {4318, 0},  [PORT_OTLP_GRPC] = {4317, 0},
};

static uint16_t port_of(const struct deployment *deployment, const struct region *region,
                        enum layout_port port)
{
    if (port == PORT_OTLP_HTTP || port == PORT_OTLP_GRPC)
        return ports[port].usual;
    if (region->port_base)
        return (uint16_t)(region->port_base + ports[port].moved);
    return port == PORT_SERVICE && deployment->service.port ? (uint16_t)deployment->service.port
                                                            : ports[port].usual;
}

/* Regions of different deployments on one machine shall not meet: two bytes come from the deployment's name.
 */
static const char *own_address(const struct deployment *deployment, const struct region *region,
                               struct arena *arena)
{
    uint64_t hash = hash_stable(str_from(deployment->metadata.name));
    unsigned high = 1 + (unsigned)(hash >> 32) % 250, low = 1 + (unsigned)(hash >> 16) % 250;
    unsigned host = 10 + (unsigned)region->index;
    if (deployment->network.topology == TOPOLOGY_NAMESPACES)
        return arena_printf(arena, "10.89.%u.%u", low, host);
    return arena_printf(arena, "127.%u.%u.%u", high, low, host);
}

static int address_of(const struct deployment *deployment, const struct region *region, struct arena *arena,
                      const char **ret, struct error *err)
{
    struct host_url url;
    int code = host_url_parse(region->host ? region->host : "local", arena, &url, err);
    if (code)
        return error_prefix(err, "region %s", region->name);
    if (region->address)
        *ret = region->address;
    else if (!url.host)
        *ret = own_address(deployment, region, arena);
    else if (host_url_is_numeric(url.host))
        *ret = url.host;
    else
        return error_set(err, ERR_CONFIG, "region %s: its host has no numeric address: give `address`",
                         region->name);
    return 0;
}

int layout_make(const struct deployment *deployment, const struct region *region, struct arena *arena,
                struct layout *ret, struct error *err)
{
    const char *name = deployment->metadata.name;
    struct layout layout = {.deployment = name,
                            .region = region->name,
                            .postgres_user = "fraiseql-db",
                            .service_user = "fraiseql-app"};
    int code = address_of(deployment, region, arena, &layout.address, err);
    if (code)
        return code;
    if (deployment->network.topology == TOPOLOGY_NAMESPACES)
        layout.netns = arena_printf(arena, "fraiseql-%s-%s", name, region->name);
    for (int port = 0; port < PORT_COUNT; port++)
        layout.ports[port] = port_of(deployment, region, (enum layout_port)port);
    layout.base = arena_printf(arena, "/var/lib/fraiseql/%s/%s", name, region->name);
    layout.config = arena_printf(arena, "%s/config", layout.base);
    layout.data = arena_printf(arena, "%s/data", layout.base);
    layout.log = arena_printf(arena, "%s/log", layout.base);
    layout.bin = arena_printf(arena, "%s/bin", layout.base);
    layout.run = arena_printf(arena, "/run/fraiseql/%s/%s", name, region->name);
    *ret = layout;
    return 0;
}
