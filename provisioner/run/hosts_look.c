/* How regions on own hosts stand, component by component: for `status` and `health`. Changes nothing. */
#include "provisioner/run/hosts_internal.h"
#include "provisioner/run/look.h"

#include "provisioner/run/at_once.h"

#include <signal.h>

#define PROCESSES_MAX (256UL * 1024)
#define PROXY         "haproxy" /* the component that clients of a region talk to */

/* "postgresql/cluster" and "service-1/process" are of postgresql and service. */
static bool is_of(const char *id, const char *component)
{
    size_t length = strlen(component);
    return strncmp(id, component, length) == 0 && (id[length] == '/' || id[length] == '-');
}

bool hosts_stands(const struct host_root *own, const char *component)
{
    for (size_t i = 0; i < own->ledger.count; i++) {
        if (is_of(own->ledger.items[i].id, component))
            return true;
    }
    return false;
}

void hosts_outputs(struct run_root *root, struct root_outputs *ret)
{
    const struct host_root *own = root->own;
    const struct layout *layout = &own->layout;
    bool serves = false, keeps = false;
    for (size_t i = 0; i < own->ledger.count; i++) {
        serves = serves || is_of(own->ledger.items[i].id, PROXY);
        keeps = keeps || own->ledger.items[i].stage == STAGE_PRIMARY ||
                own->ledger.items[i].stage == STAGE_STANDBY;
    }
    /* Within the run that makes them they are in no ledger that was read. */
    for (size_t i = 0; own->changed && i < own->steps.count; i++) {
        serves = serves || is_of(own->steps.items[i].id, PROXY);
        keeps =
            keeps || own->steps.items[i].stage == STAGE_PRIMARY || own->steps.items[i].stage == STAGE_STANDBY;
    }
    *ret =
        (struct root_outputs){.any = own->ledger.count > 0 || own->changed,
                              .url = "",
                              .endpoint = "",
                              .database_address = keeps ? layout->address : "",
                              .database_port = arena_printf(root->arena, "%u", layout->ports[PORT_POSTGRES]),
                              .database_name = "",
                              .gateway_address = "",
                              .service_group = "",
                              .replication_state = ""};
    if (!serves)
        return;
    ret->endpoint = layout->address;
    ret->url = arena_printf(root->arena, "http://%s:%u", layout->address, layout->ports[PORT_HTTP]);
}

static void look_at_steps(const struct host_root *own, const char *const *found, struct look_component *ret)
{
    ret->state = "absent";
    for (size_t i = 0; i < own->steps.count; i++) {
        const struct host_step *step = &own->steps.items[i];
        const struct ledger_entry *entry = ledger_find(&own->ledger, step->id);
        if (!is_of(step->id, ret->name))
            continue;
        ret->steps++;
        if (entry && !entry->begun && !found[i]) {
            ret->standing++;
            continue;
        }
        if (entry && !ret->detail)
            ret->detail = arena_printf(own->runner.arena, "%s: %s", step->title,
                                       found[i] ? found[i] : "an earlier run left it half done");
        else if (!entry && !ret->detail)
            ret->detail = arena_printf(own->runner.arena, "%s: not done yet", step->title);
    }
    if (ret->standing)
        ret->state = ret->detail ? "failed" : "standing";
}

/* Of the supervisor, or of systemd in its words. What cannot be asked is not known, and no fault of its own.
 */
static void ask_processes(const struct host_root *own, struct process_facts *ret)
{
    const struct layout *layout = &own->layout;
    struct buf out = BUF_INIT(PROCESSES_MAX);
    const struct host_script script = {
        .text = arena_printf(
            own->runner.arena,
            "if [ ! -d /run/systemd/system ]; then exec %s/fraiseql-supervisor control %s status; fi\n"
            "printf '['\nbetween=\nfor file in %s/process/*.service; do\n  [ -e \"$file\" ] || continue\n"
            "  name=${file##*/}\n  name=${name%%.service}\n  unit=fraiseql-%s-%s-$name.service\n"
            "  shown() { systemctl show -P \"$1\" \"$unit\"; }\n  state=$(shown ActiveState)\n"
            "  [ \"$state\" != active ] || state=running\n"
            "  up=$(($(cut -d. -f1 /proc/uptime) - $(shown ActiveEnterTimestampMonotonic) / 1000000))\n"
            "  printf '%%s{\"name\":\"%%s\",\"state\":\"%%s\",\"pid\":%%s,\"restarts\":%%s,\"up_s\":%%s}' "
            "\"$between\" "
            "\"$name\" \"$state\" \"$(shown MainPID)\" \"$(shown NRestarts)\" \"$up\"\n  "
            "between=,\ndone\nprintf ']'\n",
            layout->bin, layout->run, layout->config, layout->deployment, layout->region)};
    struct error ignored = {0};
    *ret = (struct process_facts){0};
    if (!host_do(own->host, &script, &out, &ignored))
        facts_processes(own->runner.arena, buf_str(&out), ret);
    buf_deinit(&out);
}

static void take_processes(const struct host_root *own, const struct process_facts *all,
                           struct look_component *ret)
{
    ret->processes.items = arena_zalloc(own->runner.arena, (all->count + 1) * sizeof *all->items);
    for (size_t i = 0; i < all->count; i++) {
        const char *id = arena_printf(own->runner.arena, "%s/process", all->items[i].name);
        if (is_of(id, ret->name))
            ret->processes.items[ret->processes.count++] = all->items[i];
    }
}

static bool has_steps(const struct host_root *own, const char *name)
{
    for (size_t i = 0; i < own->steps.count; i++) {
        if (is_of(own->steps.items[i].id, name))
            return true;
    }
    return false;
}

static void look_at_component(const struct host_root *own, const struct component *component,
                              struct look_component *ret)
{
    struct component_look look = {.state = ret->state, .detail = ret->detail};
    struct error err = {0};
    if (!component->look || strcmp(ret->state, "standing") != 0)
        return;
    if (component->look(own->site, &look, &err)) {
        look.state = "unknown";
        look.detail = arena_strdup(own->runner.arena, str_from(err.message));
    }
    ret->state = look.state;
    ret->detail = look.detail;
    ret->replication = look.replication;
}

static void look_at_components(struct look *look, const char *const *found)
{
    struct host_root *own = look->root->own;
    struct look_component *list = arena_zalloc(own->runner.arena, 32 * sizeof *list);
    struct process_facts processes;
    ask_processes(own, &processes);
    for (size_t i = 0; host_components[i] && look->component_count < 32; i++) {
        const struct component *component = host_components[i];
        struct look_component *one = &list[look->component_count];
        if (!has_steps(own, component->name))
            continue;
        one->name = component->name;
        look_at_steps(own, found, one);
        take_processes(own, &processes, one);
        look_at_component(own, component, one);
        look->component_count++;
    }
    look->components = list;
}

/* Whether an earlier run was cut short, and left something to do: what it began as its last may have been its
 * last. */
static bool cut_short(const struct run_root *root, const char *const *found)
{
    const struct host_root *own = root->own;
    struct comparison comparison;
    const struct run_entry *last =
        run_entries_last(run_journal_before(root->run->journal), "apply", root->name);
    if (!last || strcmp(last->event, "begin") != 0)
        return false;
    compare_steps(&own->steps, &own->ledger, found, false, own->runner.arena, &comparison);
    return comparison.create + comparison.update + comparison.removal_count > 0;
}

static void judge(struct look *look, const char *const *found)
{
    const struct host_root *own = look->root->own;
    bool begun = false, failed = false;
    for (size_t i = 0; i < own->ledger.count; i++)
        begun = begun || own->ledger.items[i].begun;
    for (size_t i = 0; i < look->component_count; i++)
        failed = failed || strcmp(look->components[i].state, "failed") == 0 ||
                 strcmp(look->components[i].state, "unknown") == 0 ||
                 strcmp(look->components[i].state, "absent") == 0;
    if (begun || failed || cut_short(look->root, found)) {
        look->state = "incomplete";
        look->detail = failed ? "not all of it stands; deploy again to mend it"
                              : "a deployment was cut short; deploy again to go on";
    } else {
        look->state = "standing";
    }
}

static void look_at(void *ctx, size_t number)
{
    struct look *look = ((struct look *const *)ctx)[number];
    struct run_root *root = look->root;
    struct host_root *own = root->own;
    const char **found = arena_zalloc(root->arena, (own->steps.count + 1) * sizeof *found);
    if (root->failed) {
        look->state = "unknown";
        look->detail = root->err.message;
        return;
    }
    hosts_outputs(root, &look->outputs);
    if (!own->ledger.count)
        return;
    if (runner_probe(&own->runner, &own->steps, &own->ledger, found, &root->err)) {
        look->state = "unknown";
        look->detail = root->err.message;
        return;
    }
    look_at_components(look, found);
    judge(look, found);
}

int hosts_look(struct run *run, struct look *looks)
{
    struct look **mine = arena_zalloc(run->arena, (run->own_count + 1) * sizeof(struct look *));
    struct error err = {0};
    size_t steps = 0, count = 0;
    bool any = false;
    int status = hosts_open_all(run);
    if (status)
        return status;
    for (size_t i = 0; i < run->region_count; i++) {
        struct run_root *root = &run->regions[i];
        if (!root->own)
            continue;
        looks[i] = (struct look){.root = root, .state = "absent", .detail = ""};
        hosts_outputs(root, &looks[i].outputs);
        any = any || root->own->ledger.count;
        mine[count++] = &looks[i];
    }
    /* Where nothing stands no secret is made for the sake of looking. */
    if (any && hosts_make_steps(run, &steps, &err)) {
        output_error(run->ctx->out, &err);
        return STATUS_FAILURE;
    }
    at_once(count, run->ctx->parallelism, look_at, mine);
    return STATUS_OK;
}
