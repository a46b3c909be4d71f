#include "provisioner/run/switchover.h"

#include "lib/core/clock.h"
#include "provisioner/run/flow.h"
#include "provisioner/run/hosts_internal.h"
#include "provisioner/run/writes.h"
#include "provisioner/self_hosted/postgres.h"

#include <stdlib.h>

#define CALL_TIMEOUT_NS    (120 * NS_PER_S)
#define FLUSH_TIMEOUT_NS   (1800 * NS_PER_S)   /* a checkpoint of much memory to slow disks */
#define BEHIND_MAX_BYTES   (INT64_C(16) << 20) /* one segment of WAL: moments */
#define BEHIND_WAIT_NS     (60 * NS_PER_S)
#define BEHIND_INTERVAL_NS (500 * NS_PER_MS)

struct change {
    struct writes writes;
    struct write_member *writer; /* NULL: nobody writes */
    int64_t closed_ns;           /* monotonic */
};

static int find_writer(struct change *change)
{
    writes_look(&change->writes);
    for (size_t i = 0; i < change->writes.count; i++) {
        struct write_member *member = &change->writes.members[i];
        if (member->code)
            return writes_complain(&change->writes, &member->err);
        if (strcmp(member->who, "standby") == 0)
            continue;
        struct error err = {0};
        if (strcmp(member->who, "primary") != 0) {
            (void)error_set(
                &err, ERR_CONFLICT, "region %s: its database is %s: all must answer for a switchover",
                member->site->region->name, strcmp(member->who, "none") == 0 ? "not there" : "stopped");
            error_set_hint(&err, "`fraiseql deploy failover %s --to %s --lost %s` gives it up",
                           change->writes.run->ctx->file, change->writes.target->site->region->name,
                           member->site->region->name);
        } else if (change->writer) {
            (void)error_set(&err, ERR_CONFLICT, "the databases of %s and %s both write",
                            change->writer->site->region->name, member->site->region->name);
        }
        if (err.message[0])
            return writes_complain(&change->writes, &err);
        change->writer = member;
    }
    return STATUS_OK;
}

/* --- the steps
 * ------------------------------------------------------------------------------------------------- */

/* Refused before anything is closed where the target would take long to catch up. */
static int await_closeness(struct change *change)
{
    struct error err = {0};
    const char *name = change->writes.target->site->region->name, *answer = "";
    const char *call = arena_printf(change->writes.run->arena, "standby_behind %s", name);
    int64_t until_ns = clock_mono_ns() + BEHIND_WAIT_NS;
    for (;;) {
        if (postgres_call(change->writer->site, call, CALL_TIMEOUT_NS, &answer, &err))
            return writes_complain(&change->writes, &err);
        if (answer[0] && strtoll(answer, NULL, 10) <= BEHIND_MAX_BYTES)
            return STATUS_OK;
        if (clock_mono_ns() > until_ns || run_interrupted(change->writes.run))
            break;
        run_take_signals(change->writes.run, BEHIND_INTERVAL_NS);
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
                   change->writes.run->ctx->file, change->writes.run->ctx->file);
    return writes_complain(&change->writes, &err);
}

/* Writes go back to where they came from; where that does not answer either, nobody writes, and this command
 * again, or a deploy, goes on from what it finds. */
static int take_back(struct change *change, struct write_member *old, struct error *why)
{
    struct error err = {0};
    int status = writes_complain(&change->writes, why);
    if (postgres_call(old->site, "promote", CALL_TIMEOUT_NS, NULL, &err))
        return writes_complain(&change->writes, &err);
    (void)writes_open(&change->writes, old);
    writes_step(&change->writes, STEP_WARN, "switchover", NULL,
                arena_printf(change->writes.run->arena, "Writes stay in %s", old->site->region->name));
    return status;
}

static int end_writer(struct change *change)
{
    struct write_member *old = change->writer;
    struct error err = {0};
    const char *name = old->site->region->name, *got = "";
    if (postgres_call(old->site, "flush", FLUSH_TIMEOUT_NS, NULL, &err))
        return writes_complain(&change->writes, &err);
    change->closed_ns = clock_mono_ns();
    int status = writes_tell(&change->writes, "close");
    if (status) {
        (void)writes_open(&change->writes, old);
        return status;
    }
    writes_step(&change->writes, STEP_OK, "close", NULL,
                arena_printf(change->writes.run->arena, "Closing writes to %s", name));
    if (postgres_call(old->site, "stand_down", CALL_TIMEOUT_NS, &old->position, &err))
        return take_back(change, old, &err);
    writes_step(&change->writes, STEP_OK, "stand-down", NULL,
                arena_printf(change->writes.run->arena, "%s stands down", name));
    const char *call = arena_printf(change->writes.run->arena, "await_position %s", old->position);
    int code = postgres_call(change->writes.target->site, call, CALL_TIMEOUT_NS, &got, &err);
    if (!code && writes_lsn(got) < writes_lsn(old->position))
        code = error_set(&err, ERR_CONFLICT, "region %s has the log up to %s, and %s ended at %s",
                         change->writes.target->site->region->name, got, name, old->position);
    return code ? take_back(change, old, &err) : STATUS_OK;
}

/* Nobody writes: a run was cut short. Whoever has most may write, and nobody else. */
static int judge(const struct change *change)
{
    struct error err = {0};
    return writes_judge(&change->writes, &err) ? writes_complain(&change->writes, &err) : STATUS_OK;
}

static int ask(struct change *change, bool *ret_go_on)
{
    const char *name = change->writes.target->site->region->name;
    struct run *run = change->writes.run;
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
    if (change->writer == change->writes.target)
        return writes_open(&change->writes, change->writes.target);
    if (change->writer)
        status = end_writer(change);
    else
        status = judge(change);
    return status ? status : writes_begin(&change->writes, change->closed_ns);
}

int switchover(struct run *run, const char *target)
{
    struct change change = {.writes = {.run = run}};
    struct error err = {0};
    bool go_on = false;
    int status = writes_find(&change.writes, target);
    if (!status)
        status = find_writer(&change);
    if (!status && change.writer && change.writer != change.writes.target)
        status = await_closeness(&change);
    if (!status && change.writer != change.writes.target)
        status = ask(&change, &go_on);
    else if (!status)
        go_on = !run->ctx->dry_run;
    if (status || !go_on)
        return status;
    if (run_journal_begin(run->journal, "switchover", target, &err))
        return writes_complain(&change.writes, &err);
    status = move(&change);
    if (!status)
        status = writes_deploy(run);
    if (run_journal_end(run->journal, "switchover", target, status ? "failed" : "ok", "", &err) && !status)
        return writes_complain(&change.writes, &err);
    return status;
}
