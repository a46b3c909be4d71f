/* Prometheus and Alertmanager of a region, or of all where monitoring.location names one. */
#include "provisioner/embedded.h"
#include "provisioner/self_hosted/near.h"
#include "provisioner/self_hosted/parts.h"
#include "provisioner/self_hosted/prometheus_config.h"

struct server {
    const char *name, *title;    /* "prometheus", "Prometheus" */
    const char *program, *check; /* Debian's, and what judges a configuration */
    enum layout_port port;
};

static const struct server prometheus = {"prometheus", "Prometheus", "/usr/bin/prometheus",
                                         "promtool check config", PORT_PROMETHEUS};
static const struct server alertmanager = {"alertmanager", "Alertmanager", "/usr/bin/prometheus-alertmanager",
                                           "amtool check-config", PORT_ALERTMANAGER};

static const char *folder_of(const struct site *site, const struct server *server)
{
    return arena_printf(site->arena, "%s/%s", site->layout->config, server->name);
}

static void add_data(const struct site *site, const struct server *server, struct step_list *list)
{
    const struct layout *layout = site->layout;
    struct host_step *step =
        step_add(list, STAGE_MONITORING, arena_printf(list->arena, "%s/data", server->name),
                 arena_printf(list->arena, "make %s's folder", server->title));
    step->check = arena_printf(list->arena, "[ -d %s/%s ]\n", layout->data, server->name);
    step->apply = arena_printf(list->arena, "install -d -m 750 -o %s -g %s %s/%s\n", layout->service_user,
                               layout->service_user, layout->data, server->name);
    step->undo = arena_printf(list->arena, "rm -rf %s/%s\n", layout->data, server->name);
    step->data = true;
}

/* `rules`: NULL for Alertmanager. */
static void add_config(const struct server *server, const char *path, struct str text, const char *rules,
                       struct step_list *list)
{
    struct host_step *step =
        step_add(list, STAGE_MONITORING, arena_printf(list->arena, "%s/config", server->name),
                 arena_printf(list->arena, "configure %s", server->title));
    step_put(list, step, path, text, 0644, "root:root", false);
    if (rules)
        step_put(list, step, rules, embedded_find("../dashboards/rules.yml")->bytes, 0644, "root:root",
                 false);
    step->apply =
        arena_printf(list->arena, "said=$(%s %s 2>&1) || fail \"%s refuses its configuration: $said\"\n",
                     server->check, path, server->title);
}

static void add_process(const struct site *site, const struct server *server, const char *const *argv,
                        const char *const *watches, struct step_list *list)
{
    const struct host_process process = {
        .name = server->name,
        .user = site->layout->service_user,
        .argv = argv,
        .watches = watches,
        .reload = "signal HUP",
        .ready = arena_printf(list->arena, "region curl -fsS -m 2 -o /dev/null http://%s:%u/-/ready\n",
                              near_inner_address(site), site->layout->ports[server->port])};
    step_process(list, site, STAGE_MONITORING, &process);
}

static const char *listen_argument(const struct site *site, const struct server *server)
{
    return arena_printf(site->arena, "--web.listen-address=%s:%u", near_inner_address(site),
                        site->layout->ports[server->port]);
}

static struct str taken(struct arena *arena, struct buf *text)
{
    struct str copy = str_from(arena_strdup(arena, buf_str(text)));
    buf_deinit(text);
    return copy;
}

static int prometheus_steps(const struct site *site, struct step_list *list, struct error *err)
{
    static const char *const packages[] = {"prometheus", "curl", NULL};
    struct arena *arena = list->arena;
    (void)err;
    if (!prometheus_keeps(site) || !site->deployment->monitoring.prometheus)
        return 0;
    const char *folder = folder_of(site, &prometheus);
    const char *path = arena_printf(arena, "%s/prometheus.yml", folder);
    const char *rules = arena_printf(arena, "%s/rules.yml", folder);
    struct buf text = BUF_INIT(PROMETHEUS_CONFIG_MAX_BYTES);
    prometheus_config_write(site, rules, &text);
    step_packages(list, site, "prometheus/packages", packages);
    add_data(site, &prometheus, list);
    add_config(&prometheus, path, taken(arena, &text), rules, list);
    int64_t retention_s = site->deployment->monitoring.metrics_retention_ns / NS_PER_S;
    const char *const argv[] = {
        prometheus.program,
        arena_printf(arena, "--config.file=%s", path),
        arena_printf(arena, "--storage.tsdb.path=%s/prometheus", site->layout->data),
        arena_printf(arena, "--storage.tsdb.retention.time=%llds", (long long)retention_s),
        listen_argument(site, &prometheus),
        NULL};
    const char *const watches[] = {path, rules, NULL};
    add_process(site, &prometheus, argv, watches, list);
    return 0;
}

static int alertmanager_steps(const struct site *site, struct step_list *list, struct error *err)
{
    static const char *const packages[] = {"prometheus-alertmanager", "curl", NULL};
    struct arena *arena = list->arena;
    (void)err;
    if (!prometheus_keeps(site) || !site->deployment->monitoring.alertmanager)
        return 0;
    const char *path = arena_printf(arena, "%s/alertmanager.yml", folder_of(site, &alertmanager));
    struct buf text = BUF_INIT(PROMETHEUS_CONFIG_MAX_BYTES);
    alertmanager_config_write(site, &text);
    step_packages(list, site, "alertmanager/packages", packages);
    add_data(site, &alertmanager, list);
    add_config(&alertmanager, path, taken(arena, &text), NULL, list);
    const char *const argv[] = {alertmanager.program,
                                arena_printf(arena, "--config.file=%s", path),
                                arena_printf(arena, "--storage.path=%s/alertmanager", site->layout->data),
                                listen_argument(site, &alertmanager),
                                "--cluster.listen-address=", /* it stands alone */
                                NULL};
    const char *const watches[] = {path, NULL};
    add_process(site, &alertmanager, argv, watches, list);
    return 0;
}

const struct component component_prometheus = {.name = "prometheus", .steps = prometheus_steps};
const struct component component_alertmanager = {.name = "alertmanager", .steps = alertmanager_steps};
