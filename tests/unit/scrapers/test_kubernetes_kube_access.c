#include "scrapers/kubernetes/kube_access.h"

#include "tests/support/support.h"

#include <stdlib.h>

static char *folder;
static struct kube_access *access;
static struct error err;

static void open_folder(void)
{
    folder = test_folder_new();
    (void)unsetenv("KUBERNETES_SERVICE_HOST");
    (void)unsetenv("KUBERNETES_SERVICE_PORT");
}

static void close_folder(void)
{
    kube_access_free(TAKE(access));
    test_folder_remove(folder);
}

static int read_access(const char *endpoint)
{
    const struct kube_access_options options = {.endpoint = endpoint, .service_account = folder};
    kube_access_free(TAKE(access));
    err = (struct error){0};
    return kube_access_read(&options, &access, &err);
}

static void write_token(const char *token)
{
    char *path = test_path(folder, "token");
    test_file_write(path, str_from(token));
    free(path);
}

START_TEST(a_pod_s_own_account)
{
    ck_assert_int_eq(read_access(NULL), ERR_CONFIG);
    ck_assert_contains(err.message, "no pod of a cluster");
    ck_assert_contains(err.hint, "kubeconfig");
    (void)setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1", 1);
    ck_assert_int_lt(read_access(NULL), 0);
    ck_assert_contains(err.message, "token of the service account");
    write_token("one\n");
    ck_assert_int_eq(read_access(NULL), 0);
    ck_assert_str_eq(access->server, "https://10.96.0.1:443");
    ck_assert(str_equal(secret_reveal(access->token), STR("one")));
    ck_assert(strstr(access->tls.ca_file, "/ca.crt") != NULL);
    (void)setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1);
    (void)setenv("KUBERNETES_SERVICE_PORT", "6443", 1);
    write_token("two");
    ck_assert_int_eq(read_access(NULL), 0);
    ck_assert_str_eq(access->server, "https://[fd00::1]:6443");
    ck_assert(str_equal(secret_reveal(access->token), STR("two")));
}
END_TEST

START_TEST(an_endpoint_goes_before_what_the_sources_name)
{
    write_token("t");
    ck_assert_int_eq(read_access("http://127.0.0.1:8001/"), 0);
    ck_assert_str_eq(access->server, "http://127.0.0.1:8001");
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("kubernetes_kube_access");
    TCase *tests = tcase_create("access");
    tcase_add_checked_fixture(tests, open_folder, close_folder);
    tcase_add_test(tests, a_pod_s_own_account);
    tcase_add_test(tests, an_endpoint_goes_before_what_the_sources_name);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
