/* Rows of tests/data/permissions/: what Terraform's providers call to make, read, change and remove each type
 * of the modules, and what that needs; and the types that the modules hold. */
#ifndef FRAISEQL_TESTS_PERMISSION_CALLS_H
#define FRAISEQL_TESTS_PERMISSION_CALLS_H

#include "provisioner/embedded.h"
#include "tests/support/support.h"

#include <stdio.h>

#define CALLS_MAX 400

struct permission_call {
    char type[64], verb[16], method[128], permission[128];
};

static struct {
    struct permission_call rows[CALLS_MAX];
    size_t count;
} calls;

static UNUSED void calls_read(const char *name)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    char line[512];
    FILE *file = fopen(arena_printf(arena, TEST_SOURCE_DIR "/tests/data/permissions/%s", name), "re");
    ck_assert_ptr_nonnull(file);
    calls.count = 0;
    while (fgets(line, sizeof line, file)) {
        if (line[0] == '#')
            continue;
        ck_assert_uint_lt(calls.count, CALLS_MAX);
        struct permission_call *row = &calls.rows[calls.count++];
        char *parts[] = {row->type, row->verb, row->method, row->permission};
        const size_t rooms[] = {sizeof row->type, sizeof row->verb, sizeof row->method,
                                sizeof row->permission};
        const char *at = line;
        for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
            size_t length = strcspn(at, " \n");
            ck_assert_msg(length > 0 && length < rooms[i], "%s", line);
            memcpy(parts[i], at, length);
            parts[i][length] = '\0';
            at += length + (at[length] == ' ');
        }
        ck_assert_msg(strcmp(at, "\n") == 0, "%s", line);
    }
    (void)fclose(file);
}

static bool call_is_told(const char *type, size_t length, const char *verb)
{
    for (size_t i = 0; i < calls.count; i++) {
        const struct permission_call *row = &calls.rows[i];
        if (strlen(row->type) == length && memcmp(row->type, type, length) == 0 &&
            strcmp(row->verb, verb) == 0)
            return true;
    }
    return false;
}

/* Every type of a provider that the folder's modules hold has rows for all that happens to it. Returns how
 * many there are. */
static UNUSED unsigned calls_cover(const char *folder, const char *provider)
{
    static const char *const verbs[] = {"make", "read", "change", "remove"};
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    const char *begin = arena_printf(arena, "\nresource \"%s_", provider);
    const struct embedded_file *file;
    unsigned seen = 0;
    size_t count = embedded_under(folder, &file);
    for (size_t i = 0; i < count; i++) {
        const char *text = arena_strdup(arena, file[i].bytes);
        while ((text = strstr(text, begin)) != NULL) {
            text += strlen("\nresource \"");
            size_t length = strcspn(text, "\"");
            for (size_t j = 0; j < ARRAY_LEN(verbs); j++)
                ck_assert_msg(call_is_told(text, length, verbs[j]), "no row to %s %.*s", verbs[j],
                              (int)length, text);
            seen++;
        }
    }
    return seen;
}

/* What the calls need is what is asked for, and nothing else is. */
static UNUSED void calls_need(const char *const *asked, size_t count)
{
    for (size_t i = 0; i < calls.count; i++) {
        const struct permission_call *row = &calls.rows[i];
        bool found = strcmp(row->permission, "-") == 0;
        for (size_t j = 0; j < count; j++)
            found = found || strcmp(asked[j], row->permission) == 0;
        ck_assert_msg(found, "%s needs %s", row->method, row->permission);
    }
    for (size_t j = 0; j < count; j++) {
        bool found = false;
        for (size_t i = 0; i < calls.count; i++)
            found = found || strcmp(asked[j], calls.rows[i].permission) == 0;
        ck_assert_msg(found, "%s is asked for, and no call needs it", asked[j]);
        for (size_t i = 0; i < j; i++)
            ck_assert_msg(strcmp(asked[i], asked[j]) != 0, "%s is asked for twice", asked[j]);
    }
}

#endif
