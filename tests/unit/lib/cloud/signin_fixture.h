/* What a test of a sign-in with a private key has before each case: a key, an empty home, no variable set. */
#ifndef FRAISEQL_TESTS_SIGNIN_FIXTURE_H
#define FRAISEQL_TESTS_SIGNIN_FIXTURE_H

#include "tests/support/test_key.h"
#include "tests/unit/lib/cloud/signin_rig.h"

static struct arena *arena;
static char *folder;
static struct test_key *key; /* one for all cases, as making it takes long */
static struct rig rig;

static inline void signin_fixture_key(void)
{
    key = test_key_new(2048);
}

static inline void signin_fixture_key_free(void)
{
    test_key_free(key);
}

static inline void signin_fixture_begin(void)
{
    arena = arena_new(0);
    folder = test_folder_new();
    rig_clear_environment();
    (void)setenv("HOME", folder, 1);
    rig = (struct rig){0};
}

static inline void signin_fixture_end(void)
{
    signin_free(rig.signin);
    rig_clear_environment();
    test_folder_remove(folder);
    arena_free(arena);
}

static inline void signin_fixture_add(TCase *tcase)
{
    tcase_add_unchecked_fixture(tcase, signin_fixture_key, signin_fixture_key_free);
    tcase_add_checked_fixture(tcase, signin_fixture_begin, signin_fixture_end);
}

/* Writes a file of the home and names it in the environment. Its path. */
static inline const char *signin_fixture_name(const char *variable, const char *name, struct str bytes)
{
    char *path = test_path(folder, name);
    const char *kept = arena_strdup(arena, str_from(path));
    test_file_write(path, bytes);
    (void)setenv(variable, path, 1);
    free(path);
    return kept;
}

#endif
