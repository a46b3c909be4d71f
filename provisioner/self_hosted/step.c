#include "provisioner/self_hosted/step.h"

#include "lib/core/crypto.h"

#include <stdio.h>

#define HASHED_MAX (64UL * 1024 * 1024)

struct host_step *step_add(struct step_list *list, enum step_stage stage, const char *id, const char *title)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 32;
        struct host_step *items = arena_alloc(list->arena, capacity * sizeof *items);
        if (list->count)
            memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->capacity = capacity;
    }
    struct host_step *step = &list->items[list->count++];
    *step = (struct host_step){.id = arena_strdup(list->arena, str_from(id)),
                               .title = arena_strdup(list->arena, str_from(title)),
                               .stage = stage};
    return step;
}

void step_put(struct step_list *list, struct host_step *step, const char *path, struct str content,
              unsigned mode, const char *owner, bool secret)
{
    if (step->file_count == step->file_capacity) {
        size_t capacity = step->file_capacity ? step->file_capacity * 2 : 4;
        struct step_file *files = arena_alloc(list->arena, capacity * sizeof *files);
        if (step->file_count)
            memcpy(files, step->files, step->file_count * sizeof *files);
        step->files = files;
        step->file_capacity = capacity;
    }
    struct str copy = {arena_strdup(list->arena, content), content.len};
    step->files[step->file_count++] = (struct step_file){.path = arena_strdup(list->arena, str_from(path)),
                                                         .content = copy,
                                                         .mode = mode,
                                                         .owner = arena_strdup(list->arena, str_from(owner)),
                                                         .secret = secret};
}

const char *step_quote(struct arena *arena, const char *text)
{
    size_t quotes = 0, length = strlen(text);
    for (size_t i = 0; i < length; i++)
        quotes += text[i] == '\'';
    char *quoted = arena_alloc(arena, length + 3 * quotes + 3), *at = quoted;
    *at++ = '\'';
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\'') {
            memcpy(at, "'\\''", 4);
            at += 4;
        } else {
            *at++ = text[i];
        }
    }
    *at++ = '\'';
    *at = '\0';
    return quoted;
}

/* With its length before it, so that no two lists of texts look alike. */
static void hashed(struct buf *all, const char *text)
{
    buf_printf(all, "%zu:%s;", text ? strlen(text) : 0, text ? text : "");
}

void step_hash(const struct host_step *step, char text[STEP_HASH_SIZE])
{
    unsigned char digest[CRYPTO_SHA256_BYTES];
    struct buf all = BUF_INIT(HASHED_MAX);
    hashed(&all, step->id);
    hashed(&all, step->apply);
    hashed(&all, step->undo);
    for (size_t i = 0; i < step->file_count; i++) {
        const struct step_file *file = &step->files[i];
        hashed(&all, file->path);
        hashed(&all, file->owner);
        crypto_sha256(file->content, digest);
        buf_printf(&all, "%o:", file->mode);
        buf_append(&all, digest, sizeof digest);
    }
    crypto_sha256(buf_str(&all), digest);
    buf_deinit(&all);
    for (size_t i = 0; i < sizeof digest; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", digest[i]);
}
