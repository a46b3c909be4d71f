/* What needs more than one section to be judged. References inside the SLA sections are the SLA's own check.
 */
#include "collector/config_internal.h"

#include "exporters/notifier.h"
#include "lib/core/map.h"
#include "scrapers/probe/probe.h"
#include "sla/sla_config.h"
#include "tracing/tracing.h"

#include <errno.h>
#include <unistd.h>

/* Reports a second use of a key. `what` reads as: a target named "x" of kind postgres. */
static void claim(struct map *seen, struct arena *arena, const char *key,
                  const struct option_position *position, const char *what, struct diag *diag)
{
    const struct option_position *first = map_get(seen, str_from(key));
    if (!first) {
        (void)map_put(seen, str_from(key), (void *)(uintptr_t)position);
        return;
    }
    struct error *err = diag_add(diag, DIAG_ERROR, position->file, position->line, position->column,
                                 "%s exists already at %s:%u", what, first->file, first->line);
    error_set_hint(err, "names must differ, also over included files");
    (void)arena;
}

static void check_targets(const struct config_file *all, struct arena *arena, struct diag *diag)
{
    struct map seen;
    map_init(&seen);
    for (size_t k = 0; scraper_kinds[k]; k++) {
        for (size_t i = 0; i < all->scrapers[k].count; i++) {
            const struct scraper_target *target =
                config_element(&all->scrapers[k], scraper_kinds[k]->section, i);
            const char *key = arena_printf(arena, "%s\n%s", scraper_kinds[k]->name, target->name);
            claim(&seen, arena, key, &target->position,
                  arena_printf(arena, "a %s target named \"%s\"", scraper_kinds[k]->name, target->name),
                  diag);
            if (target->interval_ns && target->timeout_ns > target->interval_ns)
                (void)diag_add(diag, DIAG_ERROR, target->position.file, target->position.line,
                               target->position.column,
                               "target \"%s\": the timeout is longer than the interval", target->name);
            if (scraper_kinds[k]->check)
                scraper_kinds[k]->check(target, diag);
        }
    }
    map_deinit(&seen);
}

static void check_probes(const struct config_file *all, struct arena *arena, struct diag *diag)
{
    struct map seen;
    map_init(&seen);
    for (size_t i = 0; i < all->probes.count; i++) {
        const struct probe_config *probe = config_element(&all->probes, &probe_section, i);
        const char *name = probe_config_name(probe), *region = probe_config_region(probe);
        const char *target = probe_config_target(probe);
        const char *key = arena_printf(arena, "%s\n%s\n%s", name, region, target);
        claim(&seen, arena, key, probe_config_position(probe),
              arena_printf(arena, "a probe \"%s\" of %s in the region %s", name, target, region), diag);
        probe_config_check(probe, diag);
    }
    map_deinit(&seen);
}

static void check_receivers(const struct config_file *all, struct arena *arena, struct diag *diag)
{
    struct map seen;
    map_init(&seen);
    for (size_t i = 0; i < all->notify.count; i++) {
        const struct notify_config *receiver = config_element(&all->notify, &notify_section, i);
        claim(&seen, arena, notify_config_name(receiver), notify_config_position(receiver),
              arena_printf(arena, "a receiver named \"%s\"", notify_config_name(receiver)), diag);
        notify_config_check(receiver, diag);
    }
    map_deinit(&seen);
}

static void check_listener(const struct config_file *all, const char *key,
                           const struct address_option *address, struct diag *diag)
{
    if (!address || !address->text || config_address_is_loopback(address) || all->collector.token_file)
        return;
    struct error *err = diag_add(diag, DIAG_ERROR, NULL, 0, 0,
                                 "%s: %s is not on loopback and takes data from anyone", key, address->text);
    error_set_hint(err, "set collector.token_file, or listen on 127.0.0.1");
}

/* One address can be opened once: said here, the start would only find it in use by itself. */
static void check_apart(const char *key, const struct address_option *address, const char *other_key,
                        const struct address_option *other, struct diag *diag)
{
    if (address && other && address->text && other->text && address->port == other->port &&
        strcmp(address->host, other->host) == 0)
        (void)diag_add(diag, DIAG_ERROR, NULL, 0, 0, "%s: %s is the address of %s already", key,
                       address->text, other_key);
}

static void check_own_listener(const struct config_file *all, struct diag *diag)
{
    if (config_address_is_loopback(&all->collector.listen) || all->collector.token_file)
        return;
    struct error *err =
        diag_add(diag, DIAG_WARNING, NULL, 0, 0,
                 "collector.listen: %s is not on loopback: whoever reaches it may read everything, and "
                 "/-/reload is closed",
                 all->collector.listen.text);
    error_set_hint(err, "set collector.token_file to open /-/reload to its bearer");
}

static void check_listeners(const struct config_file *all, struct diag *diag)
{
    const struct address_option *http = tracing_config_http(all->otlp),
                                *grpc = tracing_config_grpc(all->otlp);
    check_listener(all, "otlp.http", http, diag);
    check_listener(all, "otlp.grpc", grpc, diag);
    check_apart("otlp.http", http, "collector.listen", &all->collector.listen, diag);
    check_apart("otlp.grpc", grpc, "collector.listen", &all->collector.listen, diag);
    check_apart("otlp.grpc", grpc, "otlp.http", http, diag);
}

/* The collector does not start without it. */
static void check_traffic(const struct config_file *all, struct diag *diag)
{
    const struct traffic_config *traffic = all->traffic;
    char text[128];
    if (traffic && access(traffic->secret_file, R_OK) != 0)
        (void)diag_add(diag, DIAG_WARNING, NULL, 0, 0,
                       "traffic: secret_file %s cannot be read: %s; the collector does not start without it",
                       traffic->secret_file, error_errno_text(errno, text, sizeof text));
}

static void check_regions(const struct config_file *all, struct arena *arena, struct diag *diag)
{
    struct map seen;
    map_init(&seen);
    for (size_t i = 0; i < all->regions.count; i++) {
        const struct config_region *region = SECTION_AT(const struct config_region, all->regions, i);
        claim(&seen, arena, region->name, &region->position,
              arena_printf(arena, "a region named \"%s\"", region->name), diag);
    }
    map_deinit(&seen);
}

void config_check(const struct config_file *all, struct arena *arena, struct diag *diag)
{
    check_regions(all, arena, diag);
    check_targets(all, arena, diag);
    check_probes(all, arena, diag);
    check_receivers(all, arena, diag);
    if (all->otlp)
        check_listeners(all, diag);
    check_own_listener(all, diag);
    check_traffic(all, diag);
    config_check_sla(all, arena, diag);
}

static int64_t inherit(int64_t own, int64_t inherited)
{
    return own ? own : inherited;
}

void config_complete_probes(struct config_file *all, struct arena *arena)
{
    for (size_t i = 0; i < all->probes.count; i++)
        probe_config_complete(config_element(&all->probes, &probe_section, i), all->collector.region,
                              all->defaults.interval_ns, all->defaults.timeout_ns, arena);
}

void config_complete(struct config_file *all, struct arena *arena)
{
    for (size_t k = 0; scraper_kinds[k]; k++) {
        for (size_t i = 0; i < all->scrapers[k].count; i++) {
            struct scraper_target *target = config_element(&all->scrapers[k], scraper_kinds[k]->section, i);
            target->region = target->region ? target->region : all->collector.region;
            target->interval_ns = inherit(target->interval_ns, all->defaults.interval_ns);
            target->timeout_ns = inherit(target->timeout_ns, all->defaults.timeout_ns);
            if (target->timeout_ns > target->interval_ns)
                target->timeout_ns = target->interval_ns;
            if (!target->max_series)
                target->max_series = (uint64_t)all->collector.limits.series_per_target;
        }
    }
    if (!all->collector.external_url)
        all->collector.external_url = arena_printf(arena, "http://%s", all->collector.listen.text);
}
