/* What every region on own hosts stands on: folders, users, and the supervisor where systemd does not run. */
#include "provisioner/self_hosted/base.h"

#include "lib/core/file.h"
#include "provisioner/embedded.h"
#include "provisioner/self_hosted/network.h"
#include "provisioner/self_hosted/parts.h"

#include <errno.h>
#include <unistd.h>

#define PROGRAM_MAX_BYTES (64UL * 1024 * 1024)

static void add_folders(const struct site *site, struct step_list *list)
{
    const struct layout *layout = site->layout;
    struct host_step *step = step_add(list, STAGE_HOST, "base/folders", "make folders");
    /* /run is empty after a start of the machine: systemd's units want it before anybody deploys again. */
    step_put(
        list, step,
        arena_printf(list->arena, "/etc/tmpfiles.d/fraiseql-%s-%s.conf", layout->deployment, layout->region),
        str_from(arena_printf(list->arena,
                              "d /run/fraiseql 0755 root root\nd /run/fraiseql/%s 0755 root root\n"
                              "d %s 0755 root root\n",
                              layout->deployment, layout->run)),
        0644, "root:root", false);
    step->with_data = true;
    step->apply =
        arena_printf(list->arena,
                     "mkdir -p /var/lib/fraiseql /run/fraiseql\nmkdir -p %s %s %s %s %s %s/process\n"
                     "chmod 755 /var/lib/fraiseql /run/fraiseql %s %s %s %s %s %s/process\n",
                     layout->config, layout->data, layout->log, layout->run, layout->bin, layout->config,
                     layout->config, layout->data, layout->log, layout->run, layout->bin, layout->config);
    /* The supervisor bounds logs itself; where systemd runs, logrotate does. */
    step_put(
        list, step,
        arena_printf(list->arena, "/etc/logrotate.d/fraiseql-%s-%s", layout->deployment, layout->region),
        str_from(arena_printf(list->arena,
                              "%s/*.log {\n  daily\n  maxsize 10M\n  rotate 1\n  copytruncate\n  missingok\n"
                              "  notifempty\n}\n",
                              layout->log)),
        0644, "root:root", false);
    step->check = arena_printf(list->arena, "[ -d %s ] && [ -d %s ] && [ -d %s ] && [ -d %s/process ]\n",
                               layout->run, layout->data, layout->log, layout->config);
    step->undo = arena_printf(
        list->arena,
        "rm -rf %s\nrmdir %s/* %s %s %s 2>/dev/null || true\n"
        "rmdir %s 2>/dev/null || true\nrmdir /run/fraiseql/%s /run/fraiseql 2>/dev/null || true\n",
        layout->run, layout->config, layout->config, layout->bin, layout->log, layout->data,
        layout->deployment);
}

/* Regions of one host, of other deployments too, share the users. Who wants one is noted in a folder, and
 * that it was made by us; the last region that wanted it takes it away. */
static void add_user(const struct site *site, struct step_list *list, const char *id, const char *user)
{
    struct str functions = embedded_find("self_hosted/files/user.sh")->bytes;
    const char *notes = arena_printf(list->arena, "/var/lib/fraiseql/.users/%s", user);
    const char *begin =
        arena_printf(list->arena, "user=%s\nnotes=%s\nmember=%s/%s.%s\n%.*s", user, notes, notes,
                     site->layout->deployment, site->layout->region, STR_ARGS(functions));
    struct host_step *step =
        step_add(list, STAGE_HOST, id, arena_printf(list->arena, "make the user %s", user));
    step->with_data = true;
    step->check = arena_printf(list->arena, "%suser_check\n", begin);
    step->apply = arena_printf(list->arena, "%suser_apply\n", begin);
    step->undo = arena_printf(list->arena, "%suser_undo\n", begin);
}

int base_program(const char *name, struct arena *arena, struct str *ret, struct error *err)
{
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length <= 0)
        return error_set_errno(err, errno, "cannot find where this program lies");
    struct str folder = {path, (size_t)length};
    while (folder.len && folder.ptr[folder.len - 1] != '/')
        folder.len--;
    struct buf bytes = BUF_INIT(PROGRAM_MAX_BYTES);
    int code = file_read(arena_printf(arena, "%.*s%s", STR_ARGS(folder), name), &bytes, err);
    if (!code)
        *ret = (struct str){arena_strdup(arena, buf_str(&bytes)), bytes.len};
    else
        (void)error_prefix(err, "%s belongs beside fraiseql, and is copied to the hosts", name);
    buf_deinit(&bytes);
    return code;
}

static int add_supervisor(const struct site *site, struct step_list *list, struct error *err)
{
    const struct layout *layout = site->layout;
    struct str program;
    int code = base_program("fraiseql-supervisor", list->arena, &program, err);
    if (code)
        return code;
    struct host_step *step = step_add(list, STAGE_HOST, "base/supervisor", "run the supervisor");
    step_put(list, step, arena_printf(list->arena, "%s/fraiseql-supervisor", layout->bin), program, 0755,
             "root:root", false);
    const char *const arguments = arena_printf(list->arena, "%s %s/process", layout->run, layout->config);
    step->check =
        arena_printf(list->arena, "[ -d /run/systemd/system ] || %s/fraiseql-supervisor control %s ping\n",
                     layout->bin, layout->run);
    step->apply = arena_printf(
        list->arena,
        "[ ! -d /run/systemd/system ] || exit 0\n"
        "%s/fraiseql-supervisor control %s retire 2>/dev/null || true\n"
        "region setsid -f %s/fraiseql-supervisor run %s </dev/null >>%s/supervisor.log 2>&1\n"
        "tries=0\nuntil %s/fraiseql-supervisor control %s ping 2>/dev/null; do\n"
        "  tries=$((tries + 1))\n"
        "  [ $tries -lt 200 ] || fail \"the supervisor did not start; its log ends: $(tail -n 3 "
        "%s/supervisor.log | tr '\\n' '|')\"\n  sleep 0.05\ndone\n",
        layout->bin, layout->run, layout->bin, arguments, layout->log, layout->bin, layout->run, layout->log);
    step->undo =
        arena_printf(list->arena,
                     "[ ! -x %s/fraiseql-supervisor ] || %s/fraiseql-supervisor control %s end || true\n"
                     "rm -f %s/supervisor.log %s/supervisor.log.1\n",
                     layout->bin, layout->bin, layout->run, layout->log, layout->log);
    return 0;
}

static int steps(const struct site *site, struct step_list *list, struct error *err)
{
    add_folders(site, list);
    add_user(site, list, "base/user-database", site->layout->postgres_user);
    add_user(site, list, "base/user-service", site->layout->service_user);
    network_namespace(site, list);
    int code = add_supervisor(site, list, err);
    return code ? code : network_relay(site, list, err);
}

const struct component component_base = {.name = "base", .steps = steps};
