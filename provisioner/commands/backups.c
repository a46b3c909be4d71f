/* `fraiseql deploy backups FILE`: what backups there are, and which moments can be restored. */
#include "lib/core/clock.h"
#include "provisioner/commands/backup_work.h"
#include "provisioner/commands/commands.h"
#include "provisioner/provider.h"
#include "provisioner/run/at_once.h"

static void list_one(void *ctx, size_t i)
{
    struct backup_job *job = &((struct backup_work *)ctx)->jobs[i];
    const struct provider_backups *backups = backup_work_of(job);
    if (backups && backups->list(&job->place, &job->list) && !job->err.code)
        (void)error_set(&job->err, ERR_PEER, "the backups could not be listed");
}

static void show_window(const struct output *out, const struct backup_list *list)
{
    char earliest[CLOCK_RFC3339_SIZE], latest[CLOCK_RFC3339_SIZE];
    if (!list->latest_wall_ns) {
        output_printf(out, "    no moment in between can be restored\n");
        return;
    }
    clock_format_rfc3339(list->latest_wall_ns, latest);
    if (list->earliest_wall_ns)
        output_printf(out, "    any moment from %s to %s\n",
                      clock_format_rfc3339(list->earliest_wall_ns, earliest), latest);
    else
        output_printf(out, "    moments up to %s\n", latest);
}

static void show(const struct output *out, const struct backup_job *job)
{
    const struct backup_list *list = &job->list;
    int width = 2;
    output_printf(out, "%s (%s)%s%s\n", job->place.region->name, job->place.region->provider->title,
                  list->database && list->database[0] ? ": " : "", list->database ? list->database : "");
    if (job->err.code) {
        output_printf(out, "    %s\n", job->err.message);
        return;
    }
    show_window(out, list);
    for (size_t i = 0; i < list->count; i++)
        width = (int)strlen(list->items[i].id) > width ? (int)strlen(list->items[i].id) : width;
    if (list->count)
        output_printf(out, "    %-24s  %-9s  %10s  %-10s  %-*s  %s\n", "HOLDS", "KIND", "SIZE", "STATE",
                      width, "ID", "NAME");
    for (size_t i = 0; i < list->count; i++) {
        const struct backup *backup = &list->items[i];
        char at[CLOCK_RFC3339_SIZE] = "-", size[32];
        if (backup->at_wall_ns)
            clock_format_rfc3339(backup->at_wall_ns, at);
        output_printf(out, "    %-24s  %-9s  %10s  %-10s  %-*s  %s\n", at, backup->kind,
                      backup_work_size(backup, size), backup->said, width, backup->id,
                      strcmp(backup->name, backup->id) == 0 ? "" : backup->name);
    }
    if (!list->count)
        output_printf(out, "    no backups\n");
}

static void record(const struct backup_work *work)
{
    struct buf text = BUF_INIT(64UL * 1024 * 1024);
    struct json_writer json;
    json_init(&json, &text);
    json_object_begin(&json);
    json_kv_text(&json, "type", "backups");
    json_key(&json, "regions");
    json_array_begin(&json);
    for (size_t i = 0; i < work->count; i++) {
        const struct backup_job *job = &work->jobs[i];
        json_object_begin(&json);
        json_kv_text(&json, "name", job->place.region->name);
        json_kv_text(&json, "provider", job->place.region->provider->name);
        json_kv_text(&json, "database", job->list.database);
        json_kv_text(&json, "problem", job->err.code ? job->err.message : NULL);
        json_key(&json, "earliest");
        json_time(&json, job->list.earliest_wall_ns);
        json_key(&json, "latest");
        json_time(&json, job->list.latest_wall_ns);
        json_key(&json, "backups");
        json_array_begin(&json);
        for (size_t j = 0; j < job->list.count; j++) {
            json_object_begin(&json);
            backup_work_members(&json, &job->list.items[j]);
            json_object_end(&json);
        }
        json_array_end(&json);
        json_object_end(&json);
    }
    json_array_end(&json);
    json_object_end(&json);
    output_json(work->run.ctx->out, buf_str(&text));
    buf_deinit(&text);
}

static int run(struct command_context *ctx)
{
    struct backup_work work;
    int status = backup_work_open(ctx, false, BACKUP_WORK_LIST_S, &work);
    if (!status) {
        at_once(work.count, ctx->parallelism, list_one, &work);
        for (size_t i = 0; !ctx->json && i < work.count; i++)
            show(ctx->out, &work.jobs[i]);
        record(&work);
        status = backup_work_status(&work);
    }
    backup_work_close(&work);
    return status;
}

static const struct command_flag flags[] = {
    {"--timeout", "SECONDS", "how long all of it may take (default 60)"},
    {NULL, NULL, NULL},
};

const struct command command_backups = {
    .name = "backups",
    .operands = "FILE",
    .summary = "Lists backups and the moments that can be restored",
    .details =
        "Asks each region's cloud, all at the same time. Sizes are those of the disk on AWS, of what is "
        "stored on Google Cloud; Azure names none. That a backup is listed does not mean that a restore of "
        "it was tried.",
    .takes_file = true,
    .flags = flags,
    .run = run,
};
