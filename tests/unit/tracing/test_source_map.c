#include "tracing/source_map.h"

#include "tests/support/support.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static void add(struct source_map *map, const char *text, const char *region)
{
    struct source_prefix prefix;
    struct error err = {0};
    ck_assert_msg(source_prefix_parse(text, &prefix, &err) == 0, "%s: %s", text, err.message);
    prefix.region = region;
    source_map_add(map, &prefix);
}

static const char *find(const struct source_map *map, const char *address)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    if (inet_pton(AF_INET6, address, &v6.sin6_addr) == 1)
        return source_map_find(map, (const struct sockaddr *)&v6);
    ck_assert_int_eq(inet_pton(AF_INET, address, &v4.sin_addr), 1);
    return source_map_find(map, (const struct sockaddr *)&v4);
}

START_TEST(the_longest_prefix_wins)
{
    struct source_map map = {0};
    add(&map, "10.0.0.0/8", "ten");
    add(&map, "10.1.2.0/23", "narrow");
    add(&map, "10.1.2.3", "host");
    add(&map, "10.1.2.3/32", "too late");
    add(&map, "2001:db8::/32", "six");
    ck_assert_str_eq(find(&map, "10.9.9.9"), "ten");
    ck_assert_str_eq(find(&map, "10.1.3.255"), "narrow");
    ck_assert_str_eq(find(&map, "10.1.4.0"), "ten");
    ck_assert_str_eq(find(&map, "10.1.2.3"), "host");
    ck_assert_str_eq(find(&map, "::ffff:10.1.2.3"), "host"); /* through a dual-stack listener */
    ck_assert_str_eq(find(&map, "2001:db8:1::1"), "six");
    ck_assert_ptr_null(find(&map, "2001:db9::1"));
    ck_assert_ptr_null(find(&map, "11.0.0.1"));
    source_map_deinit(&map);
}
END_TEST

START_TEST(all_of_ipv4_or_ipv6)
{
    struct source_map map = {0};
    add(&map, "::/0", "any");
    add(&map, "0.0.0.0/0", "four");
    ck_assert_str_eq(find(&map, "192.0.2.1"), "four");
    ck_assert_str_eq(find(&map, "2001:db8::1"), "any");
    source_map_deinit(&map);
}
END_TEST

START_TEST(other_peers_have_no_region)
{
    struct source_map map = {0};
    struct sockaddr local = {.sa_family = AF_UNIX};
    add(&map, "0.0.0.0/0", "four");
    ck_assert_ptr_null(source_map_find(&map, NULL));
    ck_assert_ptr_null(source_map_find(&map, &local));
    source_map_deinit(&map);
}
END_TEST

START_TEST(refuses_what_is_no_prefix)
{
    static const char *const bad[] = {"",
                                      "10.0.0",
                                      "10.0.0.0/33",
                                      "10.0.0.0/",
                                      "10.0.0.0/-1",
                                      "10.0.0.1/8",
                                      "2001:db8::1/32",
                                      "::/129",
                                      "localhost",
                                      "10.0.0.0/8/8",
                                      "1111:2222:3333:4444:5555:6666:7777:8888:9999:0000:1111:2222"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct source_prefix prefix;
        struct error err = {0};
        ck_assert_msg(source_prefix_parse(bad[i], &prefix, &err) == ERR_CONFIG, "%s", bad[i]);
        ck_assert(err.message[0]);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *tested = suite_create("source_map");
    TCase *tests = tcase_create("source_map");
    tcase_add_test(tests, the_longest_prefix_wins);
    tcase_add_test(tests, all_of_ipv4_or_ipv6);
    tcase_add_test(tests, other_peers_have_no_region);
    tcase_add_test(tests, refuses_what_is_no_prefix);
    suite_add_tcase(tested, tests);
    return tested;
}

TEST_MAIN(suite)
