#include "provisioner/run/writes.h"

#include "lib/core/clock.h"
#include "provisioner/run/at_once.h"
#include "provisioner/run/flow.h"
#include "provisioner/run/hosts_internal.h"
#include "provisioner/self_hosted/postgres.h"

#include <stdio.h>
#include <stdlib.h>

#define CALL_TIMEOUT_NS (120 * NS_PER_S)

int writes_complain(const struct writes *writes, const struct error *err)
{
    output_error(writes->run->ctx->out, err);
    return err->code == ERR_CONFLICT || err->code == ERR_CONFIG ? STATUS_CONFIG : STATUS_FAILURE;
}

void writes_step(const struct writes *writes, enum step_mark mark, const char *name, const char *note,
                 const char *text)
{
    run_step(writes->run, mark, name, writes->target->site->region->name, note, "%s", text);
}

/* `why` follows the verb. */
static int refuse(struct command_context *ctx, const char *why)
{
    struct error err = {0};
    (void)error_set(&err, ERR_CONFIG, "a %s %s", ctx->command->name, why);
    output_error(ctx->out, &err);
    return STATUS_CONFIG;
}

int writes_open_run(struct command_context *ctx, struct deployment *deployment, struct run *ret)
{
    if (deployment->replication.mode != REPLICATION_STREAMING)
        return refuse(ctx, "wants replication.mode: streaming, where one region writes");
    /* Regions in clouds have no part in it, nor in the deployment that ends it. */
    deployment = deployment_part(deployment, true);
    if (!deployment_region_count(deployment))
        return refuse(ctx, "is for regions on own hosts in this version; the clouds' databases are promoted "
                           "by their own consoles");
    int status = run_open(ctx, deployment, ret);
    if (status)
        return status;
    status = hosts_reach(ret);
    if (status)
        run_close(ret);
    return status;
}

int writes_find(struct writes *writes, const char *target)
{
    size_t count = 0;
    const struct site *sites = hosts_sites(writes->run, &count);
    struct error err = {0};
    writes->members = arena_zalloc(writes->run->arena, (count + 1) * sizeof *writes->members);
    for (size_t i = 0; i < count; i++) {
        if (!deployment_replicates(writes->run->deployment, sites[i].region))
            continue;
        struct write_member *member = &writes->members[writes->count++];
        member->site = &sites[i];
        if (strcmp(sites[i].region->name, target) == 0)
            writes->target = member;
    }
    if (writes->target)
        return STATUS_OK;
    (void)error_set(&err, ERR_CONFIG, "\"%s\" is no region that takes part in replication", target);
    return writes_complain(writes, &err);
}

/* --- side by side
 * --------------------------------------------------------------------------------------------- */

struct each {
    struct writes *writes;
    write_member_fn *work;
};

static void work_on(void *ctx, size_t number)
{
    const struct each *each = ctx;
    each->work(each->writes, &each->writes->members[number]);
}

void writes_each(struct writes *writes, write_member_fn *work)
{
    struct each each = {writes, work};
    at_once(writes->count, 0, work_on, &each);
}

static void look_at(struct writes *writes, struct write_member *member)
{
    const struct site *site = member->site;
    (void)writes;
    member->who = NULL;
    member->position = "";
    member->err = (struct error){0};
    if (!site->host)
        member->code = error_set(&member->err, ERR_UNAVAILABLE, "its host cannot be reached");
    else
        member->code = postgres_who(site, &member->who, &member->err);
    if (!member->code && strcmp(member->who, "standby") == 0)
        member->code = postgres_call(site, "received", CALL_TIMEOUT_NS, &member->position, &member->err);
    member->reached = !member->code;
    if (member->code)
        (void)error_prefix(&member->err, "region %s", site->region->name);
}

void writes_look(struct writes *writes)
{
    writes_each(writes, look_at);
}

static void tell(struct writes *writes, struct write_member *member)
{
    const char *helper =
        arena_printf(member->site->arena, "%s/fraiseql-write-target", member->site->layout->bin);
    const char *text =
        arena_printf(member->site->arena, "[ ! -x %s ] || %s %s\n", helper, helper, writes->order);
    const struct host_script script = {.text = text, .timeout_ns = CALL_TIMEOUT_NS};
    member->err = (struct error){0};
    member->code = member->site->host
                       ? host_do(member->site->host, &script, NULL, &member->err)
                       : error_set(&member->err, ERR_UNAVAILABLE, "its host cannot be reached");
    if (member->code)
        (void)error_prefix(&member->err, "region %s: writes", member->site->region->name);
}

int writes_tell(struct writes *writes, const char *order)
{
    writes->order = order;
    writes_each(writes, tell);
    for (size_t i = 0; i < writes->count; i++) {
        const struct write_member *member = &writes->members[i];
        if (member->code && !member->given_up)
            return writes_complain(writes, &member->err);
    }
    return STATUS_OK;
}

int writes_open(struct writes *writes, const struct write_member *member)
{
    int status = writes_tell(writes, arena_printf(writes->run->arena, "open %s", member->site->region->name));
    writes->opened_ns = clock_mono_ns();
    return status;
}

/* --- one that writes
 * ------------------------------------------------------------------------------------------ */

int writes_begin(struct writes *writes, int64_t closed_ns)
{
    struct error err = {0};
    const char *name = writes->target->site->region->name;
    char note[96] = "";
    if (postgres_call(writes->target->site, "promote", CALL_TIMEOUT_NS, NULL, &err))
        return writes_complain(writes, &err);
    int status = writes_open(writes, writes->target);
    if (closed_ns)
        (void)snprintf(note, sizeof note, "nobody wrote for %.0f ms",
                       (double)(writes->opened_ns - closed_ns) / 1e6);
    writes_step(writes, status ? STEP_FAILED : STEP_OK, "promote", note[0] ? note : NULL,
                arena_printf(writes->run->arena, "%s writes", name));
    return status;
}

uint64_t writes_lsn(const char *text)
{
    char *end = NULL;
    uint64_t high = strtoull(text, &end, 16);
    return *end == '/' ? high << 32 | strtoull(end + 1, NULL, 16) : 0;
}

int writes_judge(const struct writes *writes, struct error *err)
{
    const struct write_member *most = writes->target;
    for (size_t i = 0; i < writes->count; i++) {
        const struct write_member *member = &writes->members[i];
        if (!member->given_up && writes_lsn(member->position) > writes_lsn(most->position))
            most = member;
    }
    if (most == writes->target)
        return 0;
    (void)error_set(err, ERR_CONFLICT,
                    "region %s has the log up to %s, %s only up to %s: what is between would be lost",
                    most->site->region->name, most->position, writes->target->site->region->name,
                    writes->target->position);
    error_set_hint(err, "None of it is lost with `fraiseql deploy %s %s --to %s`",
                   writes->run->ctx->command->name, writes->run->ctx->file, most->site->region->name);
    return ERR_CONFLICT;
}

int writes_deploy(struct run *run)
{
    int status;
    if ((status = hosts_prepare(run)) || (status = flow_plan(run)))
        return status;
    return flow_changes(run) ? flow_apply(run) : STATUS_OK;
}
