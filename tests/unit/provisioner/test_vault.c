#include "provisioner/self_hosted/vault.h"

#include "lib/core/arena.h"
#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static char folder[] = "/tmp/fraiseql-vault-XXXXXX";

START_TEST(a_secret_is_made_once_and_stays)
{
    char path[256], inner[256];
    struct stat info;
    struct vault *vault;
    const char *first, *again, *other;
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(inner, sizeof inner, "%s/secrets", folder);
    ck_assert_int_eq(vault_open(inner, &vault, NULL), 0);
    ck_assert_int_eq(vault_secret(vault, "a-name", &first, NULL), 0);
    ck_assert_uint_eq(strlen(first), 43);
    ck_assert_int_eq(vault_secret(vault, "other", &other, NULL), 0);
    ck_assert_str_ne(first, other);
    ck_assert_int_ne(vault_secret(vault, "../up", &other, NULL), 0);
    ck_assert_int_ne(vault_secret(vault, ".hidden", &other, NULL), 0);
    char kept[64];
    (void)snprintf(kept, sizeof kept, "%s", first);
    vault_close(vault);
    ck_assert_int_eq(vault_open(inner, &vault, NULL), 0);
    ck_assert_int_eq(vault_secret(vault, "a-name", &again, NULL), 0);
    ck_assert_str_eq(again, kept);
    vault_close(vault);
    (void)snprintf(path, sizeof path, "%s/secrets/a-name", folder);
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert_uint_eq(info.st_mode & 0777, 0600);
    ck_assert_int_eq(stat(inner, &info), 0);
    ck_assert_uint_eq(info.st_mode & 0777, 0700);
    (void)remove(path);
    (void)snprintf(path, sizeof path, "%s/secrets/other", folder);
    (void)remove(path);
    (void)remove(inner);
    (void)remove(folder);
}
END_TEST

static Suite *vault_suite(void)
{
    Suite *suite = suite_create("vault");
    TCase *tcase = tcase_create("vault");
    tcase_add_test(tcase, a_secret_is_made_once_and_stays);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(vault_suite)
