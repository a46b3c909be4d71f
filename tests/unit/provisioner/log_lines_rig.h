/* A gatherer of three lines and what it has kept. */
#ifndef FRAISEQL_TESTS_LOG_LINES_RIG_H
#define FRAISEQL_TESTS_LOG_LINES_RIG_H

#include "provisioner/log_lines.h"
#include "tests/support/support.h"

static struct arena *arena;
static struct log_lines lines;
static struct string_list list;
static struct error err;

static void begin(void)
{
    arena = arena_new(0);
    err = (struct error){0};
    log_lines_init(&lines, 3);
}

static void end(void)
{
    log_lines_deinit(&lines);
    arena_free(arena);
}

/* What is kept, a line each, joined by "|". */
static UNUSED const char *kept(void)
{
    char *text = arena_strdup(arena, STR(""));
    log_lines_give(&lines, arena, &list);
    for (size_t i = 0; i < list.count; i++)
        text = arena_printf(arena, "%s%s%s", text, i ? "|" : "", list.items[i]);
    return text;
}

#endif
