#include "tracing/otlp_validate.h"

#include "tests/support/support.h"
#include "tests/unit/tracing/otlp_build.h"

static enum otlp_validity check(struct str message, enum otlp_message type)
{
    return otlp_validate(wire_from(message), type);
}

START_TEST(takes_every_kind_of_value)
{
    static const struct str values[] = {
        {"", 0},
        {"\x0a\x02hi", 4},
        {"\x10\x01", 2},
        {"\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11},
        {"\x21"
         "12345678",
         9},
        {"\x2a\x04\x0a\x02\x10\x01", 6},          /* an array of one boolean */
        {"\x32\x07\x0a\x05\x0a\x01k\x12\x00", 9}, /* a list of one pair without a value */
        {"\x3a\x01\xff", 3},
        {"\x40\x05", 2},
        {"\x0a\x01"
         "a"
         "\x10\x01",
         5}, /* two of the oneof: the last counts */
    };
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        struct buf pair = BUF_INIT(1000);
        ck_assert_msg(check(values[i], OTLP_MESSAGE_ANY_VALUE) == OTLP_VALID, "value %zu", i);
        build_bytes(&pair, 1, STR("key"));
        build_bytes(&pair, 2, values[i]);
        ck_assert_msg(otlp_validate_attribute(wire_from(buf_str(&pair))) == OTLP_VALID, "pair %zu", i);
        buf_deinit(&pair);
    }
}
END_TEST

/* The quick check of attributes and the thorough one say the same of every damage of one byte. */
START_TEST(the_quick_check_agrees)
{
    struct buf pair = BUF_INIT(1000);
    build_bytes(&pair, 1, STR("key"));
    build_bytes(&pair, 2, (struct str){"\x0a\x04text", 6});
    for (size_t at = 0; at < pair.len; at++)
        for (int byte = 0; byte < 256; byte++) {
            char kept = pair.data[at];
            pair.data[at] = (char)byte;
            ck_assert_int_eq(otlp_validate_attribute(wire_from(buf_str(&pair))),
                             check(buf_str(&pair), OTLP_MESSAGE_KEY_VALUE));
            pair.data[at] = kept;
        }
    for (size_t len = 0; len < pair.len; len++) {
        struct str cut = {pair.data, len};
        ck_assert_int_eq(otlp_validate_attribute(wire_from(cut)), check(cut, OTLP_MESSAGE_KEY_VALUE));
    }
    buf_deinit(&pair);
}
END_TEST

START_TEST(sees_damage_below)
{
    ck_assert_int_eq(check((struct str){"\x2a\x04\x0a\x02\x10\x80", 6}, OTLP_MESSAGE_ANY_VALUE),
                     OTLP_DAMAGED);
    ck_assert_int_eq(check((struct str){"\x2a\x04\x0a\x02\x15\x01", 6}, OTLP_MESSAGE_ANY_VALUE),
                     OTLP_DAMAGED);
    ck_assert_int_eq(check((struct str){"\x1a\x05\x0a\x01kx", 6}, OTLP_MESSAGE_EVENT), OTLP_DAMAGED);
    ck_assert_int_eq(check((struct str){"\x32\x01\x01", 3}, OTLP_MESSAGE_LINK), OTLP_DAMAGED);
    ck_assert_int_eq(check((struct str){"\x1a\x02\x08\x01", 4}, OTLP_MESSAGE_RESOURCE), OTLP_DAMAGED);
    ck_assert_int_eq(check((struct str){"\x1a\x04\x1a\x02id", 6}, OTLP_MESSAGE_RESOURCE), OTLP_VALID);
}
END_TEST

static Suite *suite(void)
{
    Suite *tested = suite_create("otlp_validate");
    TCase *tests = tcase_create("otlp_validate");
    tcase_add_test(tests, takes_every_kind_of_value);
    tcase_add_test(tests, the_quick_check_agrees);
    tcase_add_test(tests, sees_damage_below);
    suite_add_tcase(tested, tests);
    return tested;
}

TEST_MAIN(suite)
