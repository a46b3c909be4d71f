#include "provisioner/self_hosted/by_hand.h"

#include "provisioner/embedded.h"
#include "provisioner/self_hosted/ledger.h"
#include "provisioner/self_hosted/near.h"
#include "provisioner/self_hosted/prelude.h"

#define TEXT_MAX (4UL * 1024 * 1024)

const char *const by_hand_stages[STAGE_COUNT] = {
    [STAGE_HOST] = "host",       [STAGE_PRIMARY] = "primary", [STAGE_STANDBY] = "standby",
    [STAGE_SERVICE] = "service", [STAGE_TRAFFIC] = "traffic", [STAGE_MONITORING] = "monitoring"};

struct writer {
    const struct site *site;
    const char *folder; /* "hosts/REGION" */
    struct buf order;
    size_t number; /* of the step that is being written, from 1 */
    by_hand_put *put;
    void *ctx;
    struct error *err;
};

static int put_text(const struct writer *writer, const char *name, const char *text)
{
    return text ? writer->put(writer->ctx, arena_printf(writer->site->arena, "%s/%s", writer->folder, name),
                              str_from(text), false, writer->err)
                : 0;
}

static int put_buf(const struct writer *writer, const char *name, struct buf *text)
{
    int code = text->failed ? error_set(writer->err, ERR_LIMIT, "%s would be too long", name)
                            : put_text(writer, name, buf_text(text));
    buf_deinit(text);
    return code;
}

/* What follows the time in a line of the ledger: the driver knows that alone. */
static int put_line(const struct writer *writer, const char *name, struct buf *line)
{
    const char *event = strstr(buf_text(line), "\"event\"");
    struct buf rest = BUF_INIT(TEXT_MAX);
    buf_append_text(&rest, event ? event : "");
    buf_deinit(line);
    return put_buf(writer, name, &rest);
}

static int put_files(const struct writer *writer, const struct host_step *step, const char *below)
{
    struct arena *arena = writer->site->arena;
    struct buf list = BUF_INIT(TEXT_MAX);
    int code = 0;
    for (size_t i = 0; !code && i < step->file_count; i++) {
        const struct step_file *file = &step->files[i];
        const char *path = file->secret
                               ? arena_printf(arena, "secrets/%s%s", writer->site->region->name, file->path)
                               : arena_printf(arena, "%s/files%s", writer->folder, file->path);
        buf_printf(&list, "%s %o %s %s\n", file->secret ? "secret" : "plain", file->mode, file->owner,
                   file->path);
        code = writer->put(writer->ctx, path, file->content, file->secret, writer->err);
    }
    if (code) {
        buf_deinit(&list);
        return code;
    }
    return put_buf(writer, arena_printf(arena, "%s/files", below), &list);
}

static int put_scripts(const struct writer *writer, const struct host_step *step, const char *below)
{
    struct arena *arena = writer->site->arena;
    const struct {
        const char *name, *text;
    } scripts[] = {{"apply.sh", step->apply},
                   {"undo.sh", step->undo},
                   {"check.sh", step->check},
                   {"guard.sh", step->guard}};
    int code = 0;
    for (size_t i = 0; !code && i < ARRAY_LEN(scripts); i++)
        code = put_text(writer, arena_printf(arena, "%s/%s", below, scripts[i].name), scripts[i].text);
    struct buf begin = BUF_INIT(TEXT_MAX), done = BUF_INIT(TEXT_MAX);
    ledger_put_begin(&begin, step, NULL, writer->site->layout->netns);
    ledger_put_done(&done, step);
    int begun = put_line(writer, arena_printf(arena, "%s/begin", below), &begin);
    int ended = put_line(writer, arena_printf(arena, "%s/done", below), &done);
    return code ? code : begun ? begun : ended;
}

/* "steps/03-postgresql-config" */
static const char *folder_of(const struct writer *writer, const struct host_step *step)
{
    char *name = arena_printf(writer->site->arena, "%02zu-%s", writer->number, step->id);
    for (char *at = name; *at; at++)
        *at = *at == '/' ? '-' : *at;
    return name;
}

static int put_step(struct writer *writer, const struct host_step *step)
{
    char hash[STEP_HASH_SIZE];
    writer->number++;
    const char *name = folder_of(writer, step);
    const char *below = arena_printf(writer->site->arena, "steps/%s", name);
    step_hash(step, hash);
    buf_printf(&writer->order, "%s %s %s %s %s %s\n", name, by_hand_stages[step->stage], step->id, hash,
               step->data        ? "data"
               : step->with_data ? "with-data"
                                 : "-",
               step->title);
    int code = put_files(writer, step, below);
    return code ? code : put_scripts(writer, step, below);
}

static int put_driver(const struct writer *writer, const char *deployment_id)
{
    const struct site *site = writer->site;
    const struct layout *layout = site->layout;
    struct arena *arena = site->arena;
    bool replicates =
        deployment_replicates(site->deployment, site->region) && component_runs(site->region, "postgresql");
    const char *role = !replicates                                                       ? "alone"
                       : strcmp(near_write_site(site)->region->name, site->region->name) ? "follows"
                                                                                         : "writes";
    const char *conf = arena_printf(
        arena,
        "region=%s\ndeployment_id=%s\nbase=%s\nrun=%s\ndata=%s\nlock=/run/fraiseql-%s-%s.lock\nrole=%s\n",
        layout->region, deployment_id, layout->base, layout->run, layout->data, layout->deployment,
        layout->region, role);
    /* The driver's reader is a person. */
    const char *prelude = prelude_script(arena,
                                         "note() { printf '    %s\\n' \"$*\"; }\n"
                                         "fail() { printf 'region.sh: %s\\n' \"$*\" >&2; exit 1; }\n",
                                         layout->netns);
    int code = put_text(writer, "region.conf", conf);
    if (!code)
        code = put_text(writer, "steps/prelude.sh", prelude);
    return code ? code
                : writer->put(writer->ctx, arena_printf(arena, "%s/region.sh", writer->folder),
                              embedded_find("self_hosted/files/region.sh")->bytes, false, writer->err);
}

int by_hand_region(const struct site *site, const struct step_list *steps, const char *deployment_id,
                   by_hand_put *put, void *ctx, struct error *err)
{
    struct writer writer = {.site = site,
                            .folder = arena_printf(site->arena, "hosts/%s", site->region->name),
                            .order = BUF_INIT(TEXT_MAX),
                            .put = put,
                            .ctx = ctx,
                            .err = err};
    int code = put_driver(&writer, deployment_id);
    for (int stage = 0; !code && stage < STAGE_COUNT; stage++) {
        for (size_t i = 0; !code && i < steps->count; i++) {
            if (steps->items[i].stage == (enum step_stage)stage)
                code = put_step(&writer, &steps->items[i]);
        }
    }
    if (code) {
        buf_deinit(&writer.order);
        return code;
    }
    return put_buf(&writer, "steps/order", &writer.order);
}
