#include "provisioner/run/failover.h"

#include "lib/core/clock.h"
#include "provisioner/run/flow.h"
#include "provisioner/run/hosts_internal.h"
#include "provisioner/run/writes.h"
#include "provisioner/self_hosted/postgres.h"

#include <stdio.h>
#include <stdlib.h>

#define CALL_TIMEOUT_NS   (120 * NS_PER_S)
#define FETCH_WAIT_NS     (5 * NS_PER_S) /* a standby asks again whoever ended after some seconds */
#define FETCH_INTERVAL_NS (100 * NS_PER_MS)

static const char *name_of(const struct write_member *member)
{
    return member->site->region->name;
}

/* --- whether it may be
 * ----------------------------------------------------------------------------------------- */

static int refuse(const struct writes *writes, struct write_member *member)
{
    struct error err = member->err;
    const char *name = name_of(member), *file = writes->run->ctx->file;
    if (member->reached && strcmp(member->who, "primary") == 0) {
        (void)error_set(&err, ERR_CONFLICT, "the database of %s answers and writes", name);
        error_set_hint(&err,
                       "`fraiseql deploy switchover %s --to %s` takes its place and loses nothing; --lost %s "
                       "gives it up",
                       file, name_of(writes->target), name);
        return writes_complain(writes, &err);
    }
    if (member->reached)
        (void)error_set(&err, ERR_CONFLICT, "region %s: its database is %s", name,
                        strcmp(member->who, "none") == 0 ? "not there" : "stopped");
    if (member != writes->target)
        error_set_hint(&err, "Bring it back; or --lost %s gives it up, with all that only it has", name);
    return writes_complain(writes, &err);
}

static bool may_count(const struct writes *writes, const struct write_member *member)
{
    return member->reached && (strcmp(member->who, "standby") == 0 ||
                               (member == writes->target && strcmp(member->who, "primary") == 0));
}

static int judge(struct writes *writes)
{
    struct error err = {0};
    for (size_t i = 0; i < writes->count; i++) {
        struct write_member *member = &writes->members[i];
        if (!member->given_up && !may_count(writes, member))
            return refuse(writes, member);
    }
    /* A target that writes has been chosen already. */
    if (strcmp(writes->target->who, "standby") == 0 && writes_judge(writes, &err))
        return writes_complain(writes, &err);
    return STATUS_OK;
}

/* --- the question
 * ---------------------------------------------------------------------------------------------- */

/* True where a database that is given up may go on writing for all we can do. */
static bool out_of_reach(const struct writes *writes)
{
    for (size_t i = 0; i < writes->count; i++) {
        if (writes->members[i].given_up && !writes->members[i].reached)
            return true;
    }
    return false;
}

static void announce(const struct writes *writes)
{
    const struct output *out = writes->run->ctx->out;
    if (out->json)
        return;
    output_printf(out, "\n");
    for (size_t i = 0; i < writes->count; i++) {
        const struct write_member *member = &writes->members[i];
        if (!member->given_up)
            continue;
        if (!member->reached)
            output_printf(
                out,
                "%s is given up and cannot be asked: make sure that its database does not write, for "
                "nothing here can.\n",
                name_of(member));
        else
            output_printf(out, "%s is given up: its database is ended, and comes back as a standby.\n",
                          name_of(member));
    }
    output_printf(out, "%s writes%s. What only a region that is given up has is lost to the others.\n",
                  name_of(writes->target),
                  strcmp(writes->target->who, "primary") == 0 ? " already" : " from then on");
}

static bool may_go_on(struct writes *writes, int *ret_status)
{
    struct run *run = writes->run;
    *ret_status = STATUS_OK;
    announce(writes);
    if (run->ctx->dry_run) {
        if (!run->ctx->json)
            output_printf(run->ctx->out, "Nothing was changed.\n");
        return false;
    }
    if (out_of_reach(writes) || command_given(run->ctx, "--confirm"))
        return flow_confirmed(run, "failing over while a database cannot be ended", "to go on all the same",
                              ret_status);
    return run->ctx->yes || flow_ask(run, arena_printf(run->arena, "Only `yes` goes on:"), "yes", ret_status);
}

/* --- the steps
 * ------------------------------------------------------------------------------------------------- */

static void fence(struct writes *writes, struct write_member *member)
{
    (void)writes;
    if (!member->given_up || !member->reached || strcmp(member->who, "none") == 0)
        return;
    member->code = postgres_call(member->site, "fence", CALL_TIMEOUT_NS, &member->position, &member->err);
    if (member->code)
        (void)error_prefix(&member->err, "region %s", name_of(member));
}

/* Whatever was reached and cannot be ended keeps the others as they are, unless the operator answers for it.
 */
static int fence_all(struct writes *writes)
{
    struct run *run = writes->run;
    writes_each(writes, fence);
    for (size_t i = 0; i < writes->count; i++) {
        struct write_member *member = &writes->members[i];
        if (!member->given_up)
            continue;
        if (member->reached && member->code && !command_given(run->ctx, "--confirm")) {
            error_set_hint(
                &member->err,
                "End it by hand, then the same command again; where it can no longer write, --confirm %s",
                run->deployment->metadata.name);
            return writes_complain(writes, &member->err);
        }
        member->reached = member->reached && !member->code;
        if (!member->reached)
            writes_step(writes, STEP_WARN, "fence", member->err.message,
                        arena_printf(run->arena, "%s was not ended", name_of(member)));
        else if (strcmp(member->who, "none") != 0)
            writes_step(writes, STEP_OK, "fence", NULL,
                        arena_printf(run->arena, "%s no longer writes", name_of(member)));
    }
    return STATUS_OK;
}

/* The one that is given up and has most; NULL where none was reached. */
static const struct write_member *fullest(const struct writes *writes)
{
    const struct write_member *found = NULL;
    for (size_t i = 0; i < writes->count; i++) {
        const struct write_member *member = &writes->members[i];
        if (member->given_up && member->reached &&
            writes_lsn(member->position) > (found ? writes_lsn(found->position) : 0))
            found = member;
    }
    return found;
}

/* What was ended comes back as a standby that others may follow: where the way is open, all that it has still
 * comes over. Says what did not, as far as those know that could be asked. */
static int fetch_rest(struct writes *writes)
{
    struct error err = {0};
    struct run *run = writes->run;
    const struct write_member *most = fullest(writes);
    int64_t until_ns = clock_mono_ns() + FETCH_WAIT_NS;
    if (!most)
        return STATUS_OK;
    uint64_t wanted = writes_lsn(most->position), have = 0;
    for (;;) {
        if (postgres_call(writes->target->site, "received", CALL_TIMEOUT_NS, &writes->target->position, &err))
            return writes_complain(writes, &err);
        have = writes_lsn(writes->target->position);
        if (have >= wanted || clock_mono_ns() > until_ns)
            break;
        run_take_signals(run, FETCH_INTERVAL_NS);
    }
    if (have >= wanted)
        writes_step(
            writes, STEP_OK, "fetch", out_of_reach(writes) ? NULL : "nothing is lost",
            arena_printf(run->arena, "%s has all that %s had", name_of(writes->target), name_of(most)));
    else
        writes_step(
            writes, STEP_WARN, "fetch",
            arena_printf(run->arena, "they stay in its database until %s is deployed again", name_of(most)),
            arena_printf(run->arena, "The last %llu bytes of the log of %s are not in %s",
                         (unsigned long long)(wanted - have), name_of(most), name_of(writes->target)));
    return STATUS_OK;
}

static int move(struct writes *writes)
{
    int64_t closed_ns = clock_mono_ns();
    bool stands_by = strcmp(writes->target->who, "standby") == 0;
    int status = fence_all(writes);
    if (!status && stands_by)
        status = writes_tell(writes, "close");
    if (!status && stands_by)
        status = fetch_rest(writes);
    if (!status)
        status = writes_begin(writes, stands_by ? closed_ns : 0);
    return status;
}

static void say_next(const struct writes *writes)
{
    const struct output *out = writes->run->ctx->out;
    for (size_t i = 0; i < writes->count && !out->json; i++) {
        const struct write_member *member = &writes->members[i];
        if (member->given_up && !member->reached)
            output_printf(out, "\nWhen the host of %s is back, this command again ends its database.\n",
                          name_of(member));
        else if (member->given_up)
            output_printf(out,
                          "\nNext: fraiseql deploy %s  (makes %s follow %s again; what only %s has is taken "
                          "back then)\n",
                          writes->run->ctx->file, name_of(member), name_of(writes->target), name_of(member));
    }
}

int failover(struct run *run, const char *target)
{
    struct writes writes = {.run = run};
    struct error err = {0};
    int status = writes_find(&writes, target);
    if (status)
        return status;
    for (size_t i = 0; i < writes.count; i++)
        writes.members[i].given_up = !command_selects(run->ctx, writes.members[i].site->region);
    writes_look(&writes);
    if ((status = judge(&writes)) || !may_go_on(&writes, &status))
        return status;
    if (run_journal_begin(run->journal, "failover", target, &err))
        return writes_complain(&writes, &err);
    status = move(&writes);
    if (!status)
        status = writes_deploy(run);
    if (run_journal_end(run->journal, "failover", target, status ? "failed" : "ok", "", &err) && !status)
        return writes_complain(&writes, &err);
    if (!status)
        say_next(&writes);
    return status;
}
