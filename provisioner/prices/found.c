#include "provisioner/prices/found.h"

#include "lib/core/clock.h"
#include "lib/core/file.h"
#include "provisioner/catalog/csv.h"
#include "provisioner/prices/money.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define KEY_BYTES   256
#define LIST_FIELDS 6
#define FOLDER_MODE 0755
#define FILE_MODE   0644

struct found_price {
    const char *location, *item;
    struct price price;
    bool conflicting, dearest;
};

void found_init(struct found *found, int64_t wall_ns)
{
    char text[CLOCK_RFC3339_SIZE];
    *found = (struct found){.arena = arena_new(0)};
    map_init(&found->prices);
    (void)clock_format_rfc3339(wall_ns, text);
    memcpy(found->date, text, sizeof found->date - 1);
}

void found_deinit(struct found *found)
{
    map_deinit(&found->prices);
    arena_free(found->arena);
}

void found_reset(struct found *found)
{
    map_deinit(&found->prices);
    map_init(&found->prices);
    arena_reset(found->arena);
    found->conflicts = 0;
}

static struct str key_text(char text[KEY_BYTES], struct found_key key)
{
    int length = snprintf(text, KEY_BYTES, "%s\n%s", key.location, key.item);
    return (struct str){text, length < KEY_BYTES ? (size_t)length : KEY_BYTES - 1};
}

static void put_new(struct found *found, struct str key, const struct found_price *price)
{
    struct found_price *own = arena_alloc(found->arena, sizeof *own);
    *own = *price;
    own->location = arena_strdup(found->arena, str_from(price->location));
    own->item = arena_strdup(found->arena, str_from(price->item));
    own->price.unit = arena_strdup(found->arena, str_from(price->price.unit));
    own->price.source = arena_strdup(found->arena, str_from(price->price.source));
    own->price.date = found->date;
    found->conflicts += own->conflicting;
    (void)map_put(&found->prices, (struct str){arena_strdup(found->arena, key), key.len}, own);
}

static void put(struct found *found, const struct found_price *price)
{
    char text[KEY_BYTES];
    struct str key = key_text(text, (struct found_key){price->location, price->item});
    struct found_price *old = map_get(&found->prices, key);
    if (price->price.nano_usd <= 0)
        return;
    if (!old) {
        put_new(found, key, price);
    } else if (price->dearest) {
        if (price->price.nano_usd > old->price.nano_usd) {
            old->price.nano_usd = price->price.nano_usd;
            old->price.source = arena_strdup(found->arena, str_from(price->price.source));
        }
    } else if (!old->conflicting && (price->conflicting || price->price.nano_usd != old->price.nano_usd)) {
        old->conflicting = true;
        found->conflicts++;
    }
}

void found_put(struct found *found, struct found_key key, int64_t nano_usd, const char *unit,
               const char *source)
{
    put(found, &(struct found_price){key.location, key.item, {nano_usd, unit, source, NULL}, false, false});
}

void found_put_dearest(struct found *found, struct found_key key, int64_t nano_usd, const char *unit,
                       const char *source)
{
    put(found, &(struct found_price){key.location, key.item, {nano_usd, unit, source, NULL}, false, true});
}

void found_take(struct found *found, const struct found *from)
{
    MAP_EACH (entry, &from->prices) {
        put(found, entry->value);
    }
}

size_t found_count(const struct found *found)
{
    return found->prices.count - found->conflicts;
}

bool found_has(const struct found *found, struct found_key key)
{
    char text[KEY_BYTES];
    const struct found_price *price = map_get(&found->prices, key_text(text, key));
    return price && !price->conflicting;
}

/* --- the list --- */

struct lines {
    struct arena *arena;
    const struct found *found;
    const struct found_price **items;
    size_t count, capacity;
    unsigned malformed; /* row of the old list, 0: none */
    unsigned row;
};

static void add_line(struct lines *lines, const struct found_price *price)
{
    if (lines->count == lines->capacity) {
        lines->capacity = lines->capacity ? 2 * lines->capacity : 256;
        lines->items = xrealloc(lines->items, lines->capacity * sizeof *lines->items);
    }
    lines->items[lines->count++] = price;
}

static void keep_row(void *ctx, const struct str *fields, size_t count)
{
    struct lines *lines = ctx;
    char text[KEY_BYTES];
    int64_t nano_usd = 0;
    lines->row++;
    if (count != LIST_FIELDS || !money_parse(fields[2], &nano_usd)) {
        lines->malformed = lines->malformed ? lines->malformed : lines->row;
        return;
    }
    struct found_price *price = arena_zalloc(lines->arena, sizeof *price);
    price->location = arena_strdup(lines->arena, fields[0]);
    price->item = arena_strdup(lines->arena, fields[1]);
    price->price =
        (struct price){nano_usd, arena_strdup(lines->arena, fields[3]), arena_strdup(lines->arena, fields[4]),
                       arena_strdup(lines->arena, fields[5])};
    const struct found_price *again =
        map_get(&lines->found->prices, key_text(text, (struct found_key){price->location, price->item}));
    if (!again || again->conflicting)
        add_line(lines, price);
}

static int keep_old(struct lines *lines, const char *path, struct error *err)
{
    struct buf old = BUF_INIT(PRICE_LIST_MAX_BYTES);
    int code = file_read(path, &old, err);
    if (code == -ENOENT)
        code = 0;
    else if (!code)
        csv_each(buf_str(&old), keep_row, lines);
    buf_deinit(&old);
    if (!code && lines->malformed)
        code = error_set(err, ERR_PARSE, "%s: price %u is malformed", path, lines->malformed);
    return code;
}

static int by_place(const void *a, const void *b)
{
    const struct found_price *const *left = a, *const *right = b;
    int order = strcmp((*left)->location, (*right)->location);
    return order ? order : strcmp((*left)->item, (*right)->item);
}

static int write_list(const struct lines *lines, const char *path, struct error *err)
{
    struct buf list = BUF_INIT(PRICE_LIST_MAX_BYTES);
    price_list_write_header(&list);
    for (size_t i = 0; i < lines->count; i++)
        price_list_write(&list, lines->items[i]->location, lines->items[i]->item, &lines->items[i]->price);
    const char *slash = strrchr(path, '/');
    char *folder = xstrndup((struct str){path, slash ? (size_t)(slash - path) : 0});
    int code = list.failed ? error_set(err, ERR_LIMIT, "the list is larger than %lu MiB",
                                       PRICE_LIST_MAX_BYTES / (1024 * 1024))
                           : 0;
    if (!code && *folder)
        code = file_make_folder(folder, FOLDER_MODE, err);
    if (!code)
        code = file_replace(path, buf_str(&list), FILE_MODE, err);
    free(folder);
    buf_deinit(&list);
    return code;
}

int found_save(const struct found *found, const char *path, bool keep, struct error *err)
{
    struct lines lines = {.arena = arena_new(0), .found = found};
    int code = keep ? keep_old(&lines, path, err) : 0;
    MAP_EACH (entry, &found->prices) {
        const struct found_price *price = entry->value;
        if (!price->conflicting)
            add_line(&lines, price);
    }
    if (lines.count)
        qsort(lines.items, lines.count, sizeof *lines.items, by_place);
    if (!code)
        code = write_list(&lines, path, err);
    free(lines.items);
    arena_free(lines.arena);
    return code;
}
