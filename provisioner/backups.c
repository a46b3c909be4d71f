#include "provisioner/backups.h"

#include "lib/core/clock.h"
#include "lib/core/hash.h"
#include "provisioner/render/render.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define FIRST_PAUSE_NS   NS_PER_S
#define LONGEST_PAUSE_NS (15 * NS_PER_S)

/* --- the list ------------------------------------------------------------------------------------------- */

static const char *plain(const char *text, struct arena *arena)
{
    size_t length = text ? strlen(text) : 0;
    char *copy = arena_strdup(arena, (struct str){text, length < BACKUP_TEXT_MAX ? length : BACKUP_TEXT_MAX});
    for (char *c = copy; *c; c++) {
        if (*c < 0x20 || *c > 0x7E)
            *c = '?';
    }
    return copy;
}

bool backup_list_add(struct backup_list *list, const struct backup *backup, struct arena *arena)
{
    if (list->count == BACKUPS_MAX)
        return false;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 16;
        struct backup *items = arena_alloc(arena, capacity * sizeof *items);
        if (list->count)
            memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->capacity = capacity;
    }
    struct backup *copy = &list->items[list->count++];
    *copy = *backup;
    copy->id = plain(backup->id, arena);
    copy->name = plain(backup->name, arena);
    copy->kind = plain(backup->kind, arena);
    copy->said = plain(backup->said, arena);
    return true;
}

static int newest_first(const void *a, const void *b)
{
    const struct backup *left = a, *right = b;
    bool left_open = !left->at_wall_ns, right_open = !right->at_wall_ns;
    if (left_open != right_open)
        return left_open ? -1 : 1;
    if (left->at_wall_ns != right->at_wall_ns)
        return left->at_wall_ns > right->at_wall_ns ? -1 : 1;
    return strcmp(left->id, right->id);
}

void backup_list_sort(struct backup_list *list)
{
    if (list->count)
        qsort(list->items, list->count, sizeof *list->items, newest_first);
}

const struct backup *backup_find(const struct backup_list *list, const char *id)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i].id, id) == 0)
            return &list->items[i];
    }
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].name[0] && strcmp(list->items[i].name, id) == 0)
            return &list->items[i];
    }
    return NULL;
}

int backup_window_check(const struct backup_list *list, int64_t at_wall_ns, struct error *err)
{
    char earliest[CLOCK_RFC3339_SIZE], latest[CLOCK_RFC3339_SIZE];
    if (!list->latest_wall_ns) {
        int code =
            error_set(err, ERR_CONFIG, "%s cannot be restored to a moment: its cloud names no latest one",
                      list->database);
        error_set_hint(err, "A backup can be restored by --backup ID where `deploy backups` lists one");
        return code;
    }
    if (at_wall_ns <= list->latest_wall_ns && at_wall_ns >= list->earliest_wall_ns)
        return 0;
    clock_format_rfc3339(list->latest_wall_ns, latest);
    if (!list->earliest_wall_ns)
        return error_set(err, ERR_CONFIG, "%s can be restored to moments up to %s", list->database, latest);
    return error_set(err, ERR_CONFIG, "%s can be restored to moments from %s to %s", list->database,
                     clock_format_rfc3339(list->earliest_wall_ns, earliest), latest);
}

/* --- names ---------------------------------------------------------------------------------------------- */

static const char *stamp(int64_t wall_ns, char text[32])
{
    const time_t seconds = wall_ns / NS_PER_S;
    struct tm utc = {0};
    (void)gmtime_r(&seconds, &utc);
    (void)strftime(text, 32, "%Y%m%d-%H%M%S", &utc);
    return text;
}

const char *backup_name(const struct deployment *deployment, const struct region *region, int64_t wall_ns,
                        struct arena *arena)
{
    char name[RENDER_NAME_MAX + 1], text[32];
    return arena_printf(arena, "%s-%s", render_name(deployment, region, name), stamp(wall_ns, text));
}

const char *backup_restore_name(const struct deployment *deployment, const struct region *region,
                                const struct backup *backup, int64_t at_wall_ns, struct arena *arena)
{
    char name[RENDER_NAME_MAX + 1], text[32];
    render_name(deployment, region, name);
    if (!backup)
        return arena_printf(arena, "%s-at-%s", name, stamp(at_wall_ns, text));
    return arena_printf(arena, "%s-of-%s-%06x", name, stamp(at_wall_ns, text),
                        (unsigned)(hash_stable(str_from(backup->id)) & 0xFFFFFF));
}

bool backup_name_is_good(const char *name)
{
    size_t length = strlen(name);
    if (length < 3 || length > BACKUP_NAME_MAX || !islower((unsigned char)name[0]) || name[length - 1] == '-')
        return false;
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0' && !strstr(name, "--");
}

/* --- waiting -------------------------------------------------------------------------------------------- */

int backup_pause(unsigned looks, int64_t deadline_mono_ns, const char *what, struct error *err)
{
    int64_t pause = looks < 4 ? FIRST_PAUSE_NS << looks : LONGEST_PAUSE_NS;
    if (clock_mono_ns() + pause >= deadline_mono_ns) {
        int code =
            error_set(err, ERR_TIMEOUT, "%s is still under way, and is not waited for any longer", what);
        error_set_hint(err, "The cloud goes on with it: the same command finds it and waits again");
        return code;
    }
    clock_sleep_ns(pause);
    return 0;
}

void backup_say(struct string_list *list, struct arena *arena, const char *format, ...)
{
    if (!list->items)
        list->items = arena_zalloc(arena, BACKUP_SENTENCES_MAX * sizeof *list->items);
    if (list->count == BACKUP_SENTENCES_MAX)
        return;
    char text[2048];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    list->items[list->count++] = arena_strdup(arena, str_from(text));
}
