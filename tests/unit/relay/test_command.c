#include "relay/relay.h"
#include "tests/support/support.h"

#include <string.h>

static struct relay relay;
static char reply[4096];

static const char *run(const char *text)
{
    char request[256];
    (void)snprintf(request, sizeof request, "%s", text);
    command_run(&relay, request, reply, sizeof reply);
    return reply;
}

static void setup(void)
{
    relay = (struct relay){.links = {{.name = "eu"}, {.name = "ap"}}, .link_count = 2};
}

START_TEST(links_are_cut_and_healed)
{
    ck_assert_str_eq(run("cut eu out"), "ok\n");
    ck_assert(relay.links[0].cut_out && !relay.links[0].cut_in && !relay.links[1].cut_out);
    ck_assert_str_eq(run("cut all\n"), "ok\n");
    ck_assert(relay.links[0].cut_in && relay.links[1].cut_out && relay.links[1].cut_in);
    ck_assert_str_eq(run("heal eu in"), "ok\n");
    ck_assert(relay.links[0].cut_out && !relay.links[0].cut_in);
    ck_assert_str_eq(run("heal all"), "ok\n");
    ck_assert(!relay.links[0].cut_out && !relay.links[1].cut_in);
    ck_assert_str_eq(run("delay ap 2500"), "ok\n");
    ck_assert_int_eq(relay.links[1].delay_ns, 2500000);
    ck_assert_ptr_nonnull(strstr(run("show"), "ap delay_us=2500 out=open in=open sent=0"));
}
END_TEST

START_TEST(what_is_wrong_changes_nothing)
{
    static const char *const wrong[] = {
        "",           "cut",         "cut mars",          "cut eu sideways", "delay eu",
        "delay eu x", "delay eu -1", "delay eu 10000001", "delay mars 1",    "explode"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_msg(strncmp(run(wrong[i]), "error", 5) == 0, "%s", wrong[i]);
    ck_assert(!relay.links[0].cut_out && relay.links[0].delay_ns == 0);
}
END_TEST

static Suite *command_suite(void)
{
    Suite *suite = suite_create("command");
    TCase *tcase = tcase_create("command");
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, links_are_cut_and_healed);
    tcase_add_test(tcase, what_is_wrong_changes_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(command_suite)
