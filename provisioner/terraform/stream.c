#include "provisioner/terraform/stream.h"

#include "lib/core/json.h"

/* A tree of a line takes a multiple of its bytes. */
#define TREE_MAX (TF_LINE_MAX * 64)

void tf_stream_init(struct tf_stream *stream)
{
    *stream = (struct tf_stream){.arena = arena_new(TREE_MAX)};
    buf_init(&stream->line, TF_LINE_MAX);
}

void tf_stream_deinit(struct tf_stream *stream)
{
    buf_deinit(&stream->line);
    arena_free(stream->arena);
    stream->arena = NULL;
}

static int64_t number_of(const struct node *node, const char *key)
{
    const struct node *value = node_member(node, key);
    double number = 0;
    if (!value || value->kind != NODE_SCALAR || !str_to_double(value->scalar, &number))
        return 0;
    return number > 0 && number < 1e15 ? (int64_t)number : 0;
}

static void take_resource(struct tf_event *event, const struct node *holder)
{
    const struct node *resource = node_member(holder, "resource");
    event->address = node_text(resource, "addr").ptr;
    event->type = node_text(resource, "resource_type").ptr;
    event->action = node_text(holder, "action").ptr;
    event->reason = node_text(holder, "reason").ptr;
    event->id = node_text(holder, "id_value").ptr;
    event->elapsed_s = number_of(holder, "elapsed_seconds");
    event->import_id = node_text(node_member(holder, "importing"), "id").ptr;
}

static void take_summary(struct tf_event *event, const struct node *changes)
{
    event->operation = node_text(changes, "operation").ptr;
    event->add = number_of(changes, "add");
    event->change = number_of(changes, "change");
    event->remove = number_of(changes, "remove");
    event->import = number_of(changes, "import");
}

static void take_diagnostic(struct tf_event *event, const struct node *diagnostic)
{
    event->is_error = strcmp(node_text(diagnostic, "severity").ptr, "error") == 0;
    event->summary = node_text(diagnostic, "summary").ptr;
    event->detail = node_text(diagnostic, "detail").ptr;
    event->address = node_text(diagnostic, "address").ptr;
}

static const struct {
    const char *type;
    enum tf_event_kind kind;
    const char *holder;
} types[] = {
    {"planned_change", TF_PLANNED, "change"},  {"resource_drift", TF_DRIFT, "change"},
    {"apply_start", TF_APPLY_START, "hook"},   {"apply_progress", TF_APPLY_PROGRESS, "hook"},
    {"apply_complete", TF_APPLY_DONE, "hook"}, {"apply_errored", TF_APPLY_FAILED, "hook"},
    {"change_summary", TF_SUMMARY, "changes"}, {"diagnostic", TF_DIAGNOSTIC, "diagnostic"},
};

static void take_record(struct tf_event *event, const struct node *root)
{
    const char *type = node_text(root, "type").ptr;
    event->message = node_text(root, "@message").ptr;
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (strcmp(types[i].type, type) != 0)
            continue;
        const struct node *holder = node_member(root, types[i].holder);
        event->kind = types[i].kind;
        if (event->kind == TF_SUMMARY)
            take_summary(event, holder);
        else if (event->kind == TF_DIAGNOSTIC)
            take_diagnostic(event, holder);
        else
            take_resource(event, holder);
    }
}

static void take_line(struct tf_stream *stream, tf_event_fn *fn, void *arg)
{
    struct tf_event event = {.kind = TF_TEXT,
                             .address = "",
                             .type = "",
                             .action = "",
                             .reason = "",
                             .id = "",
                             .import_id = "",
                             .operation = "",
                             .summary = "",
                             .detail = "",
                             .message = ""};
    struct str line = str_trim(buf_str(&stream->line));
    struct node *root = NULL;
    if (!line.len)
        return;
    if (line.ptr[0] == '{' && json_parse(stream->arena, line, &root, NULL) == 0 &&
        !arena_failed(stream->arena) && root->kind == NODE_MAPPING) {
        event.kind = TF_OTHER;
        take_record(&event, root);
    } else {
        const char *copy = arena_strdup(stream->arena, line);
        event.message = copy ? copy : "";
    }
    fn(arg, &event);
    arena_reset(stream->arena);
}

void tf_stream_feed(struct tf_stream *stream, struct str bytes, tf_event_fn *event, void *arg)
{
    while (bytes.len) {
        const char *end = memchr(bytes.ptr, '\n', bytes.len);
        size_t length = end ? (size_t)(end - bytes.ptr) : bytes.len;
        if (!stream->overlong && stream->line.len + length > TF_LINE_MAX) {
            stream->overlong = true;
            stream->dropped++;
        }
        if (!stream->overlong)
            buf_append(&stream->line, bytes.ptr, length);
        if (!end)
            return;
        if (!stream->overlong)
            take_line(stream, event, arg);
        stream->overlong = false;
        buf_reset(&stream->line);
        bytes.ptr += length + 1;
        bytes.len -= length + 1;
    }
}

void tf_stream_end(struct tf_stream *stream, tf_event_fn *event, void *arg)
{
    if (!stream->overlong)
        take_line(stream, event, arg);
    stream->overlong = false;
    buf_reset(&stream->line);
}
