#include "provisioner/self_hosted/parts.h"
#include "provisioner/self_hosted/pgbackrest.h"
#include "provisioner/self_hosted/vault.h"
#include "tests/unit/provisioner/self_hosted_rig.h"

static char *folder;
static struct vault *vault;

static void set_up(void)
{
    folder = test_folder_new();
    ck_assert_int_eq(vault_open(folder, &vault, NULL), 0);
}

static void tear_down(void)
{
    vault_close(vault);
    test_folder_remove(folder);
}

static size_t make(struct hosts_rig *rig, const char *more, size_t site)
{
    struct error err = {0};
    hosts_rig_open(rig, more);
    rig->sites[site].vault = vault;
    ck_assert_msg(component_pgbackrest.steps(&rig->sites[site], &rig->steps, &err) == 0, "%s", err.message);
    hosts_rig_check_scripts(rig);
    return rig->steps.count;
}

START_TEST(the_passphrase_is_in_one_file)
{
    struct hosts_rig rig;
    const char *passphrase = NULL;
    make(&rig, "replication: {mode: streaming}\nbackup: {retention: 14d, window: '23:30-00:30'}\n", 0);
    ck_assert_int_eq(vault_secret(vault, "backup-passphrase", &passphrase, NULL), 0);
    const struct host_step *config = hosts_rig_step(&rig, "pgbackrest/config");
    const struct step_file *settings = hosts_rig_file(config, "/pgbackrest.conf");
    ck_assert_uint_eq(settings->mode, 0600);
    ck_assert(settings->secret);
    ck_assert_contains(settings->content.ptr, passphrase);
    ck_assert_contains(settings->content.ptr, "repo1-cipher-type=aes-256-cbc\n");
    ck_assert_contains(settings->content.ptr, "repo1-retention-full=14\n");
    const struct step_file *functions = hosts_rig_file(config, "/fraiseql-backup.sh");
    ck_assert_contains(functions->content.ptr, "window_begin=1410\n");
    ck_assert_contains(functions->content.ptr, "primary=yes\n");
    hosts_rig_check_script(functions->content.ptr);
    for (size_t i = 0; i < rig.steps.count; i++) {
        const struct host_step *step = &rig.steps.items[i];
        ck_assert(!step->apply || !strstr(step->apply, passphrase));
        for (size_t j = 0; j < step->file_count; j++)
            ck_assert(&step->files[j] == settings || !strstr(step->files[j].content.ptr, passphrase));
    }
    ck_assert(hosts_rig_step(&rig, "pgbackrest/repository")->data);
    const struct step_file *archive =
        hosts_rig_file(hosts_rig_step(&rig, "pgbackrest/archive"), "/conf.d/archive.conf");
    ck_assert_contains(archive->content.ptr, " archive-push %p'\n");
    hosts_rig_close(&rig);
}
END_TEST

static const struct {
    const char *more;
    size_t site, steps;
} cases[] = {
    {"replication: {mode: streaming}\n", 0, 6},
    {"replication: {mode: streaming}\n", 1, 3}, /* a copy has the means */
    {"replication: {mode: none}\n", 1, 6},      /* a database of its own */
    {"replication: {mode: streaming}\nbackup: {enabled: false}\n", 0, 0},
};

START_TEST(only_what_writes_is_backed_up)
{
    struct hosts_rig rig;
    ck_assert_uint_eq(make(&rig, cases[_i].more, cases[_i].site), cases[_i].steps);
    hosts_rig_close(&rig);
}
END_TEST

static Suite *pgbackrest_suite(void)
{
    Suite *suite = suite_create("pgbackrest");
    TCase *tcase = tcase_create("pgbackrest");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, the_passphrase_is_in_one_file);
    tcase_add_loop_test(tcase, only_what_writes_is_backed_up, 0, (int)ARRAY_LEN(cases));
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(pgbackrest_suite)
