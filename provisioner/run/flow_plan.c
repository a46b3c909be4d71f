/* From the file to a plan: rendering, identity, planning, price. */
#include "lib/core/file.h"
#include "provisioner/catalog/price_list.h"
#include "provisioner/cost/cost.h"
#include "provisioner/provider.h"
#include "provisioner/render/render.h"
#include "provisioner/run/adopt.h"
#include "provisioner/run/flow.h"
#include "provisioner/run/hosts.h"

#include <poll.h>
#include <unistd.h>

#define IDENTITY_ADDRESS "terraform_data.fraiseql_identity"

const char *flow_clouds(const struct run *run)
{
    struct buf text = BUF_INIT(4096);
    for (size_t i = 0; i < run->cloud_count; i++) {
        const char *title = run->cloud_roots[i]->region->provider->title;
        bool seen = false;
        for (size_t j = 0; j < i; j++)
            seen = seen || strcmp(run->cloud_roots[j]->region->provider->title, title) == 0;
        if (!seen)
            buf_printf(&text, "%s%s", text.len ? ", " : "", title);
    }
    const char *copy = arena_strdup(run->arena, buf_str(&text));
    buf_deinit(&text);
    return copy;
}

static int interrupted(struct run *run)
{
    return run_interrupted(run) ? STATUS_INTERRUPTED : STATUS_OK;
}

/* --- rendering and identity
 * ----------------------------------------------------------------------------------- */

static bool is_remote(const struct run *run)
{
    return run->clouds->state.backend != STATE_LOCAL;
}

static int write_identity(const struct run_root *root, struct error *err)
{
    struct buf text = BUF_INIT(4096);
    buf_printf(&text,
               "{\n  \"resource\": {\n    \"terraform_data\": {\n      \"fraiseql_identity\": {\n"
               "        \"input\": \"%s\"\n      }\n    }\n  }\n}\n",
               root->run->workspace.id);
    int code = file_replace(arena_printf(root->arena, "%s/identity.tf.json", root->folder), buf_str(&text),
                            0600, err);
    buf_deinit(&text);
    return code;
}

static int render(struct run *run, struct error *err)
{
    struct render_identity identity = {.deployment_id = run->workspace.id};
    int code = render_folder(run->clouds, &identity, run->workspace.render,
                             run->bygone ? &run->ctx->regions : NULL, err);
    for (size_t i = 0; !code && is_remote(run) && i < run->cloud_count; i++)
        code = write_identity(run->cloud_roots[i], err);
    for (size_t i = 0; i < run->cloud_count; i++)
        adopt_forget(run->cloud_roots[i]);
    run->has_global = access(arena_printf(run->arena, "%s/main.tf.json", run->global.folder), F_OK) == 0;
    return code;
}

/* The id that a state holds; NULL: none. */
static const char *id_in_state(const struct node *state)
{
    const struct node *resources = node_member(state, "resources");
    for (size_t i = 0; resources && resources->kind == NODE_SEQUENCE && i < resources->count; i++) {
        const struct node *instances = node_member(resources->items[i], "instances");
        if (!str_equal_text(node_text(resources->items[i], "name"), "fraiseql_identity") || !instances ||
            instances->kind != NODE_SEQUENCE || !instances->count)
            continue;
        const struct node *input = node_member(node_member(instances->items[0], "attributes"), "input");
        struct str id = input && input->kind == NODE_SCALAR ? input->scalar : node_text(input, "value");
        if (id.len)
            return id.ptr;
    }
    return NULL;
}

static int pull_id(struct run_root *root, const char **ret_id, struct error *err)
{
    struct node *state = NULL;
    int code = root_pull_state(root, root->arena, &state, err);
    *ret_id = code ? NULL : id_in_state(state);
    return code;
}

/* Another machine may have deployed this already: the states know its id. */
static int find_identity(struct run *run, struct error *err)
{
    for (size_t i = 0; i < run->cloud_count; i++) {
        const char *id = NULL;
        struct run_root *root = run->cloud_roots[i];
        root_prepare(root);
        if (root->failed) {
            /* A dead cloud blocks nobody: its own plan will say so. */
            root->failed = false;
            continue;
        }
        if (pull_id(root, &id, NULL) || !id)
            continue;
        int code = workspace_set_id(&run->workspace, id, run->arena, err);
        run->resumed = true;
        return code ? code : render(run, err);
    }
    return 0;
}

int flow_render(struct run *run)
{
    struct error err = {0};
    int code = render(run, &err);
    if (!code && is_remote(run) && run->workspace.new_id)
        code = find_identity(run, &err);
    run_step(run, code ? STEP_FAILED : STEP_OK, "render", NULL, NULL, "Generating Terraform modules");
    if (code)
        output_error(run->ctx->out, &err);
    return code ? STATUS_FAILURE : interrupted(run);
}

static void put_identity(struct run_root *root)
{
    static const char *const target[] = {"-target=" IDENTITY_ADDRESS, NULL};
    const char *id = NULL;
    root_prepare(root);
    if (root->failed || (pull_id(root, &id, NULL) == 0 && id))
        return;
    root->extra = target;
    root_plan(root);
    root->extra = NULL;
    if (!root->failed && root_changes(root))
        root_apply(root);
}

int flow_keep_identity(struct run *run)
{
    if (!is_remote(run))
        return STATUS_OK;
    run_each_cloud(run, "preparing", put_identity);
    for (size_t i = 0; i < run->cloud_count; i++) {
        struct run_root *root = run->cloud_roots[i];
        if (root->failed)
            run_complain(run, root);
        run->unchanged = run->unchanged && !root->applied;
        root->applied = false;
    }
    return interrupted(run);
}

/* --- planning
 * ------------------------------------------------------------------------------------------------- */

static void plan_region(struct run_root *root)
{
    if (root->failed)
        return;
    if (root->own)
        hosts_plan_region(root);
    else if (root->run->resumed || root_was_interrupted(root))
        adopt_plan(root);
    else
        root_plan(root);
    if (!root->own)
        root_name_attributes(root);
}

static void plan_between(struct run_root *root)
{
    root_plan(root);
    root_name_attributes(root);
}

int64_t flow_changes(const struct run *run)
{
    int64_t changes = 0;
    for (size_t i = 0; i < run->region_count; i++)
        changes += run->regions[i].failed ? 0 : root_changes(&run->regions[i]);
    return changes + (run->has_global && run->global.planned ? root_changes(&run->global) : 0);
}

static void show_price(struct run *run)
{
    struct cost_usage usage;
    struct cost_estimate estimate;
    if (run->ctx->json)
        return;
    if (run->own_count)
        output_printf(run->ctx->out,
                      "    Own hosts have no cloud bill; what they cost you is not known here\n");
    if (!run->cloud_count)
        return;
    cost_usage_defaults(&usage);
    /* Prices that were refreshed; a cache that does not read is named by `cost`, and those in the program are
     * shown here. */
    int uncached = price_list_load_cache(NULL);
    (void)uncached;
    if (cost_estimate(run->clouds, &usage, run->arena, &estimate, NULL))
        return;
    output_printf(run->ctx->out, "    Estimated cost: %s$%.2f a month at list price%s\n",
                  estimate.complete ? "" : "at least ", (double)estimate.monthly_nano_usd / (double)NANO_USD,
                  " (you pay cloud providers directly, no FraiseQL markup)");
}

static bool all_settled(const struct run *run)
{
    for (size_t i = 0; i < run->region_count; i++) {
        const struct run_root *root = &run->regions[i];
        if (root->failed || !root->planned || root_changes(root))
            return false;
    }
    return true;
}

/* The global part reads the regions' outputs. Before they stand, its plan says little and may fail: that is
 * no failure of the run. */
void flow_plan_global(struct run *run)
{
    struct run_root *const roots[] = {&run->global};
    if (!run->has_global || run->ctx->regions.count)
        return;
    run_each(run, roots, 1, "planning", plan_between);
    if (run->global.failed)
        run->global.planned = false;
    run->global.failed = run->global.failed && all_settled(run) && !run_interrupted(run);
}

static const char *what_is_planned(const struct run *run)
{
    long long machines = 0;
    size_t steps = 0;
    for (size_t i = 0; i < run->cloud_count; i++)
        machines += run->cloud_roots[i]->region->instances;
    for (size_t i = 0; i < run->own_count; i++)
        steps += run->own_roots[i]->change_count;
    const char *on_hosts = arena_printf(run->arena, "%zu step%s to do", steps, PLURAL(steps));
    if (!run->cloud_count)
        return arena_printf(run->arena, "Planning (%s)", on_hosts);
    return arena_printf(run->arena, "Planning infrastructure (%lld compute, %zu database%s%s%s)", machines,
                        run->cloud_count, PLURAL(run->cloud_count), run->own_count ? "; on own hosts " : "",
                        run->own_count ? on_hosts : "");
}

static void show_plans(struct run *run, size_t failed)
{
    run_step(run, failed ? STEP_FAILED : STEP_OK, "plan", NULL, NULL, "%s", what_is_planned(run));
    for (size_t i = 0; i <= run->region_count; i++) {
        struct run_root *root = i < run->region_count ? &run->regions[i] : &run->global;
        if (root->failed) {
            if (!root->own || hosts_is_open(root))
                run_complain(run, root);
        } else if (root->planned) {
            if (root->unlisted && !run->ctx->json)
                output_printf(run->ctx->out,
                              "    %s: what an earlier run left could not be listed (%s); what has a name is "
                              "taken over, other things may be left to remove by their tag\n",
                              root->title, root->unlisted);
            run_show_plan(run, root);
            run_plan_record(run, root);
        } else if (root == &run->global && run->has_global && !run->ctx->json && !run->ctx->regions.count)
            output_printf(run->ctx->out, "    the global part: planned once its regions stand\n");
    }
}

static bool clouds_failed(const struct run *run)
{
    for (size_t i = 0; i < run->cloud_count; i++) {
        if (run->cloud_roots[i]->failed)
            return true;
    }
    return false;
}

int flow_plan(struct run *run)
{
    size_t failed = 0, told = 0;
    bool foreign = false;
    for (size_t i = 0; i < run->own_count; i++)
        told += run->own_roots[i]->failed;
    run_each_region(run, "planning", plan_region);
    int status = interrupted(run);
    if (status)
        return status;
    for (size_t i = 0; i < run->region_count; i++) {
        failed += run->regions[i].failed;
        run->regions[i].left = run->regions[i].failed ? LEFT_UNPLANNED : LEFT_UNKNOWN;
        foreign = foreign || (run->regions[i].failed && run->regions[i].err.code == ERR_CONFLICT);
    }
    if (!clouds_failed(run))
        flow_plan_global(run);
    show_plans(run, failed - told + run->global.failed);
    show_price(run);
    if (foreign)
        return STATUS_CONFIG;
    return failed == run->region_count || run->global.failed ? STATUS_FAILURE : interrupted(run);
}

void flow_show_plans(struct run *run)
{
    show_plans(run, run->global.failed);
    show_price(run);
}

/* --- the question
 * --------------------------------------------------------------------------------------------- */

/* True once a line of an answer is there, or its end; false: interrupted. */
static bool read_answer(struct run *run, char *answer, size_t size, size_t *ret_length)
{
    size_t length = 0;
    for (;;) {
        struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
        *ret_length = length;
        run_take_signals(run, 0);
        if (run_interrupted(run))
            return false;
        if (poll(&input, 1, 100) <= 0)
            continue;
        ssize_t got = read(STDIN_FILENO, answer + length, size - length);
        if (got <= 0) {
            output_printf(run->ctx->out, "\n"); /* nobody's Enter has ended the question's line */
            return true;
        }
        *ret_length = length += (size_t)got;
        if (memchr(answer, '\n', length) || length == size)
            return true;
    }
}

bool flow_ask(struct run *run, const char *question, const char *wanted, int *ret_status)
{
    char answer[256];
    size_t length = 0;
    if (run->ctx->json || isatty(STDIN_FILENO) != 1) {
        *ret_status = command_usage_error(
            run->ctx, "there is no terminal to ask on, and nothing was changed; give --yes "
                      "to go on without a question");
        return false;
    }
    output_printf(run->ctx->out, "\n%s ", question);
    run->asking = true;
    bool answered = read_answer(run, answer, sizeof answer, &length);
    run->asking = false;
    bool yes = answered && str_equal_text(str_trim((struct str){answer, length}), wanted);
    if (!yes)
        output_printf(run->ctx->out, "Nothing was changed.\n");
    run->unchanged = run->unchanged && yes; /* it has been said */
    *ret_status = answered ? STATUS_FAILURE : STATUS_INTERRUPTED;
    return yes;
}
