#include "sla/label_set.h"

#include "lib/core/arena.h"

#include <stdlib.h>

void label_set_init(struct label_set *set, struct str text)
{
    size_t cursor = 0, used = 0;
    struct str name, raw;
    *set = (struct label_set){.text = xstrndup(text)};
    while (label_text_next(text, &cursor, &name, &raw))
        set->count++;
    set->pairs = xcalloc(set->count + 1, sizeof *set->pairs);
    set->storage = xmalloc(text.len + 2 * set->count + 1);
    struct buf value = BUF_INIT(LIMIT_LABEL_TEXT_BYTES);
    cursor = 0;
    for (size_t i = 0; label_text_next(text, &cursor, &name, &raw); i++) {
        buf_reset(&value);
        label_unescape(raw, &value);
        set->pairs[i].name = set->storage + used;
        memcpy(set->storage + used, name.ptr, name.len);
        used += name.len;
        set->storage[used++] = '\0';
        set->pairs[i].value = set->storage + used;
        if (value.len)
            memcpy(set->storage + used, value.data, value.len);
        used += value.len;
        set->storage[used++] = '\0';
    }
    buf_deinit(&value);
}

void label_set_deinit(struct label_set *set)
{
    free(set->text);
    free(set->pairs);
    free(set->storage);
    *set = (struct label_set){0};
}

static bool named(const struct string_list *by, struct str name)
{
    for (size_t i = 0; by && i < by->count; i++) {
        if (str_equal_text(name, by->items[i]))
            return true;
    }
    return !by;
}

bool label_set_pick(const struct string_list *by, const struct label *labels, size_t count, struct buf *out)
{
    struct label picked[LIMIT_LABELS_PER_SERIES];
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (!named(by, labels[i].name))
            continue;
        if (used == LIMIT_LABELS_PER_SERIES)
            return false;
        picked[used++] = labels[i];
    }
    return labels_render(picked, &used, out) == 0;
}

bool label_set_pick_text(const struct string_list *by, struct str text, struct buf *out)
{
    size_t cursor = 0, start = out->len;
    struct str name, raw;
    if (!by) {
        buf_append_str(out, text);
        return !out->failed;
    }
    while (label_text_next(text, &cursor, &name, &raw)) {
        if (!named(by, name))
            continue;
        if (out->len > start)
            buf_append_byte(out, ',');
        buf_append_str(out, name);
        buf_append_text(out, "=\"");
        buf_append_str(out, raw);
        buf_append_byte(out, '"');
    }
    return !out->failed;
}
