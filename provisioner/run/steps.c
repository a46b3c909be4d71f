/* The lines of a run that stay: steps with their marks, plans, and what failed. */
#include "lib/core/clock.h"
#include "provisioner/run/hosts.h"
#include "provisioner/run/run.h"
#include "provisioner/run/view.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define PROBLEMS_SHOWN 5U
#define CHANGES_SHOWN  20U
#define WIDTH_OF_LINES 200U /* without a terminal */

static const struct {
    const char *mark, *state;
    enum output_style style;
} marks[] = {
    [STEP_OK] = {"[\u2713]", "done", STYLE_GOOD},
    [STEP_FAILED] = {"[\u2717]", "failed", STYLE_BAD},
    [STEP_WARN] = {"[!]", "warning", STYLE_WARN},
    [STEP_SKIPPED] = {"[!]", "skipped", STYLE_DIM},
};

enum step_mark run_mark_of(const struct run_root *root)
{
    return root->failed ? STEP_FAILED : root->skipped ? STEP_WARN : STEP_OK;
}

void run_step(struct run *run, enum step_mark mark, const char *step, const char *region, const char *note,
              const char *format, ...)
{
    const struct output *out = run->ctx->out;
    int64_t elapsed = clock_mono_ns() - out->started_mono_ns;
    if (out->json) {
        run_progress(run, region, step, marks[mark].state, 0, 0, elapsed);
        return;
    }
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    output_printf(out, "%s%s%s %s%s\n", output_style(out, marks[mark].style), marks[mark].mark,
                  output_style(out, STYLE_PLAIN), text, mark == STEP_SKIPPED ? ": skipped" : "");
    if (note)
        output_printf(out, "    %s\n", note);
    free(text);
}

void run_complain(struct run *run, const struct run_root *root)
{
    struct error more = {0};
    output_error(run->ctx->out, &root->err);
    for (size_t i = 1; i < root->problem_count && i < PROBLEMS_SHOWN; i++) {
        error_clear(&more);
        (void)error_set(&more, ERR_PEER, "%s: %s", root->name, root->problems[i].summary);
        error_set_detail(&more, "%s", root->problems[i].address);
        output_error(run->ctx->out, &more);
    }
    if (root->problem_count <= PROBLEMS_SHOWN)
        return;
    error_clear(&more);
    (void)error_set(&more, ERR_PEER, "%s: %zu more like these", root->name,
                    root->problem_count - PROBLEMS_SHOWN);
    output_error(run->ctx->out, &more);
}

/* --- plans
 * ---------------------------------------------------------------------------------------------------- */

static bool starts_with_any(const char *text, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, list[i]) == 0)
            return true;
    }
    return false;
}

bool run_is_database(const char *type)
{
    static const char *const types[] = {"aws_db_instance", "aws_rds_cluster", "google_sql_database_instance",
                                        "azurerm_postgresql_flexible_server", HOSTS_DATA_TYPE};
    return starts_with_any(type, types, ARRAY_LEN(types));
}

/* Where the parameters of a database live: a change of a static one takes a reboot. */
static bool is_parameters(const char *type)
{
    static const char *const types[] = {"aws_db_parameter_group", "google_sql_database_instance",
                                        "azurerm_postgresql_flexible_server_configuration"};
    return starts_with_any(type, types, ARRAY_LEN(types));
}

/* What a plan does with a resource; the order is that in which it is shown. */
enum change_kind { CHANGE_REPLACE, CHANGE_DESTROY, CHANGE_UPDATE, CHANGE_IMPORT, CHANGE_NONE };

static enum change_kind kind_of(const struct root_change *change)
{
    static const char *const actions[] = {
        [CHANGE_REPLACE] = "replace", [CHANGE_DESTROY] = "delete", [CHANGE_UPDATE] = "update"};
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        if (strcmp(change->action, actions[i]) == 0)
            return (enum change_kind)i;
    }
    return change->import_id[0] ? CHANGE_IMPORT : CHANGE_NONE;
}

static bool loses_data(const struct root_change *change)
{
    return run_is_database(change->type) && kind_of(change) <= CHANGE_DESTROY;
}

/* What must not be overlooked. */
static void warn_of(const struct output *out, const struct root_change *change)
{
    if (loses_data(change))
        output_printf(out, "      %sDATABASE %s: %s: its data is lost with it%s\n",
                      output_style(out, STYLE_BAD),
                      kind_of(change) == CHANGE_REPLACE ? "REPLACED" : "DESTROYED",
                      view_address(change->address), output_style(out, STYLE_PLAIN));
    else if (is_parameters(change->type) && kind_of(change) == CHANGE_UPDATE)
        output_printf(
            out, "      %sdatabase parameters change: %s; static ones take effect with a reboot%s\n",
            output_style(out, STYLE_WARN), view_address(change->address), output_style(out, STYLE_PLAIN));
}

static void show_change(const struct output *out, const struct root_change *change)
{
    static const char *const words[] = {[CHANGE_REPLACE] = "replace  ",
                                        [CHANGE_DESTROY] = "destroy  ",
                                        [CHANGE_UPDATE] = "update   ",
                                        [CHANGE_IMPORT] = "take over"};
    const struct view_change shown = {change->address, change->reason, change->attributes,
                                      change->attribute_count};
    enum change_kind kind = kind_of(change);
    unsigned width = out->tty ? out->width - 1 : WIDTH_OF_LINES, before = 16;
    struct buf line = BUF_INIT(64UL * 1024);
    view_change(&shown, width > before + 8 ? width - before : 8, &line);
    output_printf(out, "      %s%s%s %s\n",
                  output_style(out, kind <= CHANGE_DESTROY ? STYLE_WARN : STYLE_DIM), words[kind],
                  output_style(out, STYLE_PLAIN), buf_text(&line));
    buf_deinit(&line);
}

/* What is made is counted; all else is named, the worst first: of what is replaced or destroyed all, of the
 * rest as much as a reader takes in. */
static void show_changes(const struct output *out, const struct run_root *root)
{
    size_t shown = 0, left = 0;
    for (size_t i = 0; i < root->change_count; i++)
        warn_of(out, &root->changes[i]);
    for (enum change_kind kind = CHANGE_REPLACE; kind < CHANGE_NONE; kind++) {
        for (size_t i = 0; i < root->change_count; i++) {
            if (kind_of(&root->changes[i]) != kind)
                continue;
            if (kind > CHANGE_DESTROY && shown >= CHANGES_SHOWN) {
                left++;
                continue;
            }
            show_change(out, &root->changes[i]);
            shown++;
        }
    }
    if (left)
        output_printf(out, "      and %zu more; --json names all\n", left);
    if (root->unnamed)
        output_printf(out, "      what changes in them is not known: %s\n", root->unnamed);
}

void run_show_plan(struct run *run, const struct run_root *root)
{
    const struct output *out = run->ctx->out;
    if (out->json)
        return;
    if (!root_changes(root)) {
        output_printf(out, "    %s: no changes\n", root->title);
        return;
    }
    if (root->restated) {
        output_printf(out, "    %s: no resource changes, what its state says of them does\n", root->title);
        return;
    }
    output_printf(out, "    %s: %lld to create, %lld to change, %lld to replace, %lld to destroy",
                  root->title, (long long)root->create, (long long)root->update, (long long)root->replace,
                  (long long)root->destroy);
    if (root->import)
        output_printf(out, ", %lld to take over", (long long)root->import);
    output_printf(out, "\n");
    show_changes(out, root);
}

static void put_change(struct json_writer *json, const struct root_change *change)
{
    json_object_begin(json);
    json_kv_text(json, "address", change->address);
    json_kv_text(json, "action", change->action);
    json_kv_bool(json, "database", run_is_database(change->type));
    json_kv_text(json, "reason", change->reason);
    json_kv_bool(json, "import", change->import_id[0] != '\0');
    json_key(json, "attributes");
    json_array_begin(json);
    for (size_t i = 0; i < change->attribute_count; i++)
        json_text(json, change->attributes[i]);
    json_array_end(json);
    json_object_end(json);
}

void run_plan_record(struct run *run, const struct run_root *root)
{
    struct buf record = BUF_INIT(16UL * 1024 * 1024);
    struct json_writer json;
    if (!run->ctx->json)
        return;
    json_init(&json, &record);
    json_object_begin(&json);
    json_kv_text(&json, "type", "plan");
    json_kv_text(&json, "region", root->name);
    json_kv_i64(&json, "create", root->create);
    json_kv_i64(&json, "change", root->update);
    json_kv_i64(&json, "replace", root->replace);
    json_kv_i64(&json, "destroy", root->destroy);
    json_kv_i64(&json, "import", root->import);
    json_kv_bool(&json, "restated", root->restated);
    json_key(&json, "changes");
    json_array_begin(&json);
    for (size_t i = 0; i < root->change_count; i++)
        put_change(&json, &root->changes[i]);
    json_array_end(&json);
    if (root->unnamed)
        json_kv_text(&json, "attributes_unknown", root->unnamed);
    json_object_end(&json);
    output_json(run->ctx->out, buf_str(&record));
    buf_deinit(&record);
}
