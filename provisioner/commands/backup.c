/* `fraiseql deploy backup FILE`: takes a backup of every region's database and waits for it. */
#include "lib/core/clock.h"
#include "provisioner/commands/backup_work.h"
#include "provisioner/commands/commands.h"
#include "provisioner/provider.h"
#include "provisioner/run/at_once.h"

#define KIND "backup "
/* One that was begun longer ago is not what is asked for now. */
#define RESUME_NS (6 * 3600 * NS_PER_S)

static void name_one(struct backup_job *job)
{
    struct arena *arena = job->place.arena;
    const char *begun = backup_work_begun(job, KIND, RESUME_NS);
    job->resumed = begun && backup_name_is_good(begun);
    job->name =
        job->resumed ? begun : backup_name(job->place.deployment, job->place.region, clock_wall_ns(), arena);
    job->step = arena_printf(arena, KIND "%s", job->name);
}

/* What only those that can verify have. */
static int check_kind(struct backup_job *job, const struct provider_backups *backups)
{
    const struct command_context *ctx = job->work->run.ctx;
    job->place.kind = command_value(ctx, "--kind");
    if (backups->verify || (!job->place.kind && !command_given(ctx, "--verify")))
        return 0;
    return error_set(&job->err, ERR_CONFLICT, "--kind and --verify are of own hosts, and this is %s",
                     job->place.region->provider->title);
}

static int take(struct backup_job *job, const struct provider_backups *backups)
{
    int code = run_journal_begin(job->work->run.journal, job->step, job->place.region->name, &job->err);
    if (code)
        return code;
    code = backups->take(&job->place, job->name, &job->backup);
    backup_work_end(job, job->step, code);
    if (!code && command_given(job->work->run.ctx, "--verify"))
        code = backups->verify(&job->place, &job->backup);
    return code;
}

static void take_one(void *ctx, size_t i)
{
    struct backup_work *work = ctx;
    struct backup_job *job = &work->jobs[i];
    const struct provider_backups *backups = backup_work_of(job);
    const char *region = job->place.region->name;
    int64_t started = clock_mono_ns();
    if (!backups || check_kind(job, backups) || (backups->idle && backups->idle(&job->place, &job->idle)) ||
        job->idle)
        return;
    run_progress(&work->run, region, "backup", "running", 0, 1, 0);
    int code = take(job, backups);
    run_progress(&work->run, region, "backup", code ? "failed" : "done", code ? 0 : 1, 1,
                 clock_mono_ns() - started);
}

static void show(const struct backup_work *work, const struct backup_job *job)
{
    const struct output *out = work->run.ctx->out;
    struct buf text = BUF_INIT(64UL * 1024);
    struct json_writer json;
    char at[CLOCK_RFC3339_SIZE] = "a moment that is not known", size[32];
    if (job->err.code) {
        backup_work_complain(work, job);
        return;
    }
    if (job->idle) {
        if (!out->json)
            output_printf(out, "[-] %s: %s\n", job->place.region->name, job->idle);
        return;
    }
    if (job->backup.at_wall_ns)
        clock_format_rfc3339(job->backup.at_wall_ns, at);
    if (!out->json)
        output_printf(out, "[\u2713] %s (%s): %s, as of %s, %s%s%s\n", job->place.region->name,
                      job->place.region->provider->title, job->backup.id, at,
                      backup_work_size(&job->backup, size),
                      job->backup.verified_wall_ns ? ", verified by a restore" : "",
                      job->resumed ? ", begun by an earlier run" : "");
    json_init(&json, &text);
    json_object_begin(&json);
    json_kv_text(&json, "type", "backup");
    json_kv_text(&json, "region", job->place.region->name);
    json_kv_bool(&json, "resumed", job->resumed);
    backup_work_members(&json, &job->backup);
    json_object_end(&json);
    output_json(out, buf_str(&text));
    buf_deinit(&text);
}

static int take_all(struct backup_work *work)
{
    struct command_context *ctx = work->run.ctx;
    for (size_t i = 0; i < work->count; i++) {
        struct backup_job *job = &work->jobs[i];
        name_one(job);
        if (!ctx->json)
            output_printf(ctx->out, "%s (%s): %s %s\n", job->place.region->name,
                          job->place.region->provider->title,
                          ctx->dry_run   ? "would take"
                          : job->resumed ? "going on with"
                                         : "taking",
                          job->name);
    }
    if (ctx->dry_run)
        return STATUS_OK;
    at_once(work->count, ctx->parallelism, take_one, work);
    for (size_t i = 0; i < work->count; i++)
        show(work, &work->jobs[i]);
    return backup_work_status(work);
}

static int run(struct command_context *ctx)
{
    struct backup_work work;
    const char *kind = command_value(ctx, "--kind");
    if (kind && strcmp(kind, "full") != 0 && strcmp(kind, "diff") != 0 && strcmp(kind, "incr") != 0)
        return command_usage_error(ctx, "--kind takes full, diff or incr, not \"%.40s\"", kind);
    int status = backup_work_open(ctx, true, BACKUP_WORK_WAIT_S, &work);
    if (!status)
        status = take_all(&work);
    backup_work_close(&work);
    return status;
}

static const struct command_flag flags[] = {
    {"--kind", "KIND", "on own hosts: full (default), diff or incr"},
    {"--verify", NULL, "on own hosts: restore it into a scratch database and read all of it"},
    {"--timeout", "SECONDS", "how long all of it may take (default 14400)"},
    {NULL, NULL, NULL},
};

const struct command command_backup = {
    .name = "backup",
    .operands = "FILE",
    .summary = "Takes a backup of every region's database",
    .details =
        "A snapshot on AWS, an on-demand backup on Google Cloud and Azure, pgBackRest's on own hosts where "
        "the "
        "region writes, of all regions at the same time, "
        "and waits until each is done. It is named before it is asked for: the same command after one that "
        "was killed or timed out less than six hours ago goes on with that backup and takes no second one. "
        "None of them goes away by itself: `backup.retention` is for the daily ones.",
    .takes_file = true,
    .flags = flags,
    .run = run,
};
