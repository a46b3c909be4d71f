#include "provisioner/self_hosted/ledger.h"

#include "lib/core/clock.h"
#include "lib/core/json.h"

/* --- reading
 * ------------------------------------------------------------------------------------------------- */

static struct ledger_entry *find(const struct ledger *ledger, const char *id)
{
    for (size_t i = 0; i < ledger->count; i++) {
        if (strcmp(ledger->items[i].id, id) == 0)
            return &ledger->items[i];
    }
    return NULL;
}

const struct ledger_entry *ledger_find(const struct ledger *ledger, const char *id)
{
    return find(ledger, id);
}

static const char *text_of(struct arena *arena, const struct node *line, const char *key)
{
    return arena_strdup(arena, node_text(line, key));
}

static bool flag_of(const struct node *line, const char *key)
{
    return str_equal_text(node_text(line, key), "true");
}

static void read_files(struct arena *arena, const struct node *line, struct string_list *ret)
{
    const struct node *files = node_member(line, "files");
    *ret = (struct string_list){0};
    if (!files || files->kind != NODE_SEQUENCE)
        return;
    ret->items = arena_zalloc(arena, (files->count + 1) * sizeof *ret->items);
    for (size_t i = 0; i < files->count; i++) {
        if (files->items[i]->kind == NODE_SCALAR)
            ret->items[ret->count++] = arena_strdup(arena, files->items[i]->scalar);
    }
}

static struct ledger_entry *append(struct ledger *ledger, const char *id)
{
    if (ledger->count == ledger->capacity) {
        size_t capacity = ledger->capacity ? ledger->capacity * 2 : 32;
        struct ledger_entry *items = arena_alloc(ledger->arena, capacity * sizeof *items);
        if (ledger->count)
            memcpy(items, ledger->items, ledger->count * sizeof *items);
        ledger->items = items;
        ledger->capacity = capacity;
    }
    struct ledger_entry *entry = &ledger->items[ledger->count++];
    *entry = (struct ledger_entry){.id = id};
    return entry;
}

static void begin(struct ledger *ledger, const struct node *line, const char *id)
{
    struct arena *arena = ledger->arena;
    struct ledger_entry *entry = find(ledger, id);
    if (!entry)
        entry = append(ledger, id);
    entry->title = text_of(arena, line, "title");
    entry->hash = "";
    entry->undo = text_of(arena, line, "undo");
    entry->netns = text_of(arena, line, "netns");
    entry->data = flag_of(line, "data");
    entry->with_data = flag_of(line, "with_data");
    entry->begun = true;
    if (!str_to_i64(node_text(line, "stage"), &entry->stage))
        entry->stage = 0;
    read_files(arena, line, &entry->files);
}

static void take_line(struct ledger *ledger, const struct node *line)
{
    struct str event = node_text(line, "event");
    const char *id = text_of(ledger->arena, line, "id");
    if (str_equal_text(event, "owner")) {
        ledger->deployment = text_of(ledger->arena, line, "deployment");
        return;
    }
    if (!*id)
        return;
    struct ledger_entry *entry = find(ledger, id);
    if (str_equal_text(event, "begin")) {
        begin(ledger, line, id);
    } else if (entry && str_equal_text(event, "done")) {
        entry->begun = false;
        entry->hash = text_of(ledger->arena, line, "hash");
        read_files(ledger->arena, line, &entry->files);
    } else if (entry && str_equal_text(event, "undone")) {
        size_t at = (size_t)(entry - ledger->items);
        memmove(entry, entry + 1, (ledger->count - at - 1) * sizeof *entry);
        ledger->count--;
    }
}

void ledger_read(struct arena *arena, struct str bytes, struct ledger *ret)
{
    *ret = (struct ledger){.arena = arena};
    while (bytes.len) {
        const char *end = memchr(bytes.ptr, '\n', bytes.len);
        struct str line = {bytes.ptr, end ? (size_t)(end - bytes.ptr) : bytes.len};
        size_t used = line.len + (end != NULL);
        struct node *node = NULL;
        /* A line without its end was not written whole. */
        if (end && line.len && json_parse(arena, line, &node, NULL) == 0 && node->kind == NODE_MAPPING)
            take_line(ret, node);
        bytes.ptr += used;
        bytes.len -= used;
    }
}

/* --- writing
 * ------------------------------------------------------------------------------------------------- */

static void open_line(struct json_writer *json, struct buf *out, const char *event)
{
    char at[CLOCK_RFC3339_SIZE];
    json_init(json, out);
    json_object_begin(json);
    json_kv_text(json, "at", clock_format_rfc3339(clock_wall_ns(), at));
    json_kv_text(json, "event", event);
}

static void close_line(struct json_writer *json, struct buf *out)
{
    json_object_end(json);
    buf_append_byte(out, '\n');
}

void ledger_put_owner(struct buf *out, const char *deployment)
{
    struct json_writer json;
    open_line(&json, out, "owner");
    json_kv_text(&json, "deployment", deployment);
    close_line(&json, out);
}

/* All that undoing takes. */
struct line {
    const char *id, *title, *netns, *undo;
    int64_t stage;
    bool data, with_data;
};

static void put_begin(struct json_writer *json, const struct line *line)
{
    json_kv_text(json, "id", line->id);
    json_kv_text(json, "title", line->title);
    json_kv_i64(json, "stage", line->stage);
    json_kv_bool(json, "data", line->data);
    json_kv_bool(json, "with_data", line->with_data);
    json_kv_text(json, "netns", line->netns ? line->netns : "");
    json_kv_text(json, "undo", line->undo ? line->undo : "");
}

static bool puts_file(const struct host_step *step, const char *path)
{
    for (size_t i = 0; i < step->file_count; i++) {
        if (strcmp(step->files[i].path, path) == 0)
            return true;
    }
    return false;
}

static void put_files(struct json_writer *json, const struct host_step *step,
                      const struct ledger_entry *before)
{
    json_key(json, "files");
    json_array_begin(json);
    for (size_t i = 0; i < step->file_count; i++)
        json_text(json, step->files[i].path);
    for (size_t i = 0; before && i < before->files.count; i++) {
        if (!puts_file(step, before->files.items[i]))
            json_text(json, before->files.items[i]);
    }
    json_array_end(json);
}

void ledger_put_begin(struct buf *out, const struct host_step *step, const struct ledger_entry *before,
                      const char *netns)
{
    struct json_writer json;
    open_line(&json, out, "begin");
    put_begin(&json, &(struct line){.id = step->id,
                                    .title = step->title,
                                    .netns = netns,
                                    .undo = step->undo,
                                    .stage = (int64_t)step->stage,
                                    .data = step->data,
                                    .with_data = step->with_data});
    put_files(&json, step, before);
    close_line(&json, out);
}

void ledger_put_done(struct buf *out, const struct host_step *step)
{
    struct json_writer json;
    char hash[STEP_HASH_SIZE];
    step_hash(step, hash);
    open_line(&json, out, "done");
    json_kv_text(&json, "id", step->id);
    json_kv_text(&json, "hash", hash);
    put_files(&json, step, NULL);
    close_line(&json, out);
}

void ledger_put_undone(struct buf *out, const char *id)
{
    struct json_writer json;
    open_line(&json, out, "undone");
    json_kv_text(&json, "id", id);
    close_line(&json, out);
}

static void put_list(struct json_writer *json, const struct string_list *files)
{
    json_key(json, "files");
    json_array_begin(json);
    for (size_t i = 0; i < files->count; i++)
        json_text(json, files->items[i]);
    json_array_end(json);
}

static void put_entry(struct buf *out, const struct ledger_entry *entry)
{
    struct json_writer json;
    open_line(&json, out, "begin");
    put_begin(&json, &(struct line){.id = entry->id,
                                    .title = entry->title,
                                    .netns = entry->netns,
                                    .undo = entry->undo,
                                    .stage = entry->stage,
                                    .data = entry->data,
                                    .with_data = entry->with_data});
    put_list(&json, &entry->files);
    close_line(&json, out);
    if (entry->begun)
        return;
    open_line(&json, out, "done");
    json_kv_text(&json, "id", entry->id);
    json_kv_text(&json, "hash", entry->hash);
    put_list(&json, &entry->files);
    close_line(&json, out);
}

void ledger_put_all(struct buf *out, const struct ledger *ledger)
{
    if (ledger->deployment)
        ledger_put_owner(out, ledger->deployment);
    for (size_t i = 0; i < ledger->count; i++)
        put_entry(out, &ledger->items[i]);
}
