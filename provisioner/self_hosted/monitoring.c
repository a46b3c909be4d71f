/* The collector of a region, configured for everything that stands there. */
#include "provisioner/config/checks.h"
#include "provisioner/provider.h"
#include "provisioner/self_hosted/base.h"
#include "provisioner/self_hosted/collector_config.h"
#include "provisioner/self_hosted/database_roles.h"
#include "provisioner/self_hosted/parts.h"
#include "provisioner/self_hosted/vault.h"

#define COLLECTOR      "fraiseql-collector"
#define METRICS_SECRET "service-metrics"
#define WEBHOOK_SECRET "monitoring-webhook"
#define TRAFFIC_SECRET "monitoring-traffic"

static void validate(const struct deployment *deployment, const struct region *region,
                     struct findings *findings)
{
    const struct deployment_monitoring *monitoring = &deployment->monitoring;
    const struct region *keeper =
        monitoring->location ? deployment_find_region(deployment, monitoring->location) : NULL;
    bool stays = keeper && keeper->provider && !keeper->provider->own_hosts;
    if (deployment_is_first_own(deployment, region) && stays &&
        (monitoring->prometheus || monitoring->alertmanager))
        (void)check_warn(deployment, findings, "monitoring", "monitoring.location",
                         "%s is not on own hosts: regions on own hosts keep their metrics themselves",
                         keeper->name);
}

static const char *program_of(const struct site *site)
{
    return arena_printf(site->arena, "%s/" COLLECTOR, site->layout->bin);
}

static int add_program(const struct site *site, struct step_list *list, struct error *err)
{
    /* What it is linked against, besides what every Debian has; curl asks whether it is ready. */
    static const char *const packages[] = {
        "libuv1",       "libcurl4",    "libmicrohttpd12", "libpq5",       "libyaml-0-2", "libjansson4",
        "libsqlite3-0", "libdeflate0", "libprotobuf-c1",  "libpcre2-8-0", "libssl3",     "zlib1g",
        "curl",         NULL};
    struct str program;
    int code = base_program(COLLECTOR, list->arena, &program, err);
    if (code)
        return code;
    step_packages(list, site, "monitoring/packages", packages);
    struct host_step *step = step_add(list, STAGE_MONITORING, "monitoring/program", "bring the collector");
    step_put(list, step, program_of(site), program, 0755, "root:root", false);
    return 0;
}

/* Its journal holds budgets and incidents: data. */
static void add_data(const struct site *site, struct step_list *list)
{
    const struct layout *layout = site->layout;
    struct host_step *step =
        step_add(list, STAGE_MONITORING, "monitoring/data", "make the collector's folder");
    step->check = arena_printf(list->arena, "[ -d %s/collector ]\n", layout->data);
    step->apply = arena_printf(list->arena, "install -d -m 750 -o %s -g %s %s/collector\n",
                               layout->service_user, layout->service_user, layout->data);
    step->undo = arena_printf(list->arena, "rm -rf %s/collector\n", layout->data);
    step->data = true;
}

static int add_secrets(const struct site *site, struct step_list *list, struct error *err)
{
    const struct layout *layout = site->layout;
    const char *owner = arena_printf(list->arena, "%s:%s", layout->service_user, layout->service_user);
    const char *password = NULL, *token = NULL, *webhook = NULL, *traffic = NULL;
    struct str authority = {0};
    int code = vault_secret(site->vault, DATABASE_SECRET_MONITOR, &password, err);
    code = code ? code : vault_secret(site->vault, METRICS_SECRET, &token, err);
    code = code ? code : vault_authority(site->vault, &authority, err);
    if (!code && site->deployment->monitoring.webhook)
        code = vault_secret(site->vault, WEBHOOK_SECRET, &webhook, err);
    if (!code && collector_switches(site))
        code = vault_secret(site->vault, TRAFFIC_SECRET, &traffic, err);
    if (code)
        return code;
    struct host_step *step =
        step_add(list, STAGE_MONITORING, "monitoring/secrets", "give the collector its secrets");
    step_put(list, step, collector_file(site, COLLECTOR_MONITOR_PASSWORD), str_from(password), 0600, owner,
             true);
    step_put(list, step, collector_file(site, COLLECTOR_METRICS_TOKEN), str_from(token), 0600, owner, true);
    step_put(list, step, collector_file(site, COLLECTOR_AUTHORITY), authority, 0644, "root:root", false);
    if (webhook)
        step_put(list, step, collector_file(site, COLLECTOR_WEBHOOK_SECRET), str_from(webhook), 0600, owner,
                 true);
    if (traffic)
        step_put(list, step, collector_file(site, COLLECTOR_TRAFFIC_SECRET), str_from(traffic), 0600, owner,
                 true);
    return 0;
}

/* Judged by the collector itself before it takes the place of the one that runs. */
static void add_config(const struct site *site, struct step_list *list)
{
    const char *path = collector_file(site, COLLECTOR_CONFIG);
    struct host_step *step = step_add(list, STAGE_MONITORING, "monitoring/config", "configure the collector");
    struct buf text = BUF_INIT(COLLECTOR_CONFIG_MAX_BYTES);
    collector_config_write(site, &text);
    step_put(list, step, path, str_from(arena_strdup(list->arena, buf_str(&text))), 0644, "root:root", false);
    buf_deinit(&text);
    step->apply =
        arena_printf(list->arena,
                     "said=$(as %s %s --config %s --check 2>&1) || fail \"the collector refuses its "
                     "configuration: $said\"\n",
                     site->layout->service_user, program_of(site), path);
}

static int steps(const struct site *site, struct step_list *list, struct error *err)
{
    const struct layout *layout = site->layout;
    if (!site->deployment->monitoring.enabled)
        return 0;
    int code = add_program(site, list, err);
    code = code ? code : add_secrets(site, list, err);
    if (code)
        return code;
    add_data(site, list);
    add_config(site, list);
    const char *program = program_of(site), *config = collector_file(site, COLLECTOR_CONFIG);
    const char *running = arena_printf(list->arena, "%s/collector.program", layout->run);
    const char *const argv[] = {program, "--config", config, NULL};
    const char *const watches[] = {config,
                                   program,
                                   collector_file(site, COLLECTOR_MONITOR_PASSWORD),
                                   collector_file(site, COLLECTOR_METRICS_TOKEN),
                                   collector_file(site, COLLECTOR_AUTHORITY),
                                   collector_file(site, COLLECTOR_WEBHOOK_SECRET),
                                   collector_file(site, COLLECTOR_TRAFFIC_SECRET),
                                   NULL};
    const struct host_process process = {
        .name = "monitoring-collector",
        .user = layout->service_user,
        .argv = argv,
        .watches = watches,
        /* A new configuration is taken over; a new program cannot be. */
        .reload = arena_printf(
            list->arena,
            "if [ \"$(cat %s 2>/dev/null)\" = \"$(sha256sum <%s)\" ]; then signal HUP; else restart; "
            "fi\n",
            running, program),
        .ready = arena_printf(
            list->arena, "region curl -fsS -m 2 -o /dev/null http://%s:%u/-/ready && sha256sum <%s >%s\n",
            collector_address(site), layout->ports[PORT_COLLECTOR], program, running)};
    step_process(list, site, STAGE_MONITORING, &process);
    return 0;
}

const struct component component_monitoring = {.name = "monitoring", .validate = validate, .steps = steps};
