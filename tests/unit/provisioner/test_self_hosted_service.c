#include "provisioner/self_hosted/parts.h"
#include "provisioner/self_hosted/vault.h"
#include "tests/unit/provisioner/self_hosted_rig.h"

#include <stdlib.h>

/* The example service itself lies beside `fraiseql` only: tests/integration/test_deploy_hosts_service.py
 * deploys it. */
static struct vault *open_with_vault(struct hosts_rig *rig, const char *folder, const char *more)
{
    struct vault *vault = NULL;
    struct error err = {0};
    hosts_rig_open(rig, more);
    ck_assert_msg(vault_open(folder, &vault, &err) == 0, "%s", err.message);
    for (size_t i = 0; i < 3; i++)
        rig->sites[i].vault = vault;
    return vault;
}

START_TEST(secrets_are_in_files_that_root_reads_alone)
{
    char *folder = test_folder_new();
    struct hosts_rig rig;
    struct error err = {0};
    struct vault *vault = open_with_vault(&rig, folder, "service: {command: [/opt/it's, --fast]}\n");
    ck_assert_msg(component_service.steps(&rig.sites[0], &rig.steps, &err) == 0, "%s", err.message);
    hosts_rig_check_scripts(&rig);
    const struct step_file *file =
        hosts_rig_file(hosts_rig_step(&rig, "service/environment"), "/service-3.env");
    ck_assert_uint_eq(file->mode, 0600);
    ck_assert_str_eq(file->owner, "root:root");
    ck_assert(file->secret);
    const char *password = NULL;
    ck_assert_int_eq(vault_secret(vault, "postgresql-service", &password, &err), 0);
    ck_assert_contains(file->content.ptr, password);
    for (size_t i = 0; i < rig.steps.count; i++) {
        const char *apply = rig.steps.items[i].apply;
        ck_assert(!apply || !strstr(apply, password));
    }
    ck_assert_contains(hosts_rig_step(&rig, "service/program")->apply, "'/opt/it'\\''s'");
    ck_assert_contains(hosts_rig_step(&rig, "service-1/process")->apply, "/readiness");
    vault_close(vault);
    hosts_rig_close(&rig);
    test_folder_remove(folder);
}
END_TEST

START_TEST(the_server_gets_its_configuration_file)
{
    char *folder = test_folder_new();
    struct hosts_rig rig;
    struct error err = {0};
    struct vault *vault = open_with_vault(
        &rig, folder, "service: {binary: /opt/fraiseql-server, version: '2.15', schema: /srv/s.json}\n");
    ck_assert_msg(component_service.steps(&rig.sites[1], &rig.steps, &err) == 0, "%s", err.message);
    const struct step_file *file =
        hosts_rig_file(hosts_rig_step(&rig, "service/environment"), "/fraiseql.toml");
    ck_assert_contains(file->content.ptr, "postgres_ssl_mode = \"verify-full\"");
    ck_assert_contains(hosts_rig_file(hosts_rig_step(&rig, "service-1/process"), ".process")->content.ptr,
                       "arg /opt/fraiseql-server\n");
    vault_close(vault);
    hosts_rig_close(&rig);
    test_folder_remove(folder);
}
END_TEST

static Suite *service_suite(void)
{
    Suite *suite = suite_create("service");
    TCase *tcase = tcase_create("service");
    tcase_add_test(tcase, secrets_are_in_files_that_root_reads_alone);
    tcase_add_test(tcase, the_server_gets_its_configuration_file);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(service_suite)
