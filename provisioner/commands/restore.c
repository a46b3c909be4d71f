/* `fraiseql deploy restore FILE`: a new database with the state of a backup or of a moment. */
#include "lib/core/clock.h"
#include "provisioner/commands/backup_work.h"
#include "provisioner/commands/commands.h"
#include "provisioner/provider.h"
#include "provisioner/run/flow.h"

#include <stdio.h>

#define KIND      "restore "
#define LATEST    "latest:"
#define RESUME_NS (24 * 3600 * NS_PER_S)

struct restoring {
    struct backup_work *work;
    struct backup_job *job;
    struct restore_wish wish;
    const char *step;
};

/* --- what is wanted ------------------------------------------------------------------------------------- */

static int check_flags(const struct command_context *ctx)
{
    const char *at = command_value(ctx, "--at"), *into = command_value(ctx, "--into");
    int64_t moment;
    if (!at == !command_value(ctx, "--backup"))
        return command_usage_error(ctx, "restore takes --at TIME or --backup ID, one of them");
    if (at && strcmp(at, "latest") != 0 && !clock_parse_rfc3339(str_from(at), &moment))
        return command_usage_error(
            ctx, "--at takes \"latest\" or a time like 2026-11-26T10:00:00Z, not \"%s\"", at);
    if (into && !backup_name_is_good(into))
        return command_usage_error(
            ctx,
            "--into takes a name of 3 to %u lower case letters, digits and single dashes "
            "that begins with a letter, not \"%s\"",
            BACKUP_NAME_MAX, into);
    return STATUS_OK;
}

static int check_place(struct restoring *restoring, const struct provider_backups *backups)
{
    const struct command_context *ctx = restoring->work->run.ctx;
    const char *flag = backups->in_place ? "--into" : "--replace";
    bool given = backups->in_place ? command_value(ctx, "--into") != NULL : command_given(ctx, "--replace");
    restoring->wish.replace = command_given(ctx, "--replace");
    if (!given)
        return 0;
    return error_set(&restoring->job->err, ERR_CONFLICT, "%s does not go with %s, where a restore is %s",
                     flag, restoring->job->place.region->provider->title,
                     backups->in_place ? "in place" : "a new database");
}

/* The latest moment is another one with every run: one that was begun is gone on with. */
static bool resume_latest(struct restoring *restoring)
{
    const char *begun = backup_work_begun(restoring->job, KIND, RESUME_NS);
    const char *given = command_value(restoring->work->run.ctx, "--into");
    const char *blank = begun ? strchr(begun, ' ') : NULL;
    if (!blank || strncmp(blank + 1, LATEST, sizeof LATEST - 1) != 0 ||
        !clock_parse_rfc3339(str_from(blank + sizeof LATEST), &restoring->wish.at_wall_ns))
        return false;
    const char *into =
        arena_strdup(restoring->job->place.arena, (struct str){begun, (size_t)(blank - begun)});
    if (!backup_name_is_good(into) || (given && strcmp(given, into) != 0))
        return false;
    restoring->wish.into = into;
    restoring->wish.ours = true;
    return true;
}

static int choose_backup(struct restoring *restoring, const char *id)
{
    struct backup_job *job = restoring->job;
    const struct backup *backup = backup_find(&job->list, id);
    if (!backup) {
        int code = error_set(&job->err, ERR_CONFLICT, "%s has no backup \"%.100s\"", job->list.database, id);
        error_set_hint(&job->err, "fraiseql deploy backups %s --region %s", restoring->work->run.ctx->file,
                       job->place.region->name);
        return code;
    }
    if (backup->state != BACKUP_DONE)
        return error_set(&job->err, ERR_CONFLICT, "backup %s is not one to restore: its cloud says \"%s\"",
                         backup->id, backup->said);
    restoring->wish.backup = backup;
    restoring->wish.at_wall_ns = backup->at_wall_ns;
    return 0;
}

static int choose_moment(struct restoring *restoring, const char *at)
{
    struct backup_job *job = restoring->job;
    restoring->wish.latest = strcmp(at, "latest") == 0;
    if (strcmp(at, "latest") == 0 && !resume_latest(restoring))
        restoring->wish.at_wall_ns = job->list.latest_wall_ns;
    else if (strcmp(at, "latest") != 0 && !clock_parse_rfc3339(str_from(at), &restoring->wish.at_wall_ns))
        return error_set(&job->err, ERR_CONFLICT, "\"%s\" is no time", at);
    int code = backup_window_check(&job->list, restoring->wish.at_wall_ns, &job->err);
    job->err.code = code ? ERR_CONFLICT : 0; /* not for want of credentials */
    return job->err.code;
}

static void write_step(struct restoring *restoring, const char *at)
{
    struct backup_job *job = restoring->job;
    char moment[CLOCK_RFC3339_SIZE];
    const char *step, *into = restoring->wish.into;
    clock_format_rfc3339(restoring->wish.at_wall_ns, moment);
    if (restoring->wish.backup)
        step = arena_printf(job->place.arena, KIND "%s backup:%s", into, restoring->wish.backup->id);
    else
        step = arena_printf(job->place.arena, KIND "%s %s%s", into,
                            strcmp(at, "latest") == 0 ? LATEST : "at:", moment);
    const char *begun = backup_work_begun(job, KIND, RESUME_NS);
    restoring->wish.ours = restoring->wish.ours || (begun && strcmp(begun, step + sizeof KIND - 1) == 0);
    restoring->step = step;
}

static int choose(struct restoring *restoring)
{
    const struct command_context *ctx = restoring->work->run.ctx;
    struct backup_job *job = restoring->job;
    const char *id = command_value(ctx, "--backup"), *at = command_value(ctx, "--at");
    const char *into = command_value(ctx, "--into");
    int code = id ? choose_backup(restoring, id) : choose_moment(restoring, at);
    if (code)
        return code;
    if (!restoring->wish.into) {
        /* By its name, which says what it is of, it is the same wish's. */
        restoring->wish.ours = !into;
        restoring->wish.into =
            into ? into
                 : backup_restore_name(job->place.deployment, job->place.region, restoring->wish.backup,
                                       restoring->wish.at_wall_ns, job->place.arena);
    }
    write_step(restoring, at);
    return 0;
}

/* --- showing -------------------------------------------------------------------------------------------- */

static void record(const struct restoring *restoring, const struct restored *restored)
{
    const struct output *out = restoring->work->run.ctx->out;
    struct buf text = BUF_INIT(64UL * 1024);
    struct json_writer json;
    json_init(&json, &text);
    json_object_begin(&json);
    json_kv_text(&json, "type", "restore");
    json_kv_text(&json, "region", restoring->job->place.region->name);
    json_kv_text(&json, "database", restoring->job->list.database);
    json_kv_text(&json, "backup", restoring->wish.backup ? restoring->wish.backup->id : NULL);
    json_key(&json, "at");
    json_time(&json, restoring->wish.at_wall_ns);
    json_key(&json, "earliest");
    json_time(&json, restoring->job->list.earliest_wall_ns);
    json_key(&json, "latest");
    json_time(&json, restoring->job->list.latest_wall_ns);
    json_kv_text(&json, "into", restoring->wish.into);
    json_kv_bool(&json, "done", restored != NULL);
    json_kv_bool(&json, "found", restored && restored->found);
    json_kv_text(&json, "address", restored && restored->address[0] ? restored->address : NULL);
    json_key(&json, "next");
    json_array_begin(&json);
    for (size_t i = 0; restored && i < restored->next.count; i++)
        json_text(&json, restored->next.items[i]);
    json_array_end(&json);
    json_object_end(&json);
    output_json(out, buf_str(&text));
    buf_deinit(&text);
}

static void announce(const struct restoring *restoring)
{
    const struct output *out = restoring->work->run.ctx->out;
    const struct region *region = restoring->job->place.region;
    char at[CLOCK_RFC3339_SIZE];
    bool in_place = region->provider->backups->in_place;
    if (out->json)
        return;
    output_printf(out, "%s (%s): %s%s with the state of %s", region->name, region->provider->title,
                  in_place ? "in place, " : "a new database ",
                  in_place ? restoring->job->list.database : restoring->wish.into,
                  clock_format_rfc3339(restoring->wish.at_wall_ns, at));
    if (restoring->wish.backup)
        output_printf(out, ", from %s backup %s", restoring->wish.backup->kind, restoring->wish.backup->id);
    if (in_place)
        output_printf(out, "\nWhat was committed later is not in it.\n");
    else
        output_printf(out, "\n%s goes on as it is. The new one costs what a second database costs.\n",
                      restoring->job->list.database);
}

static void show(const struct restoring *restoring, const struct restored *restored)
{
    const struct output *out = restoring->work->run.ctx->out;
    if (!out->json) {
        output_printf(out, "[\u2713] %s stands%s%s%s\n", restored->name, restored->address[0] ? " at " : "",
                      restored->address, restored->found ? " (begun by an earlier run)" : "");
        for (size_t i = 0; i < restored->next.count; i++)
            output_printf(out, "    %s\n", restored->next.items[i]);
    }
    record(restoring, restored);
}

/* --- doing ---------------------------------------------------------------------------------------------- */

static int restore(struct restoring *restoring, const struct provider_backups *backups)
{
    struct run *run = &restoring->work->run;
    struct backup_job *job = restoring->job;
    const char *region = job->place.region->name;
    struct restored restored = {0};
    int64_t started = clock_mono_ns();
    run_progress(run, region, "restore", "running", 0, 1, 0);
    int code = run_journal_begin(run->journal, restoring->step, region, &job->err);
    if (!code) {
        code = backups->restore(&job->place, &restoring->wish, &restored);
        backup_work_end(job, restoring->step, code);
    }
    run_progress(run, region, "restore", code ? "failed" : "done", code ? 0 : 1, 1,
                 clock_mono_ns() - started);
    if (!code)
        show(restoring, &restored);
    return code;
}

static int restore_one(struct backup_work *work)
{
    struct command_context *ctx = work->run.ctx;
    struct restoring restoring = {.work = work, .job = &work->jobs[0]};
    if (work->count != 1)
        return command_usage_error(ctx, "restore takes one region: give --region NAME");
    const struct provider_backups *backups = backup_work_of(restoring.job);
    int code = backups ? check_place(&restoring, backups) : ERR_PEER;
    if (!code)
        code = backups->list(&restoring.job->place, &restoring.job->list);
    if (!code)
        code = choose(&restoring);
    if (!code) {
        int status = STATUS_OK;
        announce(&restoring);
        if (ctx->dry_run)
            record(&restoring, NULL);
        else if (!ctx->yes && !flow_ask(&work->run, "Type yes to make it:", "yes", &status))
            return status;
        if (ctx->dry_run)
            return STATUS_OK;
        code = restore(&restoring, backups);
    }
    if (code)
        backup_work_complain(work, restoring.job);
    return backup_work_status(work);
}

static int run(struct command_context *ctx)
{
    struct backup_work work;
    int status = check_flags(ctx);
    if (status)
        return status;
    status = backup_work_open(ctx, true, BACKUP_WORK_WAIT_S, &work);
    if (!status)
        status = restore_one(&work);
    backup_work_close(&work);
    return status;
}

static const struct command_flag flags[] = {
    {"--at", "TIME", "the state of this moment, as 2026-11-26T10:00:00Z, or \"latest\""},
    {"--backup", "ID", "the state of this backup, as `deploy backups` lists it"},
    {"--into", "NAME", "of the new database (default: made of region and moment)"},
    {"--replace", NULL, "on own hosts: a stopped database may be moved aside"},
    {"--timeout", "SECONDS", "how long all of it may take (default 14400)"},
    {NULL, NULL, NULL},
};

const struct command command_restore = {
    .name = "restore",
    .operands = "FILE --at TIME|--backup ID",
    .summary = "Restores a backup or a moment",
    .details =
        "Never touches the database that runs. On own hosts one that is gone is brought back in place; one "
        "that "
        "is stopped is moved aside first, with --replace. In a cloud a new one is made beside it, in the "
        "same network and with "
        "the same keys, and what is printed then says how to go over to it and how to be rid of it. "
        "--dry-run says which backup or moment it would be and makes nothing. The same command after one "
        "that was killed goes on with what that has begun.",
    .takes_file = true,
    .flags = flags,
    .run = run,
};
