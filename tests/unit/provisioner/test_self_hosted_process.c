#include "tests/unit/provisioner/self_hosted_rig.h"

static const char *const argv[] = {"/usr/bin/prog", "a b", "100%", "$HOME", "q\"\\", "line\nend", NULL};
static const char *const watches[] = {"/etc/it's", "/etc/b", NULL};
static const char *const capabilities[] = {"NET_BIND_SERVICE", "NET_RAW", NULL};

static const struct host_step *make(struct hosts_rig *rig, const struct host_process *process)
{
    step_process(&rig->steps, &rig->sites[0], STAGE_SERVICE, process);
    return hosts_rig_step(rig, arena_printf(rig->arena, "%s/process", process->name));
}

static const char *file_of(const struct host_step *step, const char *suffix)
{
    for (size_t i = 0; i < step->file_count; i++) {
        if (str_ends(str_from(step->files[i].path), str_from(suffix)))
            return step->files[i].content.ptr;
    }
    ck_abort_msg("no file %s", suffix);
    return NULL;
}

START_TEST(both_descriptions_say_the_same)
{
    struct hosts_rig rig;
    hosts_rig_open(&rig, "network: {topology: namespaces}\n");
    const struct host_process process = {.name = "thing",
                                         .user = "someone",
                                         .argv = argv,
                                         .environment_file = "/e",
                                         .capabilities = capabilities,
                                         .watches = watches,
                                         .reload = "signal HUP",
                                         .ready = "curl x",
                                         .stop_signal = 2,
                                         .stop_timeout_ns = 1500 * NS_PER_MS};
    const struct host_step *step = make(&rig, &process);
    ck_assert_str_eq(
        file_of(step, ".process"),
        "user someone\narg /usr/bin/prog\narg a b\narg 100%\narg $HOME\narg q\"\\\\\narg line\\nend\n"
        "environment-file /e\ncapability NET_BIND_SERVICE\ncapability NET_RAW\n"
        "log /var/lib/fraiseql/shop/us/log/thing.log\nstop-signal 2\nstop-timeout-s 2\n");
    const char *unit = file_of(step, ".service");
    static const char *const lines[] = {
        "ExecStart=\"/usr/bin/prog\" \"a b\" \"100%%\" \"$$HOME\" \"q\\\"\\\\\" \"line\\nend\"\n",
        "User=someone\n",
        "EnvironmentFile=/e\n",
        "AmbientCapabilities=CAP_NET_BIND_SERVICE CAP_NET_RAW\n",
        "NetworkNamespacePath=/run/netns/fraiseql-shop-us\n",
        "KillSignal=2\nTimeoutStopSec=2\n",
        "Restart=always\n"};
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        ck_assert_msg(strstr(unit, lines[i]) != NULL, "%s in %s", lines[i], unit);
    ck_assert_str_eq(step->watches[0], "/etc/it's");
    hosts_rig_check_script(step->apply);
    hosts_rig_check_script(step->check);
    hosts_rig_check_script(step->undo);
    hosts_rig_close(&rig);
}
END_TEST

START_TEST(the_least_there_can_be)
{
    struct hosts_rig rig;
    hosts_rig_open(&rig, "");
    const struct host_process process = {.name = "bare", .argv = argv};
    const struct host_step *step = make(&rig, &process);
    ck_assert_ptr_nonnull(strstr(file_of(step, ".process"), "user root\n"));
    ck_assert_ptr_nonnull(strstr(file_of(step, ".process"), "stop-signal 15\nstop-timeout-s 30\n"));
    ck_assert_ptr_null(strstr(file_of(step, ".service"), "NetworkNamespacePath"));
    hosts_rig_check_script(step->apply);
    hosts_rig_check_script(step->check);
    hosts_rig_close(&rig);
}
END_TEST

static Suite *process_suite(void)
{
    Suite *suite = suite_create("self_hosted_process");
    TCase *tcase = tcase_create("process");
    tcase_add_test(tcase, both_descriptions_say_the_same);
    tcase_add_test(tcase, the_least_there_can_be);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(process_suite)
