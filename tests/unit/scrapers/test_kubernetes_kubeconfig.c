#include "scrapers/kubernetes/kube_access.h"
#include "tests/support/support.h"

#include <stdlib.h>

static char *folder, *path;
static struct kube_access *access;
static struct error err;

static void open_folder(void)
{
    folder = test_folder_new();
    path = test_path(folder, "config");
    char *token = test_path(folder, "token");
    test_file_write(token, STR("from-the-file\n"));
    free(token);
}

static void close_folder(void)
{
    kube_access_free(TAKE(access));
    free(path);
    test_folder_remove(folder);
}

#define CLUSTER(more) "clusters: [{name: c, cluster: {server: 'https://k8s:6443/'" more "}}]\n"
#define CONTEXTS                                                                                             \
    "contexts: [{name: x, context: {cluster: c, user: u}}, {name: y, context: {cluster: "                    \
    "c}}]\ncurrent-context: x\n"
#define USER(text) "users: [{name: u, user: {" text "}}]\n"
/* base64 of "PEM". */
#define PEM "UEVN"

static int read_as(const char *yaml, const char *context)
{
    const struct kube_access_options options = {.kubeconfig = path, .context = context};
    test_file_write(path, str_from(yaml));
    kube_access_free(TAKE(access));
    err = (struct error){0};
    return kube_access_read(&options, &access, &err);
}

START_TEST(a_token)
{
    ck_assert_msg(read_as(CLUSTER(", certificate-authority: ca.crt") CONTEXTS USER("token: abc"), NULL) == 0,
                  "%s", err.message);
    ck_assert_str_eq(access->server, "https://k8s:6443");
    ck_assert(str_equal(secret_reveal(access->token), STR("abc")));
    char *ca = test_path(folder, "ca.crt");
    ck_assert_str_eq(access->tls.ca_file, ca);
    free(ca);
}
END_TEST

START_TEST(a_token_file_wins_and_is_relative_to_the_file)
{
    ck_assert_msg(read_as(CLUSTER("") CONTEXTS USER("token: abc, tokenFile: token"), NULL) == 0, "%s",
                  err.message);
    ck_assert(str_equal(secret_reveal(access->token), STR("from-the-file")));
    ck_assert_int_eq(read_as(CLUSTER("") CONTEXTS USER("tokenFile: /nowhere/token"), NULL), -2);
    ck_assert_contains(err.message, "kubeconfig: tokenFile");
}
END_TEST

START_TEST(data_wins_over_files)
{
    ck_assert_msg(read_as(CLUSTER(", certificate-authority: ca.crt, certificate-authority-data: " PEM
                                  ", tls-server-name: kubernetes, insecure-skip-tls-verify: true")
                              CONTEXTS USER("client-certificate-data: " PEM ", client-key-data: " PEM),
                          NULL) == 0,
                  "%s", err.message);
    ck_assert_str_eq(access->tls.ca_pem, "PEM");
    ck_assert_str_eq(access->tls.cert_pem, "PEM");
    ck_assert(str_equal(secret_reveal(access->tls.key_pem), STR("PEM")));
    ck_assert_str_eq(access->tls.server_name, "kubernetes");
    ck_assert(access->tls.insecure_skip_verify);
    ck_assert_ptr_null(access->token);
    ck_assert_ptr_null(access->tls.ca_file);
}
END_TEST

START_TEST(contexts)
{
    ck_assert_int_eq(read_as(CLUSTER("") CONTEXTS USER("token: abc"), "y"), 0);
    ck_assert_ptr_null(access->token);
    ck_assert_int_eq(read_as(CLUSTER("") CONTEXTS USER("token: abc"), "z"), ERR_CONFIG);
    ck_assert_contains(err.message, "it has no context \"z\"");
    ck_assert_int_eq(read_as(CLUSTER("") "contexts: []\n", NULL), ERR_CONFIG);
    ck_assert_contains(err.message, "no current-context");
    ck_assert_int_eq(read_as(CLUSTER("") CONTEXTS, NULL), ERR_CONFIG);
    ck_assert_contains(err.message, "names a user that is not there");
    ck_assert_int_eq(read_as(CONTEXTS USER("token: abc"), NULL), ERR_CONFIG);
    ck_assert_contains(err.message, "names a cluster that is not there");
}
END_TEST

static void refuses(const char *yaml, const char *message)
{
    ck_assert_int_lt(read_as(yaml, NULL), 0);
    ck_assert_contains(err.message, message);
    ck_assert_ptr_null(access);
}

START_TEST(what_is_not_supported_is_refused_by_name)
{
    refuses(CLUSTER("") CONTEXTS USER("exec: {command: aws}"),
            "logs in by a program (exec), which is not run");
    refuses(CLUSTER("") CONTEXTS USER("auth-provider: {name: gcp}"), "auth-provider was removed");
    refuses(CLUSTER("") CONTEXTS USER("username: a, password: b"), "no passwords");
    refuses(CLUSTER("") CONTEXTS USER("token: a, as: other"), "impersonation");
    refuses(CLUSTER(", proxy-url: 'http://p'") CONTEXTS USER("token: a"), "proxy-url is not supported");
    refuses(CLUSTER("") CONTEXTS USER("client-certificate-data: " PEM), "go together");
    refuses(CLUSTER("") CONTEXTS USER("client-certificate-data: '!', client-key-data: " PEM),
            "client-certificate-data is no base64");
    refuses("clusters: [{name: c, cluster: {}}]\n" CONTEXTS USER("token: a"), "has no server");
    refuses("clusters: [{name: c, cluster: {server: 'ftp://x'}}]\n" CONTEXTS USER("token: a"),
            "no http(s) address");
    refuses("[1]", "not a mapping");
    refuses("a: [", "config");
    refuses("clusters: x\ncontexts: {a: b}\nusers: 3\ncurrent-context: [1]\n", "no current-context");
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("kubernetes_kubeconfig");
    TCase *tests = tcase_create("kubeconfig");
    tcase_add_checked_fixture(tests, open_folder, close_folder);
    tcase_add_test(tests, a_token);
    tcase_add_test(tests, a_token_file_wins_and_is_relative_to_the_file);
    tcase_add_test(tests, data_wins_over_files);
    tcase_add_test(tests, contexts);
    tcase_add_test(tests, what_is_not_supported_is_refused_by_name);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
