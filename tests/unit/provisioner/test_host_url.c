#include "provisioner/self_hosted/host_url.h"
#include "tests/support/support.h"

START_TEST(hosts_are_read)
{
    struct arena *arena = arena_new(0);
    struct host_url url;
    ck_assert_int_eq(host_url_parse("local", arena, &url, NULL), 0);
    ck_assert_ptr_null(url.host);
    ck_assert_int_eq(host_url_parse("ssh://ops@db1.example.com:2222", arena, &url, NULL), 0);
    ck_assert_str_eq(url.host, "db1.example.com");
    ck_assert_str_eq(url.user, "ops");
    ck_assert_uint_eq(url.port, 2222);
    ck_assert_int_eq(host_url_parse("ssh://10.0.0.1/", arena, &url, NULL), 0);
    ck_assert_str_eq(url.host, "10.0.0.1");
    ck_assert_ptr_null(url.user);
    ck_assert_uint_eq(url.port, 0);
    arena_free(arena);
}
END_TEST

START_TEST(what_could_act_is_refused)
{
    static const char *const wrong[] = {"",
                                        "localhost",
                                        "http://x",
                                        "ssh://",
                                        "ssh://@x",
                                        "ssh://x:0",
                                        "ssh://x:65536",
                                        "ssh://x:",
                                        "ssh://x:22/y",
                                        "ssh://-oProxyCommand=x",
                                        "ssh://-l@x",
                                        "ssh://a b",
                                        "ssh://a;b",
                                        "ssh://a'b",
                                        "ssh://a:secret@x",
                                        "ssh://[::1]",
                                        "SSH://x"};
    struct arena *arena = arena_new(0);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct host_url url;
        struct error err = {0};
        ck_assert_msg(host_url_parse(wrong[i], arena, &url, &err) == ERR_CONFIG, "%s", wrong[i]);
        ck_assert_str_ne(err.hint, "");
    }
    ck_assert(host_url_is_numeric("10.0.0.1"));
    ck_assert(!host_url_is_numeric("10.0.1"));
    ck_assert(!host_url_is_numeric("db1"));
    arena_free(arena);
}
END_TEST

static Suite *host_url_suite(void)
{
    Suite *suite = suite_create("host_url");
    TCase *tcase = tcase_create("host_url");
    tcase_add_test(tcase, hosts_are_read);
    tcase_add_test(tcase, what_could_act_is_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(host_url_suite)
