/* How regions on own hosts stand, component by component: for `status` and `health`. Changes nothing. */
#include "provisioner/run/hosts_internal.h"
#include "provisioner/run/look.h"

#include "provisioner/run/at_once.h"

#include <signal.h>

#define PROXY "haproxy" /* the component that clients of a region talk to */

/* "postgresql/cluster" and "service-1/process" are of postgresql and service. */
static bool is_of(const char *id, const char *component)
{
    size_t length = strlen(component);
    return strncmp(id, component, length) == 0 && (id[length] == '/' || id[length] == '-');
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

static struct component_look by_steps(const struct host_root *own, const char *name, const char *const *found)
{
    struct component_look ret = {.state = "absent"};
    size_t standing = 0;
    for (size_t i = 0; i < own->steps.count; i++) {
        const struct host_step *step = &own->steps.items[i];
        const struct ledger_entry *entry = ledger_find(&own->ledger, step->id);
        if (!is_of(step->id, name))
            continue;
        if (entry && !entry->begun && !found[i]) {
            standing++;
            continue;
        }
        if (entry && !ret.detail)
            ret.detail = arena_printf(own->runner.arena, "%s: %s", step->title,
                                      found[i] ? found[i] : "an earlier run left it half done");
        else if (!entry && !ret.detail)
            ret.detail = arena_printf(own->runner.arena, "%s: not done yet", step->title);
    }
    if (standing)
        ret.state = ret.detail ? "failed" : "standing";
    return ret;
}

static bool has_steps(const struct host_root *own, const char *name)
{
    for (size_t i = 0; i < own->steps.count; i++) {
        if (is_of(own->steps.items[i].id, name))
            return true;
    }
    return false;
}

static void look_at_components(struct look *look, const char *const *found)
{
    struct host_root *own = look->root->own;
    struct look_component *list = arena_zalloc(own->runner.arena, 32 * sizeof *list);
    for (size_t i = 0; host_components[i] && look->component_count < 32; i++) {
        const struct component *component = host_components[i];
        struct component_look one = by_steps(own, component->name, found);
        struct error err = {0};
        if (!has_steps(own, component->name))
            continue;
        if (component->look && strcmp(one.state, "standing") == 0 && component->look(own->site, &one, &err)) {
            one.state = "unknown";
            one.detail = arena_strdup(own->runner.arena, str_from(err.message));
        }
        list[look->component_count++] = (struct look_component){component->name, one.state, one.detail};
    }
    look->components = list;
}

static void judge(struct look *look)
{
    struct run_root *root = look->root;
    const struct host_root *own = root->own;
    bool begun = false, failed = false;
    for (size_t i = 0; i < own->ledger.count; i++)
        begun = begun || own->ledger.items[i].begun;
    for (size_t i = 0; i < look->component_count; i++)
        failed = failed || strcmp(look->components[i].state, "failed") == 0 ||
                 strcmp(look->components[i].state, "unknown") == 0 ||
                 strcmp(look->components[i].state, "absent") == 0;
    const struct run_entry *last =
        run_entries_last(run_journal_before(root->run->journal), "apply", root->name);
    if (begun || failed || (last && strcmp(last->event, "begin") == 0)) {
        look->state = "incomplete";
        look->detail = failed ? "not all of it stands; deploy again to mend it"
                              : "a deployment was cut short; deploy again to go on";
    } else {
        look->state = "standing";
    }
}

static void look_at(void *ctx, size_t number)
{
    struct look *look = (struct look *)ctx + number;
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
    judge(look);
}

int hosts_look(struct run *run, struct look **ret_looks)
{
    struct look *looks = arena_zalloc(run->arena, (run->region_count + 1) * sizeof *looks);
    struct error err = {0};
    size_t steps = 0;
    bool any = false;
    int status = hosts_open_all(run);
    if (status)
        return status;
    for (size_t i = 0; i < run->region_count; i++) {
        struct run_root *root = &run->regions[i];
        looks[i] = (struct look){.root = root, .state = "absent", .detail = ""};
        hosts_outputs(root, &looks[i].outputs);
        any = any || root->own->ledger.count;
    }
    /* Where nothing stands no secret is made for the sake of looking. */
    if (any && hosts_make_steps(run, &steps, &err)) {
        output_error(run->ctx->out, &err);
        return STATUS_FAILURE;
    }
    at_once(run->region_count, run->ctx->parallelism, look_at, looks);
    *ret_looks = looks;
    return STATUS_OK;
}
