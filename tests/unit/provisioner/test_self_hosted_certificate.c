#include "provisioner/self_hosted/vault.h"

#include "lib/core/clock.h"
#include "lib/core/file.h"
#include "tests/support/support.h"

#include <stdlib.h>

#define DAY_NS (INT64_C(86400) * NS_PER_S)

static char *folder;
static struct vault *vault;

static void reopen(void)
{
    if (vault)
        vault_close(vault);
    ck_assert_int_eq(vault_open(folder, &vault, NULL), 0);
}

static void set_up(void)
{
    clock_set_virtual(0, INT64_C(1800000000) * NS_PER_S);
    folder = test_folder_new();
    vault = NULL;
    reopen();
}

static void tear_down(void)
{
    vault_close(vault);
    test_folder_remove(folder);
    clock_use_real();
}

static const char *const names[] = {"us-east", "10.0.0.1", NULL};

static struct vault_certificate take(const char *const *of)
{
    struct vault_certificate pair;
    ck_assert_int_eq(vault_certificate(vault, "server", of, &pair, NULL), 0);
    return pair;
}

static bool same(struct str a, struct str b)
{
    return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

START_TEST(every_run_gets_the_same_one)
{
    struct vault_certificate first = take(names);
    char *kept = strndup(first.certificate_pem.ptr, first.certificate_pem.len);
    reopen();
    struct vault_certificate second = take(names);
    ck_assert(same(second.certificate_pem, str_from(kept)));
    ck_assert(second.key_pem.len > 0 && second.authority_pem.len > 0);
    ck_assert_int_eq(second.not_after_unix_s, INT64_C(1800000000) + 397 * 86400);
    free(kept);
}
END_TEST

START_TEST(it_is_made_anew_in_its_last_third)
{
    struct vault_certificate first = take(names);
    clock_set_virtual(0, INT64_C(1800000000) * NS_PER_S + 264 * DAY_NS);
    ck_assert(same(take(names).certificate_pem, first.certificate_pem));
    clock_set_virtual(0, INT64_C(1800000000) * NS_PER_S + 266 * DAY_NS);
    struct vault_certificate second = take(names);
    ck_assert(!same(second.certificate_pem, first.certificate_pem));
    ck_assert(same(second.authority_pem, first.authority_pem));
    ck_assert_int_eq(second.not_after_unix_s, INT64_C(1800000000) + (266 + 397) * 86400);
}
END_TEST

START_TEST(other_names_are_another_certificate)
{
    static const char *const others[] = {"us-east", "10.0.0.2", NULL};
    struct vault_certificate first = take(names);
    ck_assert(!same(take(others).certificate_pem, first.certificate_pem));
}
END_TEST

START_TEST(a_damaged_authority_is_not_replaced)
{
    struct error err = {0};
    struct vault_certificate pair;
    char *path = test_path(folder, "authority");
    (void)take(names);
    ck_assert_int_eq(file_replace(path, STR("gone"), 0600, NULL), 0);
    ck_assert_int_eq(vault_certificate(vault, "server", names, &pair, &err), ERR_CORRUPT);
    ck_assert_msg(strstr(err.message, "authority holds no certificate authority") != NULL, "%s", err.message);
    free(path);
}
END_TEST

START_TEST(a_damaged_certificate_is_made_anew)
{
    char *path = test_path(folder, "certificate-server");
    struct vault_certificate first = take(names);
    ck_assert_int_eq(file_replace(path, STR("gone"), 0600, NULL), 0);
    ck_assert(!same(take(names).certificate_pem, first.certificate_pem));
    free(path);
}
END_TEST

START_TEST(the_authority_alone_is_the_same)
{
    struct str pem;
    ck_assert_int_eq(vault_authority(vault, &pem, NULL), 0);
    ck_assert(same(take(names).authority_pem, pem));
}
END_TEST

static Suite *certificate_suite(void)
{
    Suite *suite = suite_create("certificate");
    TCase *tests = tcase_create("certificate");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, every_run_gets_the_same_one);
    tcase_add_test(tests, it_is_made_anew_in_its_last_third);
    tcase_add_test(tests, other_names_are_another_certificate);
    tcase_add_test(tests, a_damaged_authority_is_not_replaced);
    tcase_add_test(tests, a_damaged_certificate_is_made_anew);
    tcase_add_test(tests, the_authority_alone_is_the_same);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(certificate_suite)
