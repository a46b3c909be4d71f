/* Traffic of a region: HAProxy in front of its service, and between its service and the databases. The
 * service reaches its database through it, so it comes first in their stage. */
#include "provisioner/embedded.h"
#include "provisioner/self_hosted/haproxy_config.h"
#include "provisioner/self_hosted/near.h"
#include "provisioner/self_hosted/parts.h"

#define SCRIPT_MAX_BYTES (64UL * 1024)

struct haproxy_paths {
    const char *folder, *config, *target; /* below layout.config */
    const char *run, *socket, *master;    /* below layout.run */
    const char *helper;                   /* in layout.bin */
};

static struct haproxy_paths paths_of(const struct site *site)
{
    const struct layout *layout = site->layout;
    struct haproxy_paths paths = {.folder = arena_printf(site->arena, "%s/haproxy", layout->config),
                                  .run = arena_printf(site->arena, "%s/haproxy", layout->run),
                                  .socket = haproxy_socket(site),
                                  .helper =
                                      arena_printf(site->arena, "%s/fraiseql-write-target", layout->bin)};
    paths.config = arena_printf(site->arena, "%s/haproxy.cfg", paths.folder);
    paths.target = arena_printf(site->arena, "%s/write-target.cfg", paths.folder);
    paths.master = arena_printf(site->arena, "%s/master.sock", paths.run);
    return paths;
}

/* The embedded script behind a few lines that say where it is. */
static struct str helper_script(const struct site *site, const struct haproxy_paths *paths)
{
    const struct embedded_file *body = embedded_find("self_hosted/files/write-target.sh");
    struct buf text = BUF_INIT(SCRIPT_MAX_BYTES);
    buf_printf(&text, "#!/bin/sh\nregions='");
    for (size_t i = 0, named = 0; i < site->site_count; i++) {
        if (near_same_cluster(site, &site->sites[i]))
            buf_printf(&text, "%s%s", named++ ? " " : "", site->sites[i].region->name);
    }
    buf_printf(&text, "'\nsocket=%s\nmaster=%s\ntarget=%s\n", paths->socket, paths->master, paths->target);
    buf_append_str(&text, body->bytes);
    struct str script = str_from(arena_strdup(site->arena, buf_str(&text)));
    buf_deinit(&text);
    return script;
}

/* The helper, and what it has to say first: the region whose database writes now. */
static void add_target(const struct site *site, const struct haproxy_paths *paths, struct step_list *list)
{
    const char *target = near_write_site(site)->region->name;
    struct host_step *step = step_add(list, STAGE_SERVICE, "haproxy/target",
                                      arena_printf(list->arena, "send writes to %s", target));
    step_put(list, step, paths->helper, helper_script(site, paths), 0755, "root:root", false);
    step->check = arena_printf(list->arena, "[ \"$(%s show)\" = %s ]\n", paths->helper, target);
    step->apply =
        arena_printf(list->arena, "mkdir -p %s\n%s open %s\n", paths->folder, paths->helper, target);
    step->undo =
        arena_printf(list->arena, "rm -f %s %s.new %s.lock\n", paths->target, paths->target, paths->target);
}

/* Refused before it takes the place of the one that runs. */
static void add_config(const struct site *site, const struct haproxy_paths *paths, struct step_list *list)
{
    const char *user = site->layout->service_user;
    struct host_step *step = step_add(list, STAGE_SERVICE, "haproxy/config", "configure HAProxy");
    struct buf text = BUF_INIT(HAPROXY_CONFIG_MAX_BYTES);
    haproxy_config_write(site, &text);
    step_put(list, step, paths->config, str_from(arena_strdup(list->arena, buf_str(&text))), 0644,
             "root:root", false);
    buf_deinit(&text);
    step->check = arena_printf(list->arena, "[ -d %s ]\n", paths->run);
    step->apply =
        arena_printf(list->arena,
                     "install -d -m 700 -o %s -g %s %s\n"
                     "said=$(haproxy -c -q -f %s -f %s 2>&1) || fail \"HAProxy refuses its configuration: "
                     "$said\"\n",
                     user, user, paths->run, paths->target, paths->config);
    step->undo = arena_printf(list->arena, "rm -rf %s\n", paths->run);
}

static int steps(const struct site *site, struct step_list *list, struct error *err)
{
    static const char *const packages[] = {"haproxy", "curl", NULL};
    const struct layout *layout = site->layout;
    const struct haproxy_paths paths = paths_of(site);
    (void)err;
    step_packages(list, site, "haproxy/packages", packages);
    add_target(site, &paths, list);
    add_config(site, &paths, list);
    const char *const argv[] = {"/usr/sbin/haproxy",
                                "-W",
                                "-db",
                                "-S",
                                arena_printf(list->arena, "%s,mode,600", paths.master),
                                "-f",
                                paths.target,
                                "-f",
                                paths.config,
                                NULL};
    const char *const watches[] = {paths.config, NULL};
    const struct host_process process = {
        .name = "haproxy",
        .user = layout->service_user,
        .argv = argv,
        .run_folder = "haproxy",
        .run_folder_mode = 0700,
        .watches = watches,
        .reload = "signal USR2",
        .ready = arena_printf(list->arena,
                              "region curl -fsS -m 2 -o /dev/null http://%s:%u/metrics && [ -S %s ]\n",
                              near_inner_address(site), layout->ports[PORT_PROXY_METRICS], paths.socket),
        /* Sessions of clients end with it; the database's are pooled and never end by themselves. */
        .stop_timeout_ns = 5 * NS_PER_S};
    step_process(list, site, STAGE_SERVICE, &process);
    return 0;
}

const struct component component_haproxy = {.name = "haproxy", .steps = steps};
