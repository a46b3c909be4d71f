#include "provisioner/commands/backup_work.h"

#include "lib/core/clock.h"
#include "provisioner/provider.h"

#include <stdio.h>
#include <sys/stat.h>

#define WAIT_MAX_S (7U * 24U * 3600U)
#define GIB        ((double)(1U << 30))

static int wait_given(const struct command_context *ctx, uint64_t otherwise, uint64_t *ret_seconds)
{
    const char *text = command_value(ctx, "--timeout");
    *ret_seconds = otherwise;
    if (!text || (str_to_u64(str_from(text), ret_seconds) && *ret_seconds >= 1 && *ret_seconds <= WAIT_MAX_S))
        return STATUS_OK;
    return command_usage_error(ctx, "--timeout takes seconds from 1 to %u, not \"%s\"", WAIT_MAX_S, text);
}

static void make_jobs(struct backup_work *work, int64_t deadline_mono_ns)
{
    const struct deployment *deployment = work->run.deployment;
    size_t count = deployment_region_count(deployment);
    work->jobs = arena_zalloc(work->run.arena, (count + 1) * sizeof *work->jobs);
    for (size_t i = 0; i < count; i++) {
        const struct region *region = deployment_region(deployment, i);
        struct backup_job *job = &work->jobs[work->count];
        if (!command_selects(work->run.ctx, region))
            continue;
        job->work = work;
        job->place = (struct backup_place){.deployment = deployment,
                                           .region = region,
                                           .deadline_mono_ns = deadline_mono_ns,
                                           .arena = arena_new(0),
                                           .err = &job->err};
        work->count++;
    }
}

int backup_work_open(struct command_context *ctx, bool changing, unsigned default_s, struct backup_work *ret)
{
    struct error err = {0};
    uint64_t seconds;
    *ret = (struct backup_work){.run = {.ctx = ctx, .arena = ctx->arena}};
    ret->run.workspace.lock_fd = -1;
    (void)pthread_mutex_init(&ret->run.lock, NULL);
    int status = wait_given(ctx, default_s, &seconds);
    if (!status)
        status = command_load(ctx, true, &ret->run.deployment);
    if (status)
        return status;
    (void)umask(077);
    int code = workspace_open(ret->run.deployment, changing, ctx->arena, &ret->run.workspace, &err);
    if (!code)
        code = run_journal_open(ret->run.workspace.journal, !changing, &ret->run.journal, &err);
    if (code) {
        output_error(ctx->out, &err);
        return STATUS_FAILURE;
    }
    make_jobs(ret, clock_mono_ns() + (int64_t)seconds * NS_PER_S);
    return STATUS_OK;
}

void backup_work_close(struct backup_work *work)
{
    for (size_t i = 0; i < work->count; i++)
        arena_free(work->jobs[i].place.arena);
    if (work->run.journal)
        run_journal_close(work->run.journal);
    workspace_close(&work->run.workspace);
    (void)pthread_mutex_destroy(&work->run.lock);
}

static int status_of(const struct error *err)
{
    switch (err->code) {
    case 0:
        return STATUS_OK;
    case ERR_AUTH:
    case ERR_CONFIG: /* nothing to sign in with, no project, an address that may not be sent a token */
        return STATUS_CREDENTIALS;
    case ERR_CONFLICT:
        return STATUS_CONFIG;
    default:
        return STATUS_FAILURE;
    }
}

int backup_work_status(const struct backup_work *work)
{
    int status = STATUS_OK;
    for (size_t i = 0; i < work->count; i++) {
        int each = status_of(&work->jobs[i].err);
        status = each > status ? each : status;
    }
    return status;
}

void backup_work_complain(const struct backup_work *work, const struct backup_job *job)
{
    struct error err = job->err;
    (void)error_prefix(&err, "region %s", job->place.region->name);
    output_error(work->run.ctx->out, &err);
}

const struct provider_backups *backup_work_of(struct backup_job *job)
{
    const struct provider *provider = job->place.region->provider;
    if (!provider->backups)
        (void)error_set(&job->err, ERR_PEER, "backups of %s are not part of this version", provider->title);
    return provider->backups;
}

const char *backup_work_begun(const struct backup_job *job, const char *kind, int64_t most_ns)
{
    const struct run_entries *entries = run_journal_before(job->work->run.journal);
    size_t length = strlen(kind);
    for (size_t i = entries->count; i-- > 0;) {
        const struct run_entry *entry = &entries->items[i];
        int64_t at;
        if (strncmp(entry->step, kind, length) != 0 || strcmp(entry->root, job->place.region->name) != 0)
            continue;
        if (strcmp(entry->event, "begin") != 0 || !clock_parse_rfc3339(str_from(entry->at), &at) ||
            clock_wall_ns() - at > most_ns)
            return NULL;
        return entry->step + length;
    }
    return NULL;
}

void backup_work_end(struct backup_job *job, const char *step, int code)
{
    /* After these the cloud may be at it still. */
    if (code == ERR_TIMEOUT || code == ERR_UNAVAILABLE)
        return;
    (void)run_journal_end(job->work->run.journal, step, job->place.region->name, code ? "failed" : "ok",
                          code ? job->err.message : "", NULL);
}

static const char *state_text(enum backup_state state)
{
    static const char *const texts[] = {
        [BACKUP_DONE] = "done", [BACKUP_UNDER_WAY] = "under way", [BACKUP_FAILED] = "failed"};
    return texts[state];
}

void backup_work_members(struct json_writer *json, const struct backup *backup)
{
    json_kv_text(json, "id", backup->id);
    json_kv_text(json, "name", backup->name[0] ? backup->name : NULL);
    json_kv_text(json, "kind", backup->kind);
    json_kv_text(json, "state", state_text(backup->state));
    json_key(json, "at");
    json_time(json, backup->at_wall_ns);
    json_key(json, "size_bytes");
    if (backup->size_bytes)
        json_u64(json, backup->size_bytes);
    else
        json_null(json);
    json_kv_text(json, "size_means", backup->size_bytes ? backup->size_means : NULL);
    json_key(json, "verified"); /* by a restore that was looked at: no cloud does that by itself */
    json_time(json, backup->verified_wall_ns);
}

const char *backup_work_size(const struct backup *backup, char text[32])
{
    if (backup->size_bytes)
        (void)snprintf(text, 32, "%.1f GiB", (double)backup->size_bytes / GIB);
    else
        (void)snprintf(text, 32, "-");
    return text;
}
