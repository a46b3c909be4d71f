#include "lib/core/diag.h"

#include "lib/core/arena.h"
#include "lib/core/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FIRST_CAPACITY 8U

void diag_init(struct diag *diag)
{
    *diag = (struct diag){0};
}

void diag_deinit(struct diag *diag)
{
    free(diag->items);
    *diag = (struct diag){0};
}

/* Capacity is FIRST_CAPACITY times a power of two and always above count: past DIAG_MAX the slot after the
 * last is handed out again and again, so that callers may still add hints. */
static struct diag_item *next_item(struct diag *diag, enum diag_severity severity)
{
    if (severity == DIAG_ERROR)
        diag->errors++;
    else
        diag->warnings++;
    if (diag->count >= DIAG_MAX) {
        diag->dropped++;
        return &diag->items[DIAG_MAX];
    }
    size_t count = diag->count;
    if (!count)
        diag->items = xrealloc(diag->items, FIRST_CAPACITY * sizeof *diag->items);
    else if (count + 1 >= FIRST_CAPACITY && ((count + 1) & count) == 0)
        diag->items = xrealloc(diag->items, (count + 1) * 2 * sizeof *diag->items);
    diag->count++;
    return &diag->items[count];
}

struct error *diag_add(struct diag *diag, enum diag_severity severity, const char *file, unsigned line,
                       unsigned column, const char *format, ...)
{
    struct diag_item *item = next_item(diag, severity);
    item->severity = severity;
    error_clear(&item->error);
    item->error.code = ERR_CONFIG;
    error_set_position(&item->error, file, line, column);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(item->error.message, sizeof item->error.message, format, args);
    va_end(args);
    return &item->error;
}

void diag_add_error(struct diag *diag, enum diag_severity severity, const struct error *err)
{
    struct diag_item *item = next_item(diag, severity);
    item->severity = severity;
    item->error = *err;
}

struct rank {
    size_t file, index; /* file: index of the first item of the same file */
    unsigned line, column;
};

static int compare_ranks(const void *left, const void *right)
{
    const struct rank *a = left, *b = right;
    if (a->file != b->file)
        return a->file < b->file ? -1 : 1;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    if (a->column != b->column)
        return a->column < b->column ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

void diag_sort(struct diag *diag)
{
    if (diag->count < 2)
        return;
    struct rank ranks[DIAG_MAX];
    for (size_t i = 0; i < diag->count; i++) {
        const struct error *error = &diag->items[i].error;
        ranks[i] = (struct rank){.file = i, .index = i, .line = error->line, .column = error->column};
        for (size_t j = 0; j < i; j++) {
            if (strcmp(diag->items[j].error.file, error->file) == 0) {
                ranks[i].file = ranks[j].file;
                break;
            }
        }
    }
    qsort(ranks, diag->count, sizeof ranks[0], compare_ranks);
    struct diag_item *sorted = xmalloc((DIAG_MAX + 1) * sizeof *sorted);
    for (size_t i = 0; i < diag->count; i++)
        sorted[i] = diag->items[ranks[i].index];
    memcpy(diag->items, sorted, diag->count * sizeof *sorted);
    free(sorted);
}

static void write_line(int fd, char *text)
{
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] < ' ') /* outside text must not forge lines or terminal sequences */
            text[i] = ' ';
    }
    text[length++] = '\n';
    for (size_t done = 0; done < length;) {
        ssize_t wrote = write(fd, text + done, length - done);
        if (wrote <= 0)
            return;
        done += (size_t)wrote;
    }
}

void diag_print(const struct diag *diag, int fd)
{
    char line[ERROR_MESSAGE_MAX + 4 * ERROR_TEXT_MAX];
    for (size_t i = 0; i < diag->count; i++) {
        struct error error = diag->items[i].error;
        int used = 0;
        if (error.file[0] && error.line)
            used = snprintf(line, sizeof line, "%s:%u:%u: ", error.file, error.line, error.column);
        else if (error.file[0])
            used = snprintf(line, sizeof line, "%s: ", error.file);
        used += snprintf(line + used, sizeof line - (size_t)used,
                         "%s: ", diag->items[i].severity == DIAG_ERROR ? "error" : "warning");
        error_set_position(&error, NULL, 0, 0);
        error_format(&error, line + used, sizeof line - (size_t)used - 1);
        write_line(fd, line);
    }
    if (diag->dropped) {
        (void)snprintf(line, sizeof line, "%zu more messages are not shown", diag->dropped);
        write_line(fd, line);
    }
}
