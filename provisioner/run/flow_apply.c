/* From a plan to a deployment: regions, network, replication, smoke tests, DNS, and the words at the end. */
#include "lib/core/clock.h"
#include "provisioner/run/adopt.h"
#include "provisioner/run/flow.h"
#include "provisioner/run/hosts.h"
#include "provisioner/run/known.h"
#include "provisioner/run/outputs.h"
#include "provisioner/run/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* --- regions
 * -------------------------------------------------------------------------------------------------- */

/* Another run's terraform may have been at work when the plan was made, and its state has moved since; or
 * what was taken over was still being made (a database without an address yet), and has become something
 * else. */
static bool is_stale(const struct run_root *root)
{
    static const char *const words[] = {"plan is stale", "inconsistent final plan"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (root->problem_count && strstr(root->problems[0].summary, words[i]))
            return !command_given(root->run->ctx, "--plan");
    }
    return false;
}

/* What the operator has seen and agreed to. */
struct shown {
    const struct root_change *changes;
    size_t count;
};

/* The same action; or what was shown is there by now, and is brought to what was shown. */
static bool is_shown(const struct root_change *change, const struct shown *shown)
{
    if (strcmp(change->action, "read") == 0 || change->import_id[0])
        return true;
    for (size_t i = 0; i < shown->count; i++) {
        const struct root_change *before = &shown->changes[i];
        if (strcmp(change->address, before->address) == 0)
            return strcmp(change->action, before->action) == 0 ||
                   (strcmp(change->action, "update") == 0 && strcmp(before->action, "delete") != 0);
    }
    return false;
}

/* A plan in a list of its own, so that what was shown stays. */
static void plan_anew(struct run_root *root)
{
    root->failed = false;
    root->changes = NULL;
    root->change_count = root->change_capacity = 0;
    root_plan(root);
}

static void plan_again(struct run_root *root, const struct shown *shown)
{
    plan_anew(root);
    for (size_t i = 0; !root->failed && i < root->change_count; i++) {
        if (is_shown(&root->changes[i], shown))
            continue;
        root->failed = true;
        (void)error_set(
            &root->err, ERR_UNAVAILABLE,
            "%s: what would be done has changed since it was shown (%s: %s); deploy again to see it",
            root->name, root->changes[i].address, root->changes[i].action);
    }
}

/* Applies, and takes over what turns out to exist and to be ours, a bounded number of times. */
static void apply_with_adoption(struct run_root *root)
{
    const struct shown shown = {root->changes, root->change_count};
    root_apply(root);
    for (unsigned round = 0; root->failed && round < ADOPT_ROUNDS_MAX; round++) {
        if (run_interrupted(root->run))
            break;
        if (is_stale(root)) {
            plan_again(root, &shown);
        } else if (adopt_conflicts(root)) {
            plan_anew(root);
            if (!root->failed && adopt_check(root))
                root->failed = true;
        } else {
            break;
        }
        if (root->failed)
            break;
        root_apply(root);
    }
    adopt_forget(root);
}

static void apply_region(struct run_root *root)
{
    if (!root->failed && root->planned && root_changes(root))
        apply_with_adoption(root);
}

static const char *elapsed_note(const struct run_root *root)
{
    char text[VIEW_DURATION_MAX];
    return arena_printf(root->run->arena, "%llu resource%s in %s", (unsigned long long)root->done,
                        PLURAL(root->done), view_duration(root->spent_ns, text));
}

static const char *note_of(const struct run_root *root)
{
    if (root->own)
        return root->failed          ? NULL
               : root->skipped       ? "interrupted: deploy again to go on"
               : hosts_changed(root) ? NULL
                                     : "nothing changed";
    return root->skipped   ? "interrupted before it began"
           : root->applied ? elapsed_note(root)
           : root->failed  ? NULL
                           : "nothing changed";
}

/* Clouds take their minutes, own hosts go through their stages: neither waits for the other. */
static void apply_all(struct run *run)
{
    static const char *const doing[] = {"deploying"};
    struct run_lane lanes[2] = {{.roots = run->cloud_roots,
                                 .count = run->cloud_count,
                                 .doing = doing,
                                 .phases = 1,
                                 .work = apply_region}};
    if (!run->hosts) {
        run_lanes(run, lanes, 1);
        return;
    }
    hosts_begin(run);
    hosts_lane(run, &lanes[1]);
    run_lanes(run, lanes, 2);
    hosts_end(run);
}

/* 0, or the exit status when a region failed. */
static int apply_regions(struct run *run)
{
    int status = STATUS_OK;
    apply_all(run);
    for (size_t i = 0; i < run->region_count; i++) {
        struct run_root *root = &run->regions[i];
        run_step(run, run_mark_of(root), "apply", root->name, note_of(root), "Deploying to %s", root->title);
        if (!root->failed)
            continue;
        run_complain(run, root);
        if (status != STATUS_CONFIG)
            status = root->err.code == ERR_CONFLICT ? STATUS_CONFIG : STATUS_FAILURE;
    }
    return status;
}

/* --- the global part
 * ------------------------------------------------------------------------------------------ */

/* What moves traffic, and so comes after the smoke tests. */
static bool is_traffic(const char *type)
{
    static const char *const starts[] = {"aws_route53", "cloudflare_", "google_dns_",
                                         "azurerm_traffic_manager", "azurerm_dns"};
    for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
        if (strncmp(type, starts[i], strlen(starts[i])) == 0)
            return true;
    }
    return false;
}

static bool has_traffic(const struct run_root *global)
{
    for (size_t i = 0; i < global->change_count; i++) {
        if (is_traffic(global->changes[i].type) && strcmp(global->changes[i].action, "read") != 0)
            return true;
    }
    return false;
}

/* "-target=module.link_eu" for "module.link_eu.aws_...": between many regions there are more changes than
 * arguments. A module is all traffic or none of it. */
static const char *target_of(const struct run_root *global, const char *address)
{
    static const char prefix[] = "module.";
    const char *dot =
        strncmp(address, prefix, sizeof prefix - 1) == 0 ? strchr(address + sizeof prefix - 1, '.') : NULL;
    int length = (int)(dot ? (size_t)(dot - address) : strlen(address));
    return arena_printf(global->arena, "-target=%.*s", length, address);
}

/* What is network and not traffic, each once; NULL: there is none. */
static const char *const *network_targets(const struct run_root *global)
{
    const char **targets = arena_zalloc(global->arena, (global->change_count + 1) * sizeof *targets);
    size_t count = 0;
    for (size_t i = 0; i < global->change_count; i++) {
        if (is_traffic(global->changes[i].type) || strcmp(global->changes[i].action, "read") == 0)
            continue;
        const char *target = target_of(global, global->changes[i].address);
        size_t known = 0;
        while (known < count && strcmp(targets[known], target) != 0)
            known++;
        if (known == count)
            targets[count++] = target;
    }
    return count && count < TF_ARGUMENTS_MAX - 16 ? targets : NULL;
}

static void plan_and_apply(struct run_root *root)
{
    root_plan(root);
    if (!root->failed && root_changes(root))
        apply_with_adoption(root);
}

static int global_step(struct run *run, run_root_fn *work, const char *doing)
{
    struct run_root *const roots[] = {&run->global};
    run->global.failed = run->global.applied = run->global.skipped = false;
    run_each(run, roots, 1, doing, work);
    return run->global.failed ? STATUS_FAILURE : STATUS_OK;
}

static int step_network(struct run *run)
{
    static const char text[] = "Setting up cross-cloud networking";
    if (!run->has_global || run->ctx->regions.count) {
        run_step(run, STEP_SKIPPED, "network", NULL,
                 run->has_global ? "--region leaves the part between regions as it is"
                                 : "nothing connects the regions of this file",
                 "%s", text);
        return STATUS_OK;
    }
    int status = global_step(run, root_plan, "planning");
    const char *const *targets = status ? NULL : network_targets(&run->global);
    run->global.traffic = !status && has_traffic(&run->global);
    if (!status && !targets) {
        run_step(run, STEP_OK, "network", NULL, "nothing changed", "%s", text);
        return STATUS_OK;
    }
    if (!status) {
        run->global.extra = targets;
        status = global_step(run, plan_and_apply, "networking");
        run->global.extra = NULL;
    }
    run_step(run, status ? STEP_FAILED : STEP_OK, "network", NULL, NULL, "%s", text);
    if (status)
        run_complain(run, &run->global);
    return status;
}

/* Whether every region of this run stands and, where it was asked, answers. */
static bool all_stand(const struct run *run)
{
    for (size_t i = 0; i < run->region_count; i++) {
        if (run->regions[i].failed || run->regions[i].skipped)
            return false;
    }
    return true;
}

#define NO_DNS "the file has no traffic.domain with DNS; each region answers at its own address"

static int step_dns(struct run *run, enum replication_left left)
{
    static const char *const routings[] = {[ROUTE_LATENCY] = "latency",
                                           [ROUTE_GEOGRAPHIC] = "geographic",
                                           [ROUTE_FAILOVER] = "failover",
                                           [ROUTE_WEIGHTED] = "weighted"};
    const struct deployment_traffic *traffic = &run->deployment->traffic;
    const char *routing = routings[traffic->routing];
    const char *why = NULL;
    bool none = !traffic->domain || traffic->dns == DNS_NONE;
    if (none && !(run->has_global && run->global.traffic))
        why = NO_DNS;
    else if (!run->has_global || run->ctx->regions.count)
        why = "--region leaves DNS as it is";
    else if (!all_stand(run))
        why = "a region does not stand or does not answer, so traffic stays where it is; mend it and deploy "
              "again";
    else if (left == REPLICATION_NOT_SET_UP)
        why = "replication is not set up, so traffic stays where it is; deploy again to go on";
    if (why) {
        run_step(run, STEP_SKIPPED, "dns", NULL, why, "Updating DNS (%s routing)", routing);
        return STATUS_OK;
    }
    int status = global_step(run, plan_and_apply, "routing");
    run_step(run, status ? STEP_FAILED : STEP_OK, "dns", NULL,
             status || run->global.applied ? NULL : "nothing changed", "Updating DNS (%s routing)", routing);
    if (status)
        run_complain(run, &run->global);
    return status;
}

/* --- the end
 * -------------------------------------------------------------------------------------------------- */

static const char *stands(const struct run_root *root)
{
    static const char *const left[] = {
        [LEFT_UNKNOWN] = "does not stand as described",
        [LEFT_UNPLANNED] = "was left as it was: it could not be planned",
        [LEFT_REFUSED] = "was left as it was: the saved plan no longer holds",
        [LEFT_UNHEALTHY] = "stands; its health check failed",
    };
    return root->failed    ? left[root->left]
           : root->skipped ? (root->own ? "was interrupted" : "was not begun")
                           : "stands";
}

/* What was refused is planned anew; all else goes on from where it is. */
static void say_next(const struct run *run)
{
    const char *file = run->ctx->file, *saved = command_value(run->ctx, "--plan");
    for (size_t i = 0; i < run->region_count; i++) {
        if (run->regions[i].left != LEFT_REFUSED)
            continue;
        output_printf(run->ctx->out,
                      "Next: fraiseql deploy plan %s --out %s  (shows what would be done now, for `fraiseql "
                      "deploy %s --plan %s`)\n",
                      file, saved, file, saved);
        return;
    }
    output_printf(
        run->ctx->out,
        "Next: fraiseql deploy %s  (goes on from here; `fraiseql deploy status %s` shows what stands)\n",
        file, file);
}

static void say_end(struct run *run, int status, enum replication_left left)
{
    char text[VIEW_DURATION_MAX];
    const struct output *out = run->ctx->out;
    if (out->json)
        return;
    if (status == STATUS_OK) {
        output_printf(
            out, "\n%s\nTotal time: %s\n",
            left == REPLICATION_BY_HAND
                ? "Deployed, but for replication: rows are copied once its SQL has been run, see above."
            : left == REPLICATION_BY_GATEWAYS
                ? "Deployed, but for replication, which the gateways set up now and nobody waited for."
                : "Deployment complete!",
            view_duration(clock_mono_ns() - out->started_mono_ns, text));
        return;
    }
    output_printf(out, "\nThe deployment is not complete.\n");
    for (size_t i = 0; i < run->region_count; i++) {
        const struct run_root *root = &run->regions[i];
        output_printf(out, "  %s: %s\n", root->title, stands(root));
    }
    if (left == REPLICATION_NOT_SET_UP)
        output_printf(out, "  Replication between them is not set up.\n");
    say_next(run);
}

static int worst(int a, int b)
{
    return a == STATUS_CONFIG || b == STATUS_CONFIG ? STATUS_CONFIG : a ? a : b;
}

static int after_regions(struct run *run, enum replication_left *ret_left)
{
    int status = STATUS_OK;
    if (!run->cloud_count)
        return all_stand(run) ? flow_smoke(run) : STATUS_OK;
    status = step_network(run);
    if (run_interrupted(run))
        return status;
    status = worst(status, flow_replication(run, !status && all_stand(run), ret_left));
    if (run_interrupted(run))
        return status;
    status = worst(status, flow_smoke(run));
    if (run_interrupted(run))
        return status;
    return worst(status, step_dns(run, *ret_left));
}

/* The last entry of a root may still say that an apply was cut short, by whatever ended it after its last
 * change. Where nothing is left to do, that is over. */
int flow_settle(struct run *run)
{
    for (size_t i = 0; i < run->region_count; i++) {
        struct run_root *root = &run->regions[i];
        struct error err = {0};
        if (root->failed || !known_keep(&run->workspace, run->deployment, root->region, run->arena, &err))
            continue;
        output_error(run->ctx->out, &err);
        return STATUS_FAILURE;
    }
    for (size_t i = 0; i < run->region_count; i++) {
        struct run_root *root = &run->regions[i];
        struct error err = {0};
        if (root->failed || !root->planned || root_changes(root) || !root_was_interrupted(root))
            continue;
        if (run_journal_end(run->journal, "apply", root->name, "ok", "", &err)) {
            output_error(run->ctx->out, &err);
            return STATUS_FAILURE;
        }
    }
    return STATUS_OK;
}

int flow_apply(struct run *run)
{
    run->unchanged = false;
    int settled = flow_settle(run);
    if (settled)
        return settled;
    int status = apply_regions(run);
    size_t standing = 0;
    enum replication_left left = REPLICATION_NOTHING_LEFT;
    for (size_t i = 0; i < run->region_count; i++)
        standing += !run->regions[i].failed && !run->regions[i].skipped;
    if (standing && !run_interrupted(run))
        status = worst(status, after_regions(run, &left));
    if (run_interrupted(run))
        status = STATUS_INTERRUPTED;
    say_end(run, status, left);
    return status;
}
