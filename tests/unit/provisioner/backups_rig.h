/* An arena and a list of backups, for what reads the answers of a cloud. */
#ifndef FRAISEQL_TESTS_BACKUPS_RIG_H
#define FRAISEQL_TESTS_BACKUPS_RIG_H

#include "lib/core/json.h"
#include "provisioner/backups.h"
#include "tests/support/support.h"

static struct arena *arena;
static struct backup_list list;
static struct error err;
static const char *next;

static void begin(void)
{
    arena = arena_new(0);
    list = (struct backup_list){.database = "db"};
    err = (struct error){0};
    next = NULL;
}

static void end(void)
{
    arena_free(arena);
}

static UNUSED const struct node *json_of(const char *text)
{
    struct node *root = NULL;
    ck_assert_msg(json_parse(arena, str_from(text), &root, &err) == 0, "%s", err.message);
    return root;
}

#endif
