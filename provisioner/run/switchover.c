#include "provisioner/run/switchover.h"

#include "lib/core/clock.h"
#include "provisioner/run/at_once.h"
#include "provisioner/run/flow.h"
#include "provisioner/run/hosts_internal.h"
#include "provisioner/self_hosted/near.h"
#include "provisioner/self_hosted/postgres.h"

#include <stdio.h>
#include <stdlib.h>

#define CALL_TIMEOUT_NS    (120 * NS_PER_S)
#define FLUSH_TIMEOUT_NS   (1800 * NS_PER_S)   /* a checkpoint of much memory to slow disks */
#define BEHIND_MAX_BYTES   (INT64_C(16) << 20) /* one segment of WAL: moments */
#define BEHIND_WAIT_NS     (60 * NS_PER_S)
#define BEHIND_INTERVAL_NS (500 * NS_PER_MS)

/* A region of the cluster, as it was found. */
struct member {
    const struct site *site;
    const char *who, *position; /* position: an LSN, of a standby */
    struct error err;
    int code;
};

struct change {
    struct run *run;
    struct member *members;
    size_t count;
    struct member *target, *writer; /* writer NULL: nobody writes */
    const char *order;              /* for tell(): "close", "open REGION" */
    int64_t closed_ns, opened_ns;   /* monotonic */
};

static int complain(const struct change *change, struct error *err)
{
    output_error(change->run->ctx->out, err);
    return err->code == ERR_CONFLICT || err->code == ERR_CONFIG ? STATUS_CONFIG : STATUS_FAILURE;
}

static void step(const struct change *change, enum step_mark mark, const char *name, const char *note,
                 const char *text)
{
    run_step(change->run, mark, name, change->target->site->region->name, note, "%s", text);
}

/* --- what stands
 * ------------------------------------------------------------------------------------------------ */

static void look_at(void *ctx, size_t number)
{
    struct member *member = &((struct change *)ctx)->members[number];
    member->position = "";
    if (!member->site->host) {
        member->code = error_set(&member->err, ERR_UNAVAILABLE, "region %s: its host cannot be reached",
                                 member->site->region->name);
        return;
    }
    member->code = postgres_who(member->site, &member->who, &member->err);
    if (!member->code && strcmp(member->who, "standby") == 0)
        member->code =
            postgres_call(member->site, "position", CALL_TIMEOUT_NS, &member->position, &member->err);
    if (member->code)
        (void)error_prefix(&member->err, "region %s", member->site->region->name);
}

static int look_at_all(struct change *change)
{
    at_once(change->count, 0, look_at, change);
    change->writer = NULL;
    for (size_t i = 0; i < change->count; i++) {
        struct member *member = &change->members[i];
        if (member->code)
            return complain(change, &member->err);
        if (strcmp(member->who, "standby") == 0)
            continue;
        struct error err = {0};
        if (strcmp(member->who, "primary") != 0)
            (void)error_set(
                &err, ERR_CONFLICT, "region %s: its database is %s: all must answer for a switchover",
                member->site->region->name, strcmp(member->who, "none") == 0 ? "not there" : "stopped");
        else if (change->writer)
            (void)error_set(&err, ERR_CONFLICT, "the databases of %s and %s both write",
                            change->writer->site->region->name, member->site->region->name);
        if (err.message[0])
            return complain(change, &err);
        change->writer = member;
    }
    return STATUS_OK;
}

/* "2/1A0000F8" as a number: the halves are 32 bits each. */
static uint64_t lsn(const char *text)
{
    char *end = NULL;
    uint64_t high = strtoull(text, &end, 16);
    return *end == '/' ? high << 32 | strtoull(end + 1, NULL, 16) : 0;
}

/* --- orders
 * --------------------------------------------------------------------------------------------------- */

static void tell(void *ctx, size_t number)
{
    struct change *change = ctx;
    struct member *member = &change->members[number];
    const char *helper =
        arena_printf(member->site->arena, "%s/fraiseql-write-target", member->site->layout->bin);
    const char *text =
        arena_printf(member->site->arena, "[ ! -x %s ] || %s %s\n", helper, helper, change->order);
    const struct host_script script = {.text = text, .timeout_ns = CALL_TIMEOUT_NS};
    member->code = host_do(member->site->host, &script, NULL, &member->err);
    if (member->code)
        (void)error_prefix(&member->err, "region %s: writes", member->site->region->name);
}

/* Writes through every region's proxy. */
static int tell_all(struct change *change, const char *order)
{
    change->order = order;
    at_once(change->count, 0, tell, change);
    for (size_t i = 0; i < change->count; i++) {
        if (change->members[i].code)
            return complain(change, &change->members[i].err);
    }
    return STATUS_OK;
}

static int open_to(struct change *change, const struct member *member)
{
    int status = tell_all(change, arena_printf(change->run->arena, "open %s", member->site->region->name));
    change->opened_ns = clock_mono_ns();
    return status;
}

/* --- the steps
 * ------------------------------------------------------------------------------------------------- */

/* Refused before anything is closed where the target would take long to catch up. */
static int await_closeness(struct change *change)
{
    struct error err = {0};
    const char *name = change->target->site->region->name, *answer = "";
    const char *call = arena_printf(change->run->arena, "standby_behind %s", name);
    int64_t until_ns = clock_mono_ns() + BEHIND_WAIT_NS;
    for (;;) {
        if (postgres_call(change->writer->site, call, CALL_TIMEOUT_NS, &answer, &err))
            return complain(change, &err);
        if (answer[0] && strtoll(answer, NULL, 10) <= BEHIND_MAX_BYTES)
            return STATUS_OK;
        if (clock_mono_ns() > until_ns || run_interrupted(change->run))
            break;
        run_take_signals(change->run, BEHIND_INTERVAL_NS);
    }
    if (answer[0])
        (void)error_set(&err, ERR_CONFLICT,
                        "region %s is %s bytes behind %s and does not come closer; nothing was changed", name,
                        answer, change->writer->site->region->name);
    else
        (void)error_set(&err, ERR_CONFLICT, "region %s does not follow %s; nothing was changed", name,
                        change->writer->site->region->name);
    error_set_hint(&err,
                   "`fraiseql deploy status %s` shows how they stand; `fraiseql deploy %s` mends a standby",
                   change->run->ctx->file, change->run->ctx->file);
    return complain(change, &err);
}

/* Writes go back to where they came from; where that does not answer either, nobody writes, and this command
 * again, or a deploy, goes on from what it finds. */
static int take_back(struct change *change, struct member *old, struct error *why)
{
    struct error err = {0};
    int status = complain(change, why);
    if (postgres_call(old->site, "promote", CALL_TIMEOUT_NS, NULL, &err))
        return complain(change, &err);
    (void)open_to(change, old);
    step(change, STEP_WARN, "switchover", NULL,
         arena_printf(change->run->arena, "Writes stay in %s", old->site->region->name));
    return status;
}

static int end_writer(struct change *change)
{
    struct member *old = change->writer;
    struct error err = {0};
    const char *name = old->site->region->name, *got = "";
    if (postgres_call(old->site, "flush", FLUSH_TIMEOUT_NS, NULL, &err))
        return complain(change, &err);
    change->closed_ns = clock_mono_ns();
    int status = tell_all(change, "close");
    if (status) {
        (void)open_to(change, old);
        return status;
    }
    step(change, STEP_OK, "close", NULL, arena_printf(change->run->arena, "Closing writes to %s", name));
    if (postgres_call(old->site, "stand_down", CALL_TIMEOUT_NS, &old->position, &err))
        return take_back(change, old, &err);
    step(change, STEP_OK, "stand-down", NULL, arena_printf(change->run->arena, "%s stands down", name));
    const char *call = arena_printf(change->run->arena, "await_position %s", old->position);
    int code = postgres_call(change->target->site, call, CALL_TIMEOUT_NS, &got, &err);
    if (!code && lsn(got) < lsn(old->position))
        code = error_set(&err, ERR_CONFLICT, "region %s has the log up to %s, and %s ended at %s",
                         change->target->site->region->name, got, name, old->position);
    return code ? take_back(change, old, &err) : STATUS_OK;
}

/* Nobody writes: a run was cut short. Whoever has most may write, and nobody else. */
static int judge_standbys(struct change *change)
{
    const struct member *most = change->target;
    struct error err = {0};
    for (size_t i = 0; i < change->count; i++) {
        if (lsn(change->members[i].position) > lsn(most->position))
            most = &change->members[i];
    }
    if (most == change->target)
        return STATUS_OK;
    (void)error_set(&err, ERR_CONFLICT, "nobody writes, and region %s has the log up to %s, %s only up to %s",
                    most->site->region->name, most->position, change->target->site->region->name,
                    change->target->position);
    error_set_hint(&err, "Nothing is lost with `fraiseql deploy switchover %s --to %s`",
                   change->run->ctx->file, most->site->region->name);
    return complain(change, &err);
}

static int begin_writer(struct change *change)
{
    struct error err = {0};
    const char *name = change->target->site->region->name;
    char note[96] = "";
    if (postgres_call(change->target->site, "promote", CALL_TIMEOUT_NS, NULL, &err))
        return complain(change, &err);
    int status = open_to(change, change->target);
    if (change->closed_ns)
        (void)snprintf(note, sizeof note, "nobody wrote for %.0f ms",
                       (double)(change->opened_ns - change->closed_ns) / 1e6);
    step(change, status ? STEP_FAILED : STEP_OK, "promote", note[0] ? note : NULL,
         arena_printf(change->run->arena, "%s writes", name));
    return status;
}

static int ask(struct change *change, bool *ret_go_on)
{
    const char *name = change->target->site->region->name;
    struct run *run = change->run;
    int status = STATUS_OK;
    *ret_go_on = false;
    if (run->ctx->dry_run) {
        if (!run->ctx->json)
            output_printf(run->ctx->out, "\n%s would write%s%s; nothing was changed.\n", name,
                          change->writer ? " in place of " : "",
                          change->writer ? change->writer->site->region->name : "");
        return STATUS_OK;
    }
    *ret_go_on = run->ctx->yes ||
                 flow_ask(run,
                          arena_printf(run->arena, "Move the writes%s%s to %s? Only `yes` goes on:",
                                       change->writer ? " from " : "",
                                       change->writer ? change->writer->site->region->name : "", name),
                          "yes", &status);
    return status;
}

static int move(struct change *change)
{
    int status = STATUS_OK;
    if (change->writer == change->target)
        return open_to(change, change->target);
    if (change->writer)
        status = end_writer(change);
    else
        status = judge_standbys(change);
    return status ? status : begin_writer(change);
}

/* Every region's files say who writes: they are what a later deploy compares with. */
static int deploy_anew(struct run *run)
{
    int status;
    if ((status = hosts_prepare(run)) || (status = hosts_plan(run, false)))
        return status;
    return flow_changes(run) ? hosts_apply(run) : STATUS_OK;
}

static int find_members(struct change *change, const char *target)
{
    size_t count = 0;
    const struct site *sites = hosts_sites(change->run, &count);
    struct error err = {0};
    change->members = arena_zalloc(change->run->arena, (count + 1) * sizeof *change->members);
    for (size_t i = 0; i < count; i++) {
        if (!deployment_replicates(change->run->deployment, sites[i].region))
            continue;
        struct member *member = &change->members[change->count++];
        member->site = &sites[i];
        if (strcmp(sites[i].region->name, target) == 0)
            change->target = member;
    }
    if (change->target)
        return STATUS_OK;
    (void)error_set(&err, ERR_CONFIG, "\"%s\" is no region that takes part in replication", target);
    return complain(change, &err);
}

int switchover(struct run *run, const char *target)
{
    struct change change = {.run = run};
    struct error err = {0};
    bool go_on = false;
    int status = find_members(&change, target);
    if (!status)
        status = look_at_all(&change);
    if (!status && change.writer && change.writer != change.target)
        status = await_closeness(&change);
    if (!status && change.writer != change.target)
        status = ask(&change, &go_on);
    else if (!status)
        go_on = !run->ctx->dry_run;
    if (status || !go_on)
        return status;
    if (run_journal_begin(run->journal, "switchover", target, &err))
        return complain(&change, &err);
    status = move(&change);
    if (!status)
        status = deploy_anew(run);
    if (run_journal_end(run->journal, "switchover", target, status ? "failed" : "ok", "", &err) && !status)
        return complain(&change, &err);
    return status;
}
