/* Backups, monitoring, budget. */
#include "lib/core/str.h"
#include "lib/core/units.h"
#include "provisioner/catalog/catalog.h"
#include "provisioner/config/checks.h"
#include "provisioner/config/sections.h"
#include "provisioner/provider.h"

/* "02:00" as minutes, -1 when it is none. */
static int minutes_of(const char *text)
{
    for (int i = 0; i < 5; i++) {
        if (i == 2 ? text[i] != ':' : text[i] < '0' || text[i] > '9')
            return -1;
    }
    int hours = (text[0] - '0') * 10 + text[1] - '0', minutes = (text[3] - '0') * 10 + text[4] - '0';
    return hours < 24 && minutes < 60 ? hours * 60 + minutes : -1;
}

#define DAY_MINUTES    (24 * 60)
#define WINDOW_MINUTES 30 /* the shortest that RDS takes */

static void check_window(const struct deployment *deployment, struct findings *findings)
{
    const char *window = deployment->backup.window;
    if (!window)
        return;
    bool shaped = strlen(window) == 11 && window[5] == '-';
    int from = shaped ? minutes_of(window) : -1, to = shaped ? minutes_of(window + 6) : -1;
    if (from < 0 || to < 0)
        (void)check_fail(deployment, findings, "backup-window", "backup.window",
                         "want two times of day in UTC such as 02:00-03:00, found \"%.60s\"", window);
    else if ((to - from + DAY_MINUTES) % DAY_MINUTES < WINDOW_MINUTES)
        (void)check_fail(deployment, findings, "backup-window", "backup.window",
                         "must be at least %d minutes long, found %s", WINDOW_MINUTES, window);
}

static void check_copy_location(const struct deployment *deployment, struct findings *findings)
{
    const struct deployment_backup *backup = &deployment->backup;
    if (!backup->copy_location)
        return;
    if (!backup->geo_redundant)
        (void)check_fail(deployment, findings, "backup-copy", "backup.copy-location",
                         "is given, and geo-redundant is not true");
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        const struct region *region = deployment_region(deployment, i);
        if (region->provider && catalog_location(region->provider->name, backup->copy_location))
            return;
    }
    (void)check_fail(deployment, findings, "backup-copy", "backup.copy-location",
                     "\"%.60s\" is no location of any cloud that this file uses", backup->copy_location);
}

/* True too while a region's provider is not known. */
static bool has_own_hosts(const struct deployment *deployment)
{
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        const struct region *region = deployment_region(deployment, i);
        if (!region->provider || region->provider->own_hosts)
            return true;
    }
    return false;
}

/* What nothing would come of on clouds, where somebody might count on it; defaults may be written out. */
static void check_own_hosts_only(const struct deployment *deployment, struct findings *findings)
{
    const struct deployment_service *service = &deployment->service;
    const struct deployment_monitoring *monitoring = &deployment->monitoring;
    const struct {
        const char *path;
        bool given;
    } rows[] = {
        {"service.binary", service->binary},
        {"service.command", service->command.count > 0},
        {"service.version", service->version},
        {"network.topology", deployment->network.topology != TOPOLOGY_SHARED},
        {"network.latency-ms", deployment->network.latency_ms.count > 0},
        {"monitoring.prometheus", !monitoring->prometheus},
        {"monitoring.alertmanager", !monitoring->alertmanager},
        {"monitoring.webhook", monitoring->webhook},
        {"monitoring.switch-traffic", monitoring->switch_traffic != SWITCH_TRAFFIC_LAG},
    };
    if (has_own_hosts(deployment))
        return;
    if (deployment->backup.store.type != STORE_LOCAL)
        (void)check_fail(deployment, findings, "backup-store", "backup.store",
                         "is for own hosts: each cloud keeps the backups of its databases itself");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].given && check_written(deployment, rows[i].path))
            (void)check_fail(deployment, findings, "own-hosts", rows[i].path,
                             "is for own hosts, and no region is on them: take it out");
    }
}

static void check_availability(const struct deployment *deployment, struct findings *findings)
{
    const char *text = deployment->monitoring.availability;
    uint64_t scaled;
    struct error err = {0};
    if (!text)
        return;
    if (units_parse_decimal(str_from(text), 7, &scaled, &err))
        (void)check_fail(deployment, findings, "availability", "monitoring.availability", "%s", err.message);
    else if (scaled < UINT64_C(900000000) || scaled >= UINT64_C(1000000000))
        (void)check_fail(deployment, findings, "availability", "monitoring.availability",
                         "must be from 90 to below 100, found %s", text);
}

void check_operation(const struct deployment *deployment, struct findings *findings)
{
    const struct deployment_backup *backup = &deployment->backup;
    check_window(deployment, findings);
    check_copy_location(deployment, findings);
    check_own_hosts_only(deployment, findings);
    check_no_password(deployment, backup->store.endpoint, "backup.store.endpoint", findings);
    check_no_password(deployment, deployment->monitoring.otlp_endpoint, "monitoring.otlp-endpoint", findings);
    check_no_password(deployment, deployment->monitoring.webhook, "monitoring.webhook", findings);
    if (backup->retention_ns % NS_PER_DAY)
        (void)check_fail(deployment, findings, "backup-retention", "backup.retention",
                         "is counted in whole days, such as 14d");
    if (backup->geo_redundant && !backup->enabled)
        (void)check_fail(deployment, findings, "backup-copy", "backup.geo-redundant",
                         "is true, and backups are not enabled");
    (void)check_region_name(deployment, deployment->monitoring.location, "monitoring.location", findings);
    check_availability(deployment, findings);
    const struct deployment_cost *cost = &deployment->cost;
    if (cost->warn_on_percent && cost->critical_on_percent &&
        cost->critical_on_percent < cost->warn_on_percent)
        (void)check_fail(deployment, findings, "budget", "cost-management.critical-on-percent",
                         "%lld is less than the %lld of warn-on-percent",
                         (long long)cost->critical_on_percent, (long long)cost->warn_on_percent);
}
