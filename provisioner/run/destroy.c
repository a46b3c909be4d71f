/* Removing a deployment: the global part first, then the regions. A database stays, with everything it needs
 * to stay, unless --delete-data was given; then it leaves a final snapshot behind. */
#include "lib/core/clock.h"
#include "provisioner/run/flow.h"
#include "provisioner/run/hosts.h"
#include "provisioner/run/keep.h"
#include "provisioner/run/known.h"
#include "provisioner/run/view.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* Where there is no state, `state list` fails as where it cannot be read; `state pull` has nothing to say. */
static bool is_without_state(struct run_root *root)
{
    static const char *const arguments[] = {"state", "pull", NULL};
    struct buf bytes = BUF_INIT(TF_CAPTURE_MAX);
    int code = terraform_capture(&root->run->terraform, root->folder, arguments, &bytes, NULL);
    bool none = !code && !str_trim(buf_str(&bytes)).len;
    buf_deinit(&bytes);
    return none;
}

/* A state that cannot be read is not an empty one: then the root has failed. */
static bool has_state(struct run_root *root)
{
    static const char *const arguments[] = {"state", "list", NULL};
    struct buf bytes = BUF_INIT(TF_CAPTURE_MAX);
    int code = terraform_capture(&root->run->terraform, root->folder, arguments, &bytes, &root->err);
    bool any = !code && str_trim(buf_str(&bytes)).len > 0;
    buf_deinit(&bytes);
    if (!code)
        return any;
    if (is_without_state(root)) {
        error_clear(&root->err);
        return false;
    }
    (void)error_prefix(&root->err, "%s", root->name);
    root->failed = true;
    return false;
}

static int list_kept(struct run_root *root, struct keep_list *ret)
{
    static const char *const arguments[] = {"show", "-json", NULL};
    struct buf bytes = BUF_INIT(TF_CAPTURE_MAX);
    struct node *state = NULL;
    int code = terraform_capture(&root->run->terraform, root->folder, arguments, &bytes, &root->err);
    if (!code)
        code = json_parse(root->arena, buf_str(&bytes), &state, &root->err);
    buf_deinit(&bytes);
    if (!code)
        keep_databases(root->arena, state, ret);
    return code;
}

/* -destroy with a -target for each resource that no database needs. Targets bring along what depends on
 * them, and a database depends on none of them. */
static int plan_without_data(struct run_root *root)
{
    struct keep_list list = {0};
    int code = list_kept(root, &list);
    if (code)
        return code;
    if (!list.database_count) {
        static const char *const all[] = {"-destroy", NULL};
        root->extra = all;
    } else if (!list.removable_count) {
        root->planned = false;
        return 0;
    } else {
        const char **extra = arena_zalloc(root->arena, (list.removable_count + 2) * sizeof *extra);
        size_t count = 0;
        extra[count++] = "-destroy";
        for (size_t i = 0; i < list.removable_count; i++)
            extra[count++] = arena_printf(root->arena, "-target=%s", list.removable[i]);
        if (count > TF_ARGUMENTS_MAX - 16)
            return error_set(&root->err, ERR_LIMIT,
                             "%s has %zu resources to remove beside its database, more "
                             "than this version takes at once",
                             root->name, count);
        root->extra = extra;
    }
    root_plan(root);
    root->extra = NULL;
    for (size_t i = 0; !root->failed && i < root->change_count; i++) {
        if (keep_is_database(root->changes[i].type) && strcmp(root->changes[i].action, "delete") == 0)
            return error_set(&root->err, ERR_CONFLICT, "%s: the plan would destroy %s without --delete-data",
                             root->name, root->changes[i].address);
    }
    return root->failed ? root->err.code : 0;
}

/* The variable and a -target for each database that the plan would change; NULL: there is none. Whatever else
 * has drifted is about to go and is left alone. */
static const char *const *databases_to_release(struct run_root *root, const char *variable)
{
    const char **extra = arena_zalloc(root->arena, (root->change_count + 2) * sizeof *extra);
    size_t count = 0;
    extra[count++] = variable;
    for (size_t i = 0; i < root->change_count; i++) {
        const struct root_change *change = &root->changes[i];
        if (keep_is_database(change->type) && strcmp(change->action, "update") == 0)
            extra[count++] = arena_printf(root->arena, "-target=%s", change->address);
    }
    return count > 1 && count < TF_ARGUMENTS_MAX - 16 ? extra : NULL;
}

/* The provider takes the final snapshot from attributes that must be in the state before the destroy. */
static int release_data(struct run_root *root)
{
    char stamp[32];
    struct timespec now = {.tv_sec = clock_wall_ns() / NS_PER_S};
    struct tm utc;
    (void)gmtime_r(&now.tv_sec, &utc);
    (void)strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", &utc);
    const char *variable = arena_printf(root->arena, "-var=final_snapshot=%s-%s-%s",
                                        root->run->deployment->metadata.name, root->name, stamp);
    const char *const lift[] = {variable, NULL}, *const all[] = {"-destroy", variable, NULL};
    root->extra = lift;
    root_plan(root);
    root->extra = root->failed ? NULL : databases_to_release(root, variable);
    if (root->extra) {
        root_plan(root);
        if (!root->failed && root_changes(root))
            root_apply(root);
    }
    root->extra = all;
    if (!root->failed)
        root_plan(root);
    root->extra = NULL;
    return root->failed ? root->err.code : 0;
}

static void plan_keeping(struct run_root *root)
{
    root_prepare(root);
    if (!root->failed && has_state(root) && plan_without_data(root))
        root->failed = true;
}

static void plan_all(struct run_root *root)
{
    static const char *const all[] = {"-destroy", NULL};
    root_prepare(root);
    if (root->failed || !has_state(root))
        return;
    root->extra = all;
    root_plan(root);
    root->extra = NULL;
}

static void destroy_planned(struct run_root *root)
{
    if (root->own)
        hosts_undo_region(root);
    else if (!root->failed && root->planned && root_changes(root))
        root_apply(root);
}

static void destroy_with_data(struct run_root *root)
{
    if (root->own) {
        hosts_undo_region(root);
        return;
    }
    if (root->failed || !root->planned || !root_changes(root))
        return;
    if (release_data(root)) {
        root->failed = true;
        return;
    }
    root_apply(root);
}

bool flow_confirmed(struct run *run, const char *doing, const char *to, int *ret_status)
{
    const char *name = run->deployment->metadata.name, *given = command_value(run->ctx, "--confirm");
    if (given && strcmp(given, name) != 0) {
        *ret_status =
            command_usage_error(run->ctx, "--confirm %s: this deployment is called \"%s\"", given, name);
        return false;
    }
    if (given && run->ctx->yes)
        return true;
    if (isatty(STDIN_FILENO) != 1 || run->ctx->json) {
        *ret_status = command_usage_error(
            run->ctx, "%s without a terminal takes --yes and --confirm %s; nothing was changed", doing, name);
        return false;
    }
    return flow_ask(run, arena_printf(run->arena, "Type the deployment's name (%s) %s:", name, to), name,
                    ret_status);
}

static int destroy_global(struct run *run)
{
    struct run_root *const roots[] = {&run->global};
    if (!run->has_global || run->ctx->regions.count || !run->global.planned)
        return STATUS_OK;
    run_each(run, roots, 1, "removing", destroy_planned);
    run_step(run, run->global.failed ? STEP_FAILED : STEP_OK, "destroy", "global", NULL,
             "Removing DNS and links between regions");
    if (run->global.failed)
        run_complain(run, &run->global);
    return run->global.failed ? STATUS_FAILURE : STATUS_OK;
}

static void say_kept(struct run *run, bool kept_on_hosts)
{
    if (run->cloud_count)
        output_printf(run->ctx->out,
                      "\nDatabases stay, with the networks and keys they need; their states still know them. "
                      "`fraiseql deploy destroy %s --delete-data` removes them after a final snapshot.\n",
                      run->ctx->file);
    if (kept_on_hosts)
        output_printf(run->ctx->out,
                      "\nDatabases' data stays on its hosts, with the user that owns it. `fraiseql deploy "
                      "destroy %s --delete-data` removes it.\n",
                      run->ctx->file);
}

/* A region that cannot be planned keeps no other from going, nor does a host that cannot be reached, which
 * has been named. */
static void show_plans(struct run *run)
{
    for (size_t i = 0; i <= run->region_count; i++) {
        struct run_root *root = i < run->region_count ? &run->regions[i] : &run->global;
        if (root->failed && !root->own) {
            root->left = LEFT_UNPLANNED;
            run_complain(run, root);
            if (root->region && !run->ctx->json)
                output_printf(run->ctx->out, "    %s: cannot be planned and is left as it is\n", root->title);
        } else if (root->planned) {
            run_show_plan(run, root);
            run_plan_record(run, root);
        }
    }
}

/* DNS leads to the regions and goes before them, or they stay. */
static int check_global(struct run *run)
{
    struct error err = {0};
    if (!run->global.failed)
        return STATUS_OK;
    (void)error_set(
        &err, ERR_PEER,
        "what lies between the regions cannot be planned, and goes before them; nothing was changed");
    error_set_hint(&err, "`fraiseql deploy destroy %s --region NAME` removes a region without it",
                   run->ctx->file);
    output_error(run->ctx->out, &err);
    return STATUS_FAILURE;
}

static size_t count_failed(const struct run *run)
{
    size_t count = 0;
    for (size_t i = 0; i < run->region_count; i++)
        count += run->regions[i].failed;
    return count;
}

static int plan_destruction(struct run *run, bool delete_data, bool *ret_kept)
{
    struct run_root *const global[] = {&run->global};
    *ret_kept = false;
    for (size_t i = 0; i < run->own_count; i++) {
        struct run_root *root = run->own_roots[i];
        root->keeps_data = !root->failed && hosts_plan_destruction(root, delete_data);
        *ret_kept = *ret_kept || root->keeps_data;
    }
    run_each_cloud(run, "planning", delete_data ? plan_all : plan_keeping);
    if (run->has_global && !run->ctx->regions.count)
        run_each(run, global, 1, "planning", plan_all);
    if (run_interrupted(run))
        return STATUS_INTERRUPTED;
    show_plans(run);
    return check_global(run);
}

static bool is_unplanned(const struct run_root *root)
{
    return root->failed && root->left == LEFT_UNPLANNED;
}

static const char *note_of(const struct run_root *root)
{
    return is_unplanned(root) ? "it could not be planned and is left as it was"
           : !root->skipped   ? NULL
           : root->own        ? "interrupted: destroy again to go on"
                              : "interrupted before it began";
}

/* What is left, and the command that goes on. */
static void say_left(struct run *run, bool delete_data)
{
    const struct output *out = run->ctx->out;
    struct buf regions = BUF_INIT(64UL * 1024);
    bool whole = run->global.failed || run->global.skipped;
    if (out->json)
        return;
    output_printf(out, "\nNot everything is removed.\n");
    for (size_t i = 0; i < run->region_count; i++) {
        const struct run_root *root = &run->regions[i];
        bool left = root->failed || root->skipped;
        output_printf(out, "  %s: %s\n", root->title,
                      is_unplanned(root) ? "was left as it was: it could not be planned"
                      : root->failed     ? "is not removed as a whole"
                      : root->skipped    ? (root->own ? "was interrupted" : "was not begun")
                      : delete_data      ? "is removed"
                                         : "is removed, but for data");
        if (left)
            buf_printf(&regions, " --region %s", root->name);
    }
    output_printf(out, "Next: fraiseql deploy destroy %s%s%s  (goes on with what is left)\n", run->ctx->file,
                  whole ? "" : buf_text(&regions), delete_data ? " --delete-data" : "");
    buf_deinit(&regions);
}

/* The exit status of what was destroyed, or not. */
static int show_destroyed(struct run *run, bool delete_data, int status)
{
    bool left = run->global.failed || run->global.skipped;
    for (size_t i = 0; i < run->region_count; i++) {
        struct run_root *root = &run->regions[i];
        run_step(run, run_mark_of(root), "destroy", root->name, note_of(root), "Destroying %s", root->title);
        if (root->failed)
            status = STATUS_FAILURE;
        if (root->failed && !is_unplanned(root))
            run_complain(run, root);
        left = left || root->failed || root->skipped;
    }
    if (left)
        say_left(run, delete_data);
    return status;
}

static int nothing_to_destroy(struct run *run, bool delete_data, bool kept)
{
    if (count_failed(run)) {
        say_left(run, delete_data);
        return STATUS_FAILURE;
    }
    if (!run->ctx->json)
        output_printf(run->ctx->out, kept ? "There is nothing to destroy but data; --delete-data does that.\n"
                                          : "There is nothing to destroy.\n");
    return STATUS_OK;
}

/* Of which nothing is left. */
static void forget_gone(struct run_root *root)
{
    bool left = root->failed || root->skipped || (root->own ? root->keeps_data : has_state(root));
    if (!left && !root->failed)
        known_forget(&root->run->workspace, root->name, root->arena);
}

int flow_destroy(struct run *run, bool delete_data)
{
    bool kept = false;
    int status = plan_destruction(run, delete_data, &kept);
    if (status)
        return status;
    if (!flow_changes(run)) {
        if (!run->ctx->dry_run)
            run_each_region(run, "looking", forget_gone);
        return nothing_to_destroy(run, delete_data, kept);
    }
    if (run->ctx->dry_run)
        return count_failed(run) ? STATUS_FAILURE : STATUS_OK;
    if (!flow_confirmed(run, "destroying", "to destroy what is listed", &status))
        return status;
    run->unchanged = false;
    status = destroy_global(run);
    run_each_region(run, "removing", delete_data ? destroy_with_data : destroy_planned);
    status = show_destroyed(run, delete_data, status);
    if (!run_interrupted(run))
        run_each_region(run, "looking", forget_gone);
    if (!delete_data && !run->ctx->json)
        say_kept(run, kept);
    return run_interrupted(run) ? STATUS_INTERRUPTED : status;
}
