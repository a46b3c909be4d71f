#include "tests/support/support.h"

#include "lib/core/option.h"

#include <stdlib.h>

struct values {
    int64_t integer, duration;
    uint64_t decimal, size;
    const char *url, *text;
    struct address_option address;
};

static const struct option options[] = {
    {.name = "integer", .type = OPT_INT, .offset = offsetof(struct values, integer), .min = 1},
    {.name = "duration",
     .type = OPT_DURATION,
     .offset = offsetof(struct values, duration),
     .min = 10 * NS_PER_MS,
     .max = 3600 * NS_PER_S},
    {.name = "decimal",
     .type = OPT_DECIMAL,
     .offset = offsetof(struct values, decimal),
     .scale = 2,
     .max = 10000},
    {.name = "size", .type = OPT_SIZE, .offset = offsetof(struct values, size), .max = 1024},
    {.name = "url", .type = OPT_URL, .offset = offsetof(struct values, url)},
    {.name = "text", .type = OPT_STRING, .offset = offsetof(struct values, text), .not_empty = true},
    {.name = "address", .type = OPT_ADDRESS, .offset = offsetof(struct values, address)},
};
static const struct option_section section = {
    .name = "s", .size = sizeof(struct values), .options = options, .option_count = ARRAY_LEN(options)};

static const struct {
    const char *text, *expected; /* NULL: accepted; otherwise the message */
} cases[] = {
    {"integer: 1", NULL},
    {"integer: 9223372036854775807", NULL},
    {"integer: 9223372036854775808", "integer: want a whole number, found \"9223372036854775808\""},
    {"integer: 0", "integer: must be at least 1, found 0"},
    {"integer: 1.5", "integer: want a whole number, found \"1.5\""},
    {"integer: 0x10", "integer: want a whole number, found \"0x10\""},
    {"duration: 10ms", NULL},
    {"duration: 1h", NULL},
    {"duration: 9ms", "duration: must be from 10ms to 1h, found 9ms"},
    {"duration: 3601s", "duration: must be from 10ms to 1h, found 3601s"},
    {"duration: 5", "duration: \"5\" has no unit: want a number and a unit"},
    {"duration: 5 min", "duration: \"5 min\" is not a duration"},
    {"decimal: 99.99", NULL},
    {"decimal: 100.01", "decimal: must be from 0 to 100, found 100.01"},
    {"decimal: 99.999", "decimal: \"99.999\" is not a number with at most 2 digits after the point"},
    {"decimal: -1", "decimal: \"-1\" is not a decimal number"},
    {"size: 1KiB", NULL},
    {"size: 1KB", "size: \"1KB\" is not a size"},
    {"size: 1025", "size: must be from 0B to 1KiB, found 1025"},
    {"url: http://a", NULL},
    {"url: https://u:p@a:1/b?c#d", NULL},
    {"url: http://", "url: \"http://\" is not a URL"},
    {"url: 'http://a b'", "url: \"http://a b\" is not a URL"},
    {"url: gopher://u:secret@a", "url: \"gopher://u:***@a\" is not a URL"},
    {"text: ''", "text: must not be empty"},
    {"address: localhost:1", NULL},
    {"address: :65535", NULL},
    {"address: '[fe80::1%eth0]:80'", NULL},
    {"address: localhost", "address: \"localhost\" is not an address: want host:port"},
    {"address: localhost:0", "address: \"localhost:0\" has no port from 1 to 65535"},
    {"address: localhost:65536", "has no port from 1 to 65535"},
    {"address: ::1:80", "Hint: put an IPv6 address into brackets"},
    {"address: '[::g]:80'", "is not an address"},
    {"address: 'a b:80'", "is not an address"},
    {"address: http://a:80", "is not an address"},
};

START_TEST(accepts_and_refuses)
{
    struct arena *arena = arena_new(0);
    struct diag diag;
    struct node *root;
    struct values values = {0};
    diag_init(&diag);
    ck_assert_int_eq(yaml_parse(arena, "f", str_from(cases[_i].text), &root, &diag), 0);
    int code = option_parse(&section, root, arena, &values, &diag);
    char *messages = test_diag_text(&diag);
    if (cases[_i].expected) {
        ck_assert_int_eq(code, ERR_CONFIG);
        ck_assert_contains(messages, cases[_i].expected);
    } else {
        ck_assert_msg(code == 0, "%s: %s", cases[_i].text, messages);
    }
    free(messages);
    diag_deinit(&diag);
    arena_free(arena);
}
END_TEST

START_TEST(address_parts)
{
    struct arena *arena = arena_new(0);
    struct address_option address;
    struct error err;
    ck_assert_int_eq(option_parse_address(STR(":4318"), arena, &address, &err), 0);
    ck_assert_str_eq(address.host, "");
    ck_assert_str_eq(address.text, ":4318");
    ck_assert_uint_eq(address.port, 4318);
    ck_assert_int_eq(option_parse_address(STR("[::]:1"), arena, &address, &err), 0);
    ck_assert_str_eq(address.host, "::");
    ck_assert_int_lt(option_parse_address(STR(""), arena, &address, &err), 0);
    arena_free(arena);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("option_scalar");
    TCase *tests = tcase_create("option_scalar");
    tcase_add_loop_test(tests, accepts_and_refuses, 0, (int)ARRAY_LEN(cases));
    tcase_add_test(tests, address_parts);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
