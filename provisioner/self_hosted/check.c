#include "provisioner/self_hosted/check.h"

#include "provisioner/config/checks.h"
#include "provisioner/provider.h"
#include "provisioner/self_hosted/backup_store.h"
#include "provisioner/self_hosted/component.h"
#include "provisioner/self_hosted/host_url.h"
#include "provisioner/self_hosted/parts.h"

#include <stdlib.h>

#define LATENCY_MAX_MS 10000
#define LATENCIES      "network.latency-ms"

static const char *path_of(const struct deployment *deployment, const struct region *region, const char *key)
{
    return check_path(deployment, "regions.%s.%s", region->name, key);
}

static bool check_host(const struct deployment *deployment, const struct region *region,
                       struct findings *findings)
{
    const char *path = path_of(deployment, region, "hosts");
    struct host_url url;
    struct error err = {0};
    if (!region->host) {
        struct finding *finding =
            check_fail(deployment, findings, "hosts", path, "a region on own hosts names its host");
        finding_hint(findings, finding, "Write hosts: [local], or hosts: [\"ssh://user@host:port\"].");
        return false;
    }
    if (region->hosts.count > 1) {
        struct finding *finding =
            check_fail(deployment, findings, "hosts", path,
                       "%zu hosts are given, and this version takes one a region", region->hosts.count);
        finding_hint(findings, finding, "Make each further host a region of its own.");
        return false;
    }
    if (host_url_parse(region->host, deployment->arena, &url, &err)) {
        struct finding *finding = check_fail(deployment, findings, "hosts",
                                             check_path(deployment, "%s.0", path), "%s", err.message);
        if (err.hint[0])
            finding_hint(findings, finding, "%s.", err.hint);
        return false;
    }
    if (url.host && deployment->network.topology == TOPOLOGY_NAMESPACES) {
        struct finding *finding =
            check_fail(deployment, findings, "topology", path,
                       "%s is another machine, and network.topology is namespaces, which is of "
                       "this one",
                       region->host);
        finding_hint(findings, finding, "Write hosts: [local], or leave network.topology out.");
        return false;
    }
    if (url.host && !region->address && !host_url_is_numeric(url.host)) {
        struct finding *finding =
            check_fail(deployment, findings, "address", path_of(deployment, region, "address"),
                       "%s has a name, and its IPv4 address must be given", region->host);
        finding_hint(findings, finding, "Write address: and the one at which the other regions reach it.");
        return false;
    }
    return true;
}

static bool check_address(const struct deployment *deployment, const struct region *region,
                          struct findings *findings)
{
    const char *path = path_of(deployment, region, "address");
    if (region->address && !host_url_is_numeric(region->address)) {
        (void)check_fail(deployment, findings, "address", path, "want an IPv4 address, found \"%.60s\"",
                         region->address);
        return false;
    }
    if (region->address && deployment->network.topology == TOPOLOGY_NAMESPACES) {
        (void)check_fail(deployment, findings, "address", path,
                         "network.topology is namespaces, where addresses are given by the program");
        return false;
    }
    return true;
}

/* Two regions with one address would want the same ports. */
static void check_meeting(const struct deployment *deployment, const struct region *region,
                          struct findings *findings)
{
    struct layout own, other;
    if (layout_make(deployment, region, deployment->arena, &own, NULL))
        return;
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        const struct region *before = deployment_region(deployment, i);
        if (strcmp(before->name, region->name) == 0)
            return;
        if (!before->provider || !before->provider->own_hosts || !before->host ||
            layout_make(deployment, before, deployment->arena, &other, NULL) ||
            strcmp(own.address, other.address) != 0)
            continue;
        struct finding *finding =
            check_fail(deployment, findings, "hosts", path_of(deployment, region, "hosts"),
                       "has the address %s, as region %s has (line %u)", own.address, before->name,
                       before->position.line);
        finding_hint(findings, finding, "Name another host, or give one of the two an address of its own.");
        return;
    }
}

/* "a/b", both regions of the file. */
static struct finding *check_pair(const struct deployment *deployment, const char *pair, const char *path,
                                  struct findings *findings)
{
    const char *slash = strchr(pair, '/');
    if (!slash || strchr(slash + 1, '/'))
        return check_fail(deployment, findings, "latency", path, "want two regions as a/b, found \"%.60s\"",
                          pair);
    const char *first = arena_strdup(deployment->arena, (struct str){pair, (size_t)(slash - pair)});
    check_at_name(deployment, LATENCIES, pair, check_region_name(deployment, first, path, findings));
    check_at_name(deployment, LATENCIES, pair, check_region_name(deployment, slash + 1, path, findings));
    return strcmp(first, slash + 1) == 0
               ? check_fail(deployment, findings, "latency", path, "is from a region to itself")
               : NULL;
}

/* A number of milliseconds for each pair. Judged once, with the first region. */
static void check_latencies(const struct deployment *deployment, struct findings *findings)
{
    const struct string_map *map = &deployment->network.latency_ms;
    for (size_t i = 0; i < map->count; i++) {
        const char *pair = map->items[i].key;
        const char *path = check_path(deployment, LATENCIES ".%s", pair);
        uint64_t ms;
        if (deployment->network.topology != TOPOLOGY_NAMESPACES) {
            (void)check_fail(deployment, findings, "latency", path, "is for topology: namespaces");
            continue;
        }
        check_at_name(deployment, LATENCIES, pair, check_pair(deployment, pair, path, findings));
        if (!str_to_u64(str_from(map->items[i].value), &ms) || ms > LATENCY_MAX_MS)
            (void)check_fail(deployment, findings, "latency", path,
                             "want whole milliseconds from 0 to %d, found \"%.60s\"", LATENCY_MAX_MS,
                             map->items[i].value);
    }
}

/* What every region stands on cannot be left out. */
static void check_without(const struct deployment *deployment, const struct region *region,
                          struct findings *findings)
{
    const char *names[32];
    size_t count = 0;
    for (size_t i = 0; host_components[i] && count < ARRAY_LEN(names); i++) {
        if (host_components[i] != &component_base && host_components[i] != &component_network)
            names[count++] = host_components[i]->name;
    }
    for (size_t i = 0; i < region->without.count; i++) {
        const char *name = region->without.items[i];
        bool known = false;
        for (size_t j = 0; j < count; j++)
            known = known || strcmp(names[j], name) == 0;
        if (!known)
            (void)check_fail(deployment, findings, "without",
                             check_path(deployment, "regions.%s.without.%zu", region->name, i),
                             "there is no part \"%.60s\" to leave out%s", name,
                             check_nearest(deployment, name, names, count));
    }
}

/* What names a cloud's product, account or key has no meaning here. `size`, storage and the like stay, so
 * that a region moves here from a cloud. */
static void check_no_cloud(const struct deployment *deployment, const struct region *region,
                           struct findings *findings)
{
    const struct region_database *database = &region->database;
    const char *product = region->provider->database_product;
    const struct {
        const char *key;
        bool given;
    } keys[] = {
        {"instance_type", region->instance_type && *region->instance_type},
        {"account", region->account},
        {"database.type", database->type && (!product || strcmp(database->type, product) != 0)},
        {"database.size", database->size},
        {"database.tier", database->tier},
        {"database.sku", database->sku},
        {"database.public-access", database->public_access},
        {"database.encryption-key", database->encryption_key},
    };
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        if (keys[i].given)
            (void)check_fail(deployment, findings, "hosts", path_of(deployment, region, keys[i].key),
                             "is for a cloud, and this region is on own hosts");
    }
}

static void check_state_backend(const struct deployment *deployment, struct findings *findings)
{
    if (deployment->state.backend == STATE_LOCAL)
        return;
    struct finding *finding =
        check_fail(deployment, findings, "state", "state.backend",
                   "own hosts keep what was done in a ledger on themselves, and need no other state");
    finding_hint(findings, finding,
                 "Leave state out; the deployment's secrets lie in .fraiseql beside this file.");
}

void self_hosted_check(const struct deployment *deployment, const struct region *region,
                       struct findings *findings)
{
    size_t before = findings->errors;
    if (check_host(deployment, region, findings) && check_address(deployment, region, findings))
        check_meeting(deployment, region, findings);
    check_without(deployment, region, findings);
    check_no_cloud(deployment, region, findings);
    if (deployment_is_first_own(deployment, region)) {
        check_latencies(deployment, findings);
        check_state_backend(deployment, findings);
        backup_store_validate(deployment, findings);
    }
    if (findings->errors > before)
        return;
    for (size_t i = 0; host_components[i]; i++) {
        if (host_components[i]->validate && component_runs(region, host_components[i]->name))
            host_components[i]->validate(deployment, region, findings);
    }
}
