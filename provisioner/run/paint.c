/* What is shown while roots are under way: a live area on a terminal, a line now and then without one, and
 * records with --json. */
#include "lib/core/clock.h"
#include "provisioner/run/run.h"
#include "provisioner/run/view.h"
#include "provisioner/terminal.h"

#include <stdio.h>

#define PAINT_EVERY_NS (200 * NS_PER_MS)
#define LINE_EVERY_NS  (15 * NS_PER_S)

static void begin_progress(struct json_writer *json, const char *region, const char *step, const char *state,
                           uint64_t done, uint64_t planned, int64_t elapsed_ns)
{
    json_object_begin(json);
    json_kv_text(json, "type", "progress");
    json_kv_text(json, "region", region);
    json_kv_text(json, "step", step);
    json_kv_text(json, "state", state);
    json_kv_u64(json, "done", done);
    json_kv_u64(json, "planned", planned);
    json_kv_f64(json, "elapsed_s", (double)(elapsed_ns / NS_PER_MS) / 1000.0);
}

void run_progress(struct run *run, const char *region, const char *step, const char *state, uint64_t done,
                  uint64_t planned, int64_t elapsed_ns)
{
    struct buf record = BUF_INIT(64UL * 1024);
    struct json_writer json;
    if (!run->ctx->json)
        return;
    json_init(&json, &record);
    begin_progress(&json, region, step, state, done, planned, elapsed_ns);
    json_object_end(&json);
    output_json(run->ctx->out, buf_str(&record));
    buf_deinit(&record);
}

void run_say_waiting(struct run *run, const struct run_root *root, int64_t pid, const char *since)
{
    const struct output *out = run->ctx->out;
    if (!out->json && !out->tty)
        output_printf(out,
                      "    %s: waiting for the %s of an earlier run, which is still at work on it (process "
                      "%lld, since %s)\n",
                      root->name, run->terraform.name, (long long)pid, since);
    if (!out->json)
        return;
    struct buf record = BUF_INIT(64UL * 1024);
    struct json_writer json;
    json_init(&json, &record);
    begin_progress(&json, root->name, "plan", "waiting", 0, 0, clock_mono_ns() - root->started_ns);
    json_kv_i64(&json, "pid", pid);
    json_kv_text(&json, "since", since);
    json_object_end(&json);
    output_json(out, buf_str(&record));
    buf_deinit(&record);
}

/* With the lock held. False when it is not under way. The address is copied. */
static bool row_of(const struct run_root *root, int64_t now, struct view_row *ret, char address[256])
{
    if (!root->doing)
        return false;
    *ret = (struct view_row){.name = root->name,
                             .doing = root->doing,
                             .done = root->done,
                             .planned = root->total,
                             .elapsed_ns = root->started_ns ? now - root->started_ns : 0};
    if (root->spent_ns && strcmp(root->doing, "done") == 0)
        ret->elapsed_ns = root->spent_ns;
    if (root->heard[0] && strcmp(root->doing, "done") != 0)
        ret->heard = root->heard; /* read before the lock is let go */
    if (root->flight_count) {
        (void)snprintf(address, 256, "%s", root->flight[0].address);
        ret->slowest = address;
        ret->slowest_ns = now - root->flight[0].started_ns;
    }
    return true;
}

static unsigned name_width(const struct run *run)
{
    unsigned widest = 6;
    for (size_t i = 0; i < run->region_count; i++) {
        unsigned columns = view_columns(str_from(run->regions[i].name));
        widest = columns > widest ? columns : widest;
    }
    return widest;
}

/* One line for each root that is under way. */
static unsigned lines_of(struct run *run, int64_t now, const char *before, struct buf *out)
{
    unsigned lines = 0, names = name_width(run);
    /* The last column stays free: some terminals wrap when it is written. */
    unsigned width = run->ctx->out->tty ? run->ctx->out->width - 1 : 200;
    (void)pthread_mutex_lock(&run->lock);
    for (size_t i = 0; i <= run->region_count; i++) {
        const struct run_root *root = i < run->region_count ? &run->regions[i] : &run->global;
        struct view_row row;
        char address[256];
        /* Lines that stay need not say again what has ended: its step does. */
        if (!row_of(root, now, &row, address) || (!run->ctx->out->tty && strcmp(row.doing, "done") == 0))
            continue;
        buf_append_text(out, before);
        view_line(&row, names, width, out);
        buf_append_byte(out, '\n');
        lines++;
    }
    (void)pthread_mutex_unlock(&run->lock);
    return lines;
}

void run_paint(struct run *run, bool last)
{
    int64_t now = clock_mono_ns();
    const struct output *out = run->ctx->out;
    if (run->ctx->json || (!out->tty && last))
        return;
    if (!last && now - run->painted_ns < (out->tty ? PAINT_EVERY_NS : LINE_EVERY_NS))
        return;
    struct buf text = BUF_INIT(1024UL * 1024), lines = BUF_INIT(1024UL * 1024);
    run->painted_ns = now;
    if (out->tty && run->painted_lines)
        buf_printf(&text, "\033[%uA\r\033[J", run->painted_lines);
    run->painted_lines = last ? 0 : lines_of(run, now, out->tty ? "" : "    ", &lines);
    terminal_append(&text, buf_str(&lines));
    output_raw(out, buf_str(&text));
    buf_deinit(&lines);
    buf_deinit(&text);
}
