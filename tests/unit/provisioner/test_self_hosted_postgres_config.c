#include "provisioner/self_hosted/postgres_config.h"

#include "tests/unit/provisioner/self_hosted_rig.h"

static struct hosts_rig rig;
static struct buf text;

static void open_with(const char *more)
{
    hosts_rig_open(&rig, more);
    text = (struct buf)BUF_INIT(POSTGRES_FILE_MAX_BYTES);
}

static void close_all(void)
{
    buf_deinit(&text);
    hosts_rig_close(&rig);
}

static void want(const char *part)
{
    ck_assert_msg(strstr(buf_text(&text), part) != NULL, "no \"%s\" in\n%s", part, buf_text(&text));
}

static void refuse(const char *part)
{
    ck_assert_msg(strstr(buf_text(&text), part) == NULL, "\"%s\" in\n%s", part, buf_text(&text));
}

START_TEST(who_writes_follows_nobody)
{
    open_with("replication: {mode: streaming}\n");
    postgres_write_conf(&rig.sites[0], &text);
    refuse("primary_conninfo");
    want("synchronous_standby_names = ''");
    want("ssl = on\nssl_min_protocol_version = 'TLSv1.2'");
    want("archive_mode = on");
    want("max_replication_slots = 24");
    want("max_worker_processes = 32"); /* a standby with fewer than the one that writes does not start */
    close_all();
}
END_TEST

START_TEST(a_standby_follows_by_name_and_certificate)
{
    open_with("replication: {mode: streaming}\n");
    postgres_write_conf(&rig.sites[1], &text);
    want("primary_conninfo = 'host=us hostaddr=127.");
    want("user=fraiseql_replication sslmode=verify-full");
    want("application_name=eu'\nprimary_slot_name = 'fraiseql_eu'");
    close_all();
}
END_TEST

START_TEST(commits_wait_for_whom_the_file_says)
{
    open_with("replication: {mode: streaming, commit: sync}\n");
    postgres_write_conf(&rig.sites[1], &text);
    want("synchronous_standby_names = 'FIRST 1 (\"us\", \"ap\")'");
    close_all();
    open_with("replication: {mode: streaming, commit: quorum, quorum: 2}\n");
    postgres_write_conf(&rig.sites[0], &text);
    want("synchronous_standby_names = 'ANY 2 (\"eu\", \"ap\")'");
    close_all();
}
END_TEST

START_TEST(regions_that_do_not_replicate_are_left_alone)
{
    open_with("");
    postgres_write_conf(&rig.sites[1], &text);
    refuse("primary_conninfo");
    buf_reset(&text);
    postgres_write_slots(&rig.sites[0], &text);
    want("unnest(ARRAY[]::name[])");
    buf_reset(&text);
    postgres_write_role(&rig.sites[1], &text);
    want("follows=''\nsource=''");
    close_all();
}
END_TEST

START_TEST(nobody_comes_in_without_tls)
{
    open_with("replication: {mode: streaming}\n");
    postgres_write_hba(&rig.sites[0], &text);
    want("local all postgres peer map=administrators\n");
    want("hostssl replication fraiseql_replication 127.0.0.0/8 cert\n");
    want("hostssl postgres fraiseql_rewind 127.0.0.0/8 cert\n");
    want("hostssl fraiseql fraiseql_service 127.0.0.0/8 scram-sha-256\n");
    want("hostssl postgres,fraiseql fraiseql_monitor 127.0.0.0/8 scram-sha-256\n");
    refuse("\nhost ");
    refuse("trust");
    close_all();
}
END_TEST

START_TEST(addresses_of_other_machines_are_named_one_by_one)
{
    open_with("replication: {mode: streaming}\nnetwork: {topology: namespaces}\n");
    postgres_write_hba(&rig.sites[0], &text);
    for (size_t i = 0; i < 3; i++)
        want(arena_printf(rig.arena, "hostssl replication fraiseql_replication %s/32 cert\n",
                          rig.sites[i].layout->address));
    close_all();
}
END_TEST

START_TEST(passwords_are_quoted)
{
    open_with("");
    postgres_write_roles("it's", "b'", &text);
    want("ALTER ROLE fraiseql_service LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD "
         "'it''s';\n");
    want("NOREPLICATION PASSWORD 'b''';\n");
    want("ALTER ROLE fraiseql_replication LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE REPLICATION PASSWORD "
         "NULL;\n");
    close_all();
}
END_TEST

START_TEST(slots_are_those_of_the_others)
{
    open_with("replication: {mode: streaming}\n");
    postgres_write_slots(&rig.sites[0], &text);
    want("ARRAY['fraiseql_eu', 'fraiseql_ap']::name[]");
    struct region region = {.name = "us-east-1"};
    ck_assert_str_eq(postgres_slot(rig.arena, &region), "fraiseql_us_east_1");
    close_all();
}
END_TEST

static Suite *postgres_config_suite(void)
{
    Suite *suite = suite_create("postgres_config");
    TCase *tests = tcase_create("postgres_config");
    tcase_add_test(tests, who_writes_follows_nobody);
    tcase_add_test(tests, a_standby_follows_by_name_and_certificate);
    tcase_add_test(tests, commits_wait_for_whom_the_file_says);
    tcase_add_test(tests, regions_that_do_not_replicate_are_left_alone);
    tcase_add_test(tests, nobody_comes_in_without_tls);
    tcase_add_test(tests, addresses_of_other_machines_are_named_one_by_one);
    tcase_add_test(tests, passwords_are_quoted);
    tcase_add_test(tests, slots_are_those_of_the_others);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(postgres_config_suite)
