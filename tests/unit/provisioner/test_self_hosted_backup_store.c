#include "provisioner/self_hosted/backup_store.h"

#include "provisioner/self_hosted/vault.h"
#include "tests/unit/provisioner/self_hosted_fixture.h"

#include <sys/stat.h>

static char *folder;
static struct vault *vault;

static void set_up(void)
{
    folder = test_folder_new();
    ck_assert_int_eq(vault_open(folder, &vault, NULL), 0);
    (void)unsetenv("FRAISEQL_BACKUP_S3_KEY");
    (void)unsetenv("FRAISEQL_BACKUP_S3_SECRET");
}

static void tear_down(void)
{
    vault_close(vault);
    test_folder_remove(folder);
}

static int make(struct fixture *fixture, const char *more, struct backup_store *store, struct error *err)
{
    fixture_open(fixture, more);
    fixture->sites[0].vault = vault;
    return backup_store_make(&fixture->sites[0], "/var/backup", store, err);
}

static const char *written(const struct fixture *fixture, const struct backup_store *store)
{
    struct buf out = BUF_INIT(65536);
    backup_store_write(&fixture->sites[0], store, "/etc/ca.pem", &out);
    const char *text = arena_strdup(fixture->arena, buf_str(&out));
    buf_deinit(&out);
    return text;
}

START_TEST(a_folder_on_the_host)
{
    struct fixture fixture;
    struct backup_store store;
    ck_assert_int_eq(make(&fixture, "", &store, NULL), 0);
    ck_assert_str_eq(store.folder, "/var/backup/repository");
    ck_assert_str_eq(written(&fixture, &store), "repo1-path=/var/backup/repository\n");
    fixture_close(&fixture);
}
END_TEST

START_TEST(the_key_is_of_the_environment_and_then_of_the_vault)
{
    struct fixture fixture;
    struct backup_store store;
    struct error err = {0};
    static const char more[] = "backup: { store: { type: s3, bucket: b, location: eu-central-1 } }\n";
    ck_assert_int_eq(make(&fixture, more, &store, &err), ERR_AUTH);
    ck_assert_contains(err.hint, "FRAISEQL_BACKUP_S3_KEY");
    fixture_close(&fixture);

    (void)setenv("FRAISEQL_BACKUP_S3_KEY", "id", 1);
    ck_assert_int_eq(make(&fixture, more, &store, &err), ERR_AUTH);
    ck_assert_contains(err.message, "FRAISEQL_BACKUP_S3_KEY is set without FRAISEQL_BACKUP_S3_SECRET");
    fixture_close(&fixture);

    (void)setenv("FRAISEQL_BACKUP_S3_SECRET", "hush", 1);
    ck_assert_int_eq(make(&fixture, more, &store, NULL), 0);
    ck_assert_str_eq(store.folder, "");
    ck_assert_str_eq(store.name, "s3://b/fraiseql/shop/us-east");
    ck_assert_str_eq(written(&fixture, &store),
                     "repo1-type=s3\nrepo1-path=/fraiseql/shop/us-east\nrepo1-s3-bucket=b\n"
                     "repo1-s3-endpoint=s3.eu-central-1.amazonaws.com\nrepo1-s3-region=eu-central-1\n"
                     "repo1-s3-uri-style=host\nrepo1-s3-key=id\nrepo1-s3-key-secret=hush\nio-timeout=15\n");
    fixture_close(&fixture);

    (void)unsetenv("FRAISEQL_BACKUP_S3_KEY");
    (void)unsetenv("FRAISEQL_BACKUP_S3_SECRET");
    ck_assert_int_eq(make(&fixture, more, &store, NULL), 0);
    ck_assert_str_eq(store.secret, "hush");
    fixture_close(&fixture);

    /* A key that was changed takes the place of the one that was kept. */
    (void)setenv("FRAISEQL_BACKUP_S3_KEY", "id2", 1);
    (void)setenv("FRAISEQL_BACKUP_S3_SECRET", "hush2", 1);
    ck_assert_int_eq(make(&fixture, more, &store, NULL), 0);
    (void)unsetenv("FRAISEQL_BACKUP_S3_KEY");
    (void)unsetenv("FRAISEQL_BACKUP_S3_SECRET");
    fixture_close(&fixture);
    ck_assert_int_eq(make(&fixture, more, &store, NULL), 0);
    ck_assert_str_eq(store.key, "id2");
    fixture_close(&fixture);
}
END_TEST

START_TEST(files_of_the_machine_that_deploys)
{
    struct fixture fixture;
    struct backup_store store;
    struct error err = {0};
    char more[4096], path[1024];
    (void)snprintf(path, sizeof path, "%s/id", folder);
    test_file_write(path, STR("id\n"));
    (void)snprintf(path, sizeof path, "%s/hush", folder);
    test_file_write(path, STR("hush\n"));
    (void)snprintf(path, sizeof path, "%s/ca.pem", folder);
    test_file_write(path, STR("-----BEGIN CERTIFICATE-----\n"));
    (void)snprintf(more, sizeof more,
                   "backup:\n  store: { type: s3, bucket: b, endpoint: 'https://store:9000', prefix: /p/q/, "
                   "path-style: true, ca-file: %s/ca.pem, key-file: %s/id, secret-file: %s/hush }\n",
                   folder, folder, folder);
    ck_assert_msg(make(&fixture, more, &store, &err) == 0, "%s", err.message);
    ck_assert_contains(written(&fixture, &store),
                       "repo1-path=/p/q/us-east\nrepo1-s3-bucket=b\nrepo1-s3-endpoint=store:9000\n"
                       "repo1-s3-region=us-east-1\nrepo1-s3-uri-style=path\nrepo1-s3-key=id\n");
    ck_assert_contains(written(&fixture, &store), "repo1-storage-ca-file=/etc/ca.pem\n");
    fixture_close(&fixture);
    test_file_write(path, STR("no certificate"));
    ck_assert_int_eq(make(&fixture, more, &store, &err), ERR_CONFIG);
    ck_assert_contains(err.message, "holds no certificate");
    fixture_close(&fixture);
    (void)snprintf(path, sizeof path, "%s/hush", folder);
    test_file_write(path, STR("hush\x01\n"));
    ck_assert_int_eq(make(&fixture, more, &store, &err), ERR_CONFIG);
    ck_assert_ptr_null(strstr(err.message, "hush"));
    fixture_close(&fixture);
}
END_TEST

static const struct {
    const char *store, *message;
} refused[] = {
    {"type: s3", "wants a bucket"},
    {"type: s3, bucket: b", "wants an endpoint, or a location on AWS"},
    {"type: s3, bucket: 'b c', location: x", "has blanks"},
    {"type: s3, bucket: b, endpoint: 'http://s'", "must begin with https://"},
    {"type: s3, bucket: b, endpoint: 'https://s/b'", "want https://NAME"},
    {"type: s3, bucket: b, endpoint: 'https://10.1.2.3:9000'", "by names alone"},
    {"type: s3, bucket: b, location: x, key-file: k", "without secret-file"},
    {"type: s3, bucket: b, location: x, secret-file: k", "without key-file"},
    {"bucket: b", "backup.store.type is local"},
    {"path-style: true", "backup.store.type is local"},
};
START_TEST(half_given_ones_are_refused)
{
    char more[512];
    struct arena *arena = arena_new(0);
    struct findings findings;
    struct deployment *deployment = NULL;
    bool found = false;
    (void)snprintf(more, sizeof more,
                   "regions:\n  us: { provider: self-hosted, location: here, hosts: [local] }\n"
                   "metadata: { name: shop }\nbackup: { store: { %s } }\n",
                   refused[_i].store);
    findings_init(&findings, arena);
    ck_assert_int_ne(deployment_parse(arena, "file.yaml", str_from(more), &deployment, &findings), 0);
    for (size_t i = 0; i < findings.count; i++)
        found = found || strstr(findings.items[i].message, refused[_i].message);
    ck_assert_msg(found, "%s: %s", refused[_i].store, findings.items[0].message);
    arena_free(arena);
}
END_TEST

static Suite *backup_store_suite(void)
{
    Suite *suite = suite_create("backup_store");
    TCase *tcase = tcase_create("backup_store");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_folder_on_the_host);
    tcase_add_test(tcase, the_key_is_of_the_environment_and_then_of_the_vault);
    tcase_add_test(tcase, files_of_the_machine_that_deploys);
    tcase_add_loop_test(tcase, half_given_ones_are_refused, 0, (int)ARRAY_LEN(refused));
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(backup_store_suite)
