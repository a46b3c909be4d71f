#include "provisioner/run/journal.h"

#include "lib/core/clock.h"
#include "lib/core/file.h"
#include "lib/core/json.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define JOURNAL_MAX_BYTES (64UL * 1024 * 1024)

struct run_journal {
    pthread_mutex_t lock; /* one line at a time */
    int fd;
    const char *path;
    struct arena *arena;
    struct run_entries before;
};

static const char *text_of(struct arena *arena, const struct node *line, const char *key)
{
    const struct node_pair *pair = node_find(line, key);
    return pair && pair->value->kind == NODE_SCALAR ? arena_strdup(arena, pair->value->scalar) : "";
}

static bool read_line(struct arena *arena, struct str line, struct run_entry *ret)
{
    struct node *root = NULL;
    if (json_parse(arena, line, &root, NULL) || root->kind != NODE_MAPPING)
        return false;
    *ret = (struct run_entry){
        .at = text_of(arena, root, "at"),
        .event = text_of(arena, root, "event"),
        .step = text_of(arena, root, "step"),
        .root = text_of(arena, root, "root"),
        .outcome = text_of(arena, root, "outcome"),
        .detail = text_of(arena, root, "detail"),
    };
    const struct node_pair *pid = node_find(root, "pid");
    if (pid && pid->value->kind == NODE_SCALAR && !str_to_i64(pid->value->scalar, &ret->pid))
        ret->pid = 0;
    return ret->event[0] != '\0';
}

static void keep(struct arena *arena, struct run_entries *entries, const struct run_entry *entry)
{
    if (entries->count == entries->capacity) {
        size_t capacity = entries->capacity ? entries->capacity * 2 : 64;
        struct run_entry *items = arena_alloc(arena, capacity * sizeof *items);
        if (entries->count)
            memcpy(items, entries->items, entries->count * sizeof *items);
        entries->items = items;
        entries->capacity = capacity;
    }
    entries->items[entries->count++] = *entry;
}

void run_journal_replay(struct arena *arena, struct str bytes, struct run_entries *ret_entries)
{
    *ret_entries = (struct run_entries){0};
    const char *at = bytes.ptr;
    size_t left = bytes.len;
    while (left) {
        const char *end = memchr(at, '\n', left);
        if (!end)
            return;
        struct run_entry entry;
        struct str line = str_trim((struct str){at, (size_t)(end - at)});
        if (line.len && read_line(arena, line, &entry))
            keep(arena, ret_entries, &entry);
        else if (line.len)
            ret_entries->bad_lines++;
        left -= (size_t)(end + 1 - at);
        at = end + 1;
        ret_entries->good_bytes = bytes.len - left;
    }
}

const struct run_entry *run_entries_last(const struct run_entries *entries, const char *step,
                                         const char *root)
{
    bool refused = false;
    for (size_t i = entries->count; i-- > 0;) {
        const struct run_entry *entry = &entries->items[i];
        bool begins = strcmp(entry->event, "begin") == 0;
        if ((!begins && strcmp(entry->event, "end") != 0) || strcmp(entry->root, root) != 0 ||
            (step && strcmp(entry->step, step) != 0))
            continue;
        if (!begins)
            refused = strcmp(entry->outcome, RUN_REFUSED) == 0;
        if (!refused)
            return entry;
        if (begins)
            refused = false;
    }
    return NULL;
}

const struct run_entry *run_entries_child(const struct run_entries *entries, const char *step,
                                          const char *root)
{
    bool refused = false;
    for (size_t i = entries->count; i-- > 0;) {
        const struct run_entry *entry = &entries->items[i];
        if (strcmp(entry->root, root) != 0 || strcmp(entry->step, step) != 0)
            continue;
        if (strcmp(entry->event, "end") == 0) {
            refused = strcmp(entry->outcome, RUN_REFUSED) == 0;
            if (!refused)
                return NULL;
        }
        if (!refused && strcmp(entry->event, "child") == 0)
            return entry;
        if (strcmp(entry->event, "begin") == 0)
            refused = false;
    }
    return NULL;
}

static int load(struct run_journal *journal, struct error *err)
{
    struct buf bytes = BUF_INIT(JOURNAL_MAX_BYTES);
    int code = file_read(journal->path, &bytes, err);
    if (code == 0) {
        run_journal_replay(journal->arena, buf_str(&bytes), &journal->before);
        if (journal->fd >= 0 && journal->before.good_bytes < bytes.len &&
            ftruncate(journal->fd, (off_t)journal->before.good_bytes) < 0)
            code = error_set_errno(err, errno, "cannot cut the torn last line of %s", journal->path);
    }
    buf_deinit(&bytes);
    return code;
}

int run_journal_open(const char *path, bool reading, struct run_journal **ret_journal, struct error *err)
{
    struct run_journal *journal = xcalloc(1, sizeof *journal);
    journal->arena = arena_new(0);
    journal->path = arena_strdup(journal->arena, str_from(path));
    (void)pthread_mutex_init(&journal->lock, NULL);
    journal->fd = reading ? -1 : open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (reading && access(path, F_OK) != 0) {
        *ret_journal = journal;
        return 0;
    }
    int code = journal->fd < 0 && !reading ? error_set_errno(err, errno, "cannot open %s", path)
                                           : load(journal, err);
    if (code) {
        run_journal_close(journal);
        return code;
    }
    *ret_journal = journal;
    return 0;
}

void run_journal_close(struct run_journal *journal)
{
    if (journal->fd >= 0)
        (void)close(journal->fd);
    (void)pthread_mutex_destroy(&journal->lock);
    arena_free(journal->arena);
    free(journal);
}

const struct run_entries *run_journal_before(const struct run_journal *journal)
{
    return &journal->before;
}

/* What a full disk left of a line goes: the next one would be written behind it, and both be lost. */
static int put(struct run_journal *journal, struct str line, struct error *err)
{
    int code = 0;
    if (journal->fd < 0)
        return 0;
    (void)pthread_mutex_lock(&journal->lock);
    off_t before = lseek(journal->fd, 0, SEEK_END);
    ssize_t written = write(journal->fd, line.ptr, line.len);
    bool whole = written == (ssize_t)line.len;
    if (!whole || fdatasync(journal->fd) < 0) {
        int number = whole || written < 0 ? errno : ENOSPC;
        bool cut = whole || written <= 0 || before < 0 || ftruncate(journal->fd, before) == 0;
        code = error_set_errno(
            err, number, cut ? "cannot write %s" : "cannot write %s, nor cut off half a line", journal->path);
    }
    (void)pthread_mutex_unlock(&journal->lock);
    return code;
}

static int append(struct run_journal *journal, const struct run_entry *entry, struct error *err)
{
    struct buf line = BUF_INIT(64UL * 1024);
    struct json_writer json;
    char at[CLOCK_RFC3339_SIZE];
    json_init(&json, &line);
    json_object_begin(&json);
    json_kv_text(&json, "at", clock_format_rfc3339(clock_wall_ns(), at));
    json_kv_text(&json, "event", entry->event);
    json_kv_text(&json, "step", entry->step);
    json_kv_text(&json, "root", entry->root);
    if (entry->pid)
        json_kv_i64(&json, "pid", entry->pid);
    if (entry->outcome)
        json_kv_text(&json, "outcome", entry->outcome);
    if (entry->detail)
        json_kv_text(&json, "detail", entry->detail);
    json_object_end(&json);
    buf_append_byte(&line, '\n');
    int code = put(journal, buf_str(&line), err);
    buf_deinit(&line);
    return code;
}

int run_journal_begin(struct run_journal *journal, const char *step, const char *root, struct error *err)
{
    return append(journal, &(struct run_entry){.event = "begin", .step = step, .root = root}, err);
}

void run_journal_child(struct run_journal *journal, const char *step, const char *root, int64_t pid)
{
    (void)append(journal, &(struct run_entry){.event = "child", .step = step, .root = root, .pid = pid},
                 NULL);
}

int run_journal_end(struct run_journal *journal, const char *step, const char *root, const char *outcome,
                    const char *detail, struct error *err)
{
    struct run_entry entry = {
        .event = "end", .step = step, .root = root, .outcome = outcome, .detail = detail ? detail : ""};
    return append(journal, &entry, err);
}
