#include "relay/relay.h"
#include "tests/support/support.h"

#include <arpa/inet.h>
#include <string.h>

static struct relay relay;

static const char *parse(const char *text)
{
    char copy[1024];
    (void)snprintf(copy, sizeof copy, "%s", text);
    return config_parse(copy, &relay);
}

START_TEST(links_and_routes)
{
    ck_assert_ptr_null(
        parse("region us 0\ntun regions0\ndata /d\ncontrol /c\npeer eu 1 10.89.1.11 40000 /run/eu\n"
              "peer ap 2 10.89.1.12 0 /run/ap\n"));
    ck_assert_uint_eq(relay.link_count, 2);
    ck_assert_int_eq(relay.links[0].delay_ns, 40000000);
    ck_assert_ptr_eq(relay_find(&relay, "ap"), &relay.links[1]);
    ck_assert_ptr_null(relay_find(&relay, "us"));
    unsigned char packet[20] = {0x45};
    ck_assert_int_eq(inet_pton(AF_INET, "10.89.1.12", packet + 16), 1);
    ck_assert_ptr_eq(relay_route(&relay, packet, sizeof packet), &relay.links[1]);
    ck_assert_ptr_null(relay_route(&relay, packet, 19));
    packet[0] = 0x60;
    ck_assert_ptr_null(relay_route(&relay, packet, sizeof packet));
    packet[0] = 0x45;
    packet[19] = 99;
    ck_assert_ptr_null(relay_route(&relay, packet, sizeof packet));
}
END_TEST

START_TEST(what_is_wrong_is_said)
{
    static const char *const wrong[] = {"",
                                        "region us 0\ntun t\ndata /d\n",
                                        "region us x\n",
                                        "region us 256\n",
                                        "tun a-name-that-is-too-long\n",
                                        "nonsense\n",
                                        "peer eu 1 here 0 /x\n",
                                        "peer eu 1 1.2.3.4 -1 /x\n",
                                        "peer eu 1 1.2.3.4 10000001 /x\n",
                                        "peer eu 1 1.2.3.4 0\n"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_msg(parse(wrong[i]) != NULL, "%s", wrong[i]);
}
END_TEST

static Suite *config_suite(void)
{
    Suite *suite = suite_create("config");
    TCase *tcase = tcase_create("config");
    tcase_add_test(tcase, links_and_routes);
    tcase_add_test(tcase, what_is_wrong_is_said);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(config_suite)
