#include "provisioner/run/look.h"

#include "provisioner/render/render.h"
#include "provisioner/run/at_once.h"
#include "provisioner/run/hosts.h"

#include <unistd.h>

#include <signal.h>

static const struct root_outputs nothing = {.url = "",
                                            .endpoint = "",
                                            .database_address = "",
                                            .database_port = "",
                                            .database_name = "",
                                            .gateway_address = "",
                                            .service_group = "",
                                            .replication_state = ""};

static bool is_rendered(const struct run_root *root)
{
    return access(arena_printf(root->arena, "%s/main.tf.json", root->folder), F_OK) == 0;
}

/* Another machine has rendered and deployed it: with a remote state that can be looked at from here. */
static int render_missing(struct run *run)
{
    struct render_identity identity = {.deployment_id = run->workspace.id};
    struct error err = {0};
    bool missing = false;
    for (size_t i = 0; i < run->cloud_count; i++)
        missing = missing || !is_rendered(run->cloud_roots[i]);
    if (!missing || run->clouds->state.backend == STATE_LOCAL)
        return STATUS_OK;
    if (render_folder(run->clouds, &identity, run->workspace.render, run->bygone ? &run->ctx->regions : NULL,
                      &err)) {
        output_error(run->ctx->out, &err);
        return STATUS_FAILURE;
    }
    return STATUS_OK;
}

static void judge(struct look *look)
{
    struct run_root *root = look->root;
    const struct run_entries *before = run_journal_before(root->run->journal);
    const struct run_entry *last = run_entries_last(before, "apply", root->name);
    const struct run_entry *child = run_entries_child(before, "apply", root->name);
    if (last && strcmp(last->event, "begin") == 0 && child && child->pid > 1 &&
        kill((pid_t)child->pid, 0) == 0) {
        look->state = "deploying";
        look->detail =
            arena_printf(root->arena, "%s is at work on it since %s", root->run->terraform.name, last->at);
    } else if (root_was_interrupted(root)) {
        look->state = "incomplete";
        look->detail = last->detail[0] ? last->detail : "a deployment was cut short; deploy again to go on";
    } else {
        look->state = look->outputs.any ? "standing" : "absent";
    }
}

/* On a thread of its own: touches nothing but the region's root and its look. */
static void look_at(void *ctx, size_t i)
{
    struct look *look = &((struct look *)ctx)[i];
    struct run_root *root = look->root;
    if (root->own || !is_rendered(root))
        return;
    root_prepare(root);
    if (root->failed || root_outputs(root, &look->outputs, &root->err)) {
        look->outputs = nothing;
        look->state = "unknown";
        look->detail = root->err.message;
        return;
    }
    judge(look);
}

int look_at_regions(struct run *run, struct look **ret_looks)
{
    struct look *looks = arena_zalloc(run->arena, (run->region_count + 1) * sizeof *looks);
    int status = render_missing(run);
    if (!status && run->hosts)
        status = hosts_look(run, looks);
    for (size_t i = 0; i < run->region_count; i++) {
        if (!run->regions[i].own)
            looks[i] =
                (struct look){.root = &run->regions[i], .outputs = nothing, .state = "absent", .detail = ""};
    }
    if (!status)
        at_once(run->region_count, run->ctx->parallelism, look_at, looks);
    *ret_looks = looks;
    return status;
}
