#include "provisioner/self_hosted/network.h"

#include "lib/core/hash.h"
#include "provisioner/self_hosted/base.h"
#include "provisioner/self_hosted/parts.h"

#define TEXT_MAX (256UL * 1024)
#define DEVICE   "regions0"

uint64_t network_latency_ms(const struct deployment *deployment, const char *a, const char *b)
{
    const struct string_map *map = &deployment->network.latency_ms;
    for (size_t i = 0; i < map->count; i++) {
        const char *key = map->items[i].key, *slash = strchr(key, '/');
        uint64_t ms;
        if (!slash || !str_to_u64(str_from(map->items[i].value), &ms))
            continue;
        struct str first = {key, (size_t)(slash - key)};
        bool there = str_equal_text(first, a) && strcmp(slash + 1, b) == 0;
        bool back = str_equal_text(first, b) && strcmp(slash + 1, a) == 0;
        if (there || back)
            return ms;
    }
    return 0;
}

/* The machine's own end of every region's cable: the last byte of the regions' addresses begins at 10. */
static const char *gateway_of(const struct layout *layout, struct arena *arena)
{
    const char *dot = strrchr(layout->address, '.');
    return arena_printf(arena, "%.*s.1", (int)(dot - layout->address), layout->address);
}

/* At most 15 bytes. */
static const char *cable_of(const struct layout *layout, struct arena *arena)
{
    return arena_printf(arena, "fq%010llx",
                        (unsigned long long)(hash_stable(str_from(layout->netns)) & UINT64_C(0xffffffffff)));
}

static void put_routes(const struct site *site, struct buf *script)
{
    const struct layout *layout = site->layout;
    for (size_t i = 0; i < site->site_count; i++) {
        const struct layout *other = site->sites[i].layout;
        if (&site->sites[i] != site && strcmp(other->region, layout->region) != 0)
            buf_printf(script, "ip -n %s route replace %s/32 dev " DEVICE " src %s\n", layout->netns,
                       other->address, layout->address);
    }
}

/* The machine reaches each region by a cable (veth) of its own, and the regions reach each other by the TUN
 * device alone: there is no other way for a packet between them. */
void network_namespace(const struct site *site, struct step_list *list)
{
    const struct layout *layout = site->layout;
    struct arena *arena = list->arena;
    if (!layout->netns)
        return;
    const char *ns = layout->netns, *cable = cable_of(layout, arena), *gateway = gateway_of(layout, arena);
    struct buf script = BUF_INIT(TEXT_MAX);
    buf_printf(&script,
               "flock /var/lib sh -eu -c '[ -e /run/netns/%s ] || ip netns add %s'\nip -n %s link set lo up\n"
               "ip link show %s >/dev/null 2>&1 || ip link add %s type veth peer name host0 netns %s\n"
               "ip addr replace %s/32 peer %s/32 dev %s\nip link set %s up\n"
               "ip -n %s addr replace %s/32 peer %s/32 dev host0\nip -n %s link set host0 up\n"
               "ip -n %s link show " DEVICE " >/dev/null 2>&1 || ip -n %s tuntap add dev " DEVICE
               " mode tun\nip -n %s link set " DEVICE " mtu 1500 up\n"
               "mkdir -p %s/network\nchown %s: %s/network\nchmod 700 %s/network\n",
               ns, ns, ns, cable, cable, ns, gateway, layout->address, cable, cable, ns, layout->address,
               gateway, ns, ns, ns, ns, layout->run, layout->service_user, layout->run, layout->run);
    put_routes(site, &script);
    struct host_step *step =
        step_add(list, STAGE_HOST, "network/namespace", "make the region's network namespace");
    step->guard =
        arena_printf(arena,
                     "[ -c /dev/net/tun ] || fail \"network.topology is namespaces, and this machine has no "
                     "/dev/net/tun\"\nhave ip || fail \"network.topology is namespaces, and there is no "
                     "program ip (package iproute2)\"\n"
                     "[ ! -e /run/netns/%s ] || fail \"a network namespace %s is there and is not ours\"\n",
                     ns, ns);
    step->apply = arena_strdup(arena, buf_str(&script));
    buf_deinit(&script);
    step->check =
        arena_printf(arena,
                     "[ -e /run/netns/%s ] && ip link show %s up >/dev/null && ip -n %s link show " DEVICE
                     " up >/dev/null && [ -d %s/network ]\n",
                     ns, cable, ns, layout->run);
    step->undo = arena_printf(
        arena,
        "ip link del %s 2>/dev/null || true\n"
        "flock /var/lib sh -eu -c '[ ! -e /run/netns/%s ] || ip netns del %s'\nrm -rf %s/network\n",
        cable, ns, ns, layout->run);
}

static const char *configuration(const struct site *site, struct arena *arena)
{
    const struct layout *layout = site->layout;
    struct buf out = BUF_INIT(TEXT_MAX);
    buf_printf(&out, "region %s %zu\ntun " DEVICE "\ndata %s/network/data\ncontrol %s/network/control\n",
               layout->region, site->region->index, layout->run, layout->run);
    for (size_t i = 0; i < site->site_count; i++) {
        const struct site *other = &site->sites[i];
        if (strcmp(other->layout->region, layout->region) == 0)
            continue;
        uint64_t round_trip_ms = network_latency_ms(site->deployment, layout->region, other->layout->region);
        buf_printf(&out, "peer %s %zu %s %llu %s/network/data\n", other->layout->region, other->region->index,
                   other->layout->address, (unsigned long long)(round_trip_ms * 500), other->layout->run);
    }
    const char *text = arena_strdup(arena, buf_str(&out));
    buf_deinit(&out);
    return text;
}

int network_relay(const struct site *site, struct step_list *list, struct error *err)
{
    const struct layout *layout = site->layout;
    struct arena *arena = list->arena;
    struct str program;
    if (!layout->netns)
        return 0;
    int code = base_program("fraiseql-relay", arena, &program, err);
    if (code)
        return code;
    const char *path = arena_printf(arena, "%s/fraiseql-relay", layout->bin);
    const char *file = arena_printf(arena, "%s/network.conf", layout->config);
    struct host_step *step = step_add(list, STAGE_HOST, "network/files", "put the relay and its links");
    step_put(list, step, path, program, 0755, "root:root", false);
    step_put(list, step, file, str_from(configuration(site, arena)), 0644, "root:root", false);
    const char *const argv[] = {path, "run", file, NULL}, *const watches[] = {path, file, NULL};
    const struct host_process process = {
        .name = "network",
        .argv = argv,
        .watches = watches,
        .ready = arena_printf(arena, "%s control %s/network/control show", path, layout->run),
        .stop_timeout_ns = 2 * NS_PER_S};
    step_process(list, site, STAGE_HOST, &process);
    return 0;
}

/* Its steps stand among those of base, as the supervisor runs inside the namespace. */
const struct component component_network = {.name = "network"};
