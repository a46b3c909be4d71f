#include "provisioner/run/region_log.h"

#include "lib/core/clock.h"
#include "provisioner/log_lines.h"
#include "provisioner/provider.h"

static const char *problem_of(const struct run_root *root, const struct error *err)
{
    const char *detail = err->detail[0] ? arena_printf(root->arena, " (%s)", err->detail) : "";
    const char *place =
        err->file[0] && err->line ? arena_printf(root->arena, "%s:%u: ", err->file, err->line) : "";
    const char *text =
        arena_printf(root->arena, "the log could not be read: %s%s%s", place, err->message, detail);
    return log_line_shown(str_from(text), root->arena);
}

void region_log_read(const struct run_root *root, size_t most, int64_t patience_ns, struct region_log *ret)
{
    const struct provider *provider = root->region->provider;
    struct error err = {0};
    *ret = (struct region_log){0};
    if (!most)
        return;
    if (!provider->recent_logs) {
        ret->note = arena_printf(root->arena, "this version reads no logs of %s", provider->title);
        return;
    }
    int64_t deadline = clock_mono_ns() + (patience_ns < REGION_LOG_NS ? patience_ns : REGION_LOG_NS);
    if (provider->recent_logs(root->run->deployment, root->region, most, deadline, root->arena, &ret->lines,
                              &err)) {
        ret->lines = (struct string_list){0};
        ret->note = problem_of(root, &err);
        return;
    }
    ret->read = true;
    if (!ret->lines.count)
        ret->note = "the log has no line";
}

void region_log_show(const struct output *out, const struct region_log *log)
{
    if (out->json)
        return;
    if (log->note)
        output_printf(out, "    %s\n", log->note);
    if (log->lines.count)
        output_printf(out, "    its log ends with:\n");
    for (size_t i = 0; i < log->lines.count; i++)
        output_printf(out, "      %s\n", log->lines.items[i]);
}

void region_log_members(struct json_writer *json, const struct region_log *log)
{
    json_key(json, "log");
    if (log->read) {
        json_array_begin(json);
        for (size_t i = 0; i < log->lines.count; i++)
            json_text(json, log->lines.items[i]);
        json_array_end(json);
    } else {
        json_null(json);
    }
    json_kv_text(json, "log_problem", log->read ? NULL : log->note);
}
