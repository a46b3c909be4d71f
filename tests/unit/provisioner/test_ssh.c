#include "provisioner/self_hosted/ssh.h"

#include "tests/support/support.h"

static const struct host_url url = {.host = "db1", .user = "ops", .port = 2222};

static void judge(const char *said, bool begun, int code, const char *message, const char *hint)
{
    struct error err = {0};
    ck_assert_int_eq(ssh_judge(&url, str_from(said), begun, &err), code);
    ck_assert_msg(strstr(err.message, message) != NULL, "%s", err.message);
    ck_assert_msg(strstr(err.hint, hint) != NULL, "%s", err.hint);
}

START_TEST(its_words_are_understood)
{
    judge("No ED25519 host key is known for [db1]:2222 and you have requested strict checking.\r\n"
          "Host key verification failed.\r\n",
          false, ERR_AUTH, "its host key is not known here", "ssh -p 2222 ops@db1");
    judge("@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nIT IS POSSIBLE\nHost key "
          "verification failed.\n",
          false, ERR_AUTH, "not the one that is known", "ssh-keygen -R '[db1]:2222'");
    judge("ops@db1: Permission denied (publickey).\n", false, ERR_AUTH, "does not let us in", "agent");
    judge("ssh: connect to host db1 port 2222: Connection refused\n", false, ERR_UNAVAILABLE,
          "cannot be reached", "");
    judge("ssh: Could not resolve hostname db1: Name or service not known\n", false, ERR_UNAVAILABLE,
          "cannot be reached", "");
    judge("client_loop: send disconnect: Broken pipe\n", true, ERR_UNAVAILABLE,
          "connection to ops@db1:2222 was lost", "Deploy again");
    judge("", false, ERR_UNAVAILABLE, "cannot be worked on by ssh", "");
}
END_TEST

START_TEST(nothing_weakens_the_check_of_host_keys)
{
    struct arena *arena = arena_new(0);
    const char *argv[SSH_ARGUMENTS_MAX];
    struct ssh_call call = {.url = &url, .control = "/c/%C", .config = "/f", .command = "echo"};
    ssh_arguments(&call, arena, argv);
    size_t count = 0;
    for (; argv[count]; count++)
        ck_assert_ptr_null(strstr(argv[count], "StrictHostKeyChecking"));
    ck_assert_str_eq(argv[count - 1], "echo");
    ck_assert_str_eq(argv[count - 2], "db1");
    ck_assert_str_eq(argv[count - 3], "--");
    call.ask = "exit";
    ssh_arguments(&call, arena, argv);
    for (count = 0; argv[count]; count++)
        ck_assert_str_ne(argv[count], "echo");
    ck_assert_str_eq(ssh_name(&url, arena), "ops@db1:2222");
    arena_free(arena);
}
END_TEST

static Suite *ssh_suite(void)
{
    Suite *suite = suite_create("ssh");
    TCase *tcase = tcase_create("ssh");
    tcase_add_test(tcase, its_words_are_understood);
    tcase_add_test(tcase, nothing_weakens_the_check_of_host_keys);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(ssh_suite)
