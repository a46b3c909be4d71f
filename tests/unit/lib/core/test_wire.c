#include "tests/support/support.h"
#include "tests/support/wire_build.h"

START_TEST(reads_varints_up_to_ten_bytes)
{
    static const struct {
        struct str bytes;
        uint64_t value;
    } cases[] = {
        {{"\x00", 1}, 0},
        {{"\x7f", 1}, 127},
        {{"\x80\x01", 2}, 128},
        {{"\xac\x02", 2}, 300},
        {{"\x81\x80\x80\x00", 4}, 1},
        {{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10}, UINT64_MAX},
        {{"\x85\x80\x80\x80\x80\x80\x80\x80\x80\x00", 10}, 5},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct wire wire = wire_from(cases[i].bytes);
        uint64_t value;
        ck_assert(wire_varint(&wire, &value));
        ck_assert_uint_eq(value, cases[i].value);
        ck_assert(!wire_more(&wire));
    }
}
END_TEST

START_TEST(refuses_varints_that_end_early_or_never)
{
    static const struct str cases[] = {
        {"", 0}, {"\x80", 1}, {"\xff\xff", 2}, {"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 11}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct wire wire = wire_from(cases[i]);
        uint64_t value;
        ck_assert(!wire_varint(&wire, &value));
    }
}
END_TEST

START_TEST(reads_tags_of_any_length_and_refuses_field_zero)
{
    struct wire one = wire_from((struct str){"\x0a", 1}), two = wire_from((struct str){"\x85\x01", 2}),
                padded = wire_from((struct str){"\x8a\x80\x80\x80\x00", 5}),
                largest = wire_from((struct str){"\xfa\xff\xff\xff\x0f", 5});
    uint32_t tag;
    ck_assert(wire_tag(&one, &tag) && tag == WIRE_TAG(1, WIRE_BYTES));
    ck_assert(wire_tag(&two, &tag) && tag == WIRE_TAG(16, WIRE_FIXED32));
    ck_assert(wire_tag(&padded, &tag) && tag == WIRE_TAG(1, WIRE_BYTES));
    ck_assert(wire_tag(&largest, &tag) && tag >> 3 == 536870911);
    static const struct str bad[] = {{"\x00", 1},
                                     {"\x02", 1},
                                     {"\x82\x00", 2},
                                     {"\xff\xff\xff\xff\x1f", 5},
                                     {"\x8a\x80\x80\x80\x80\x00", 6},
                                     {"\x8a", 1}};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct wire wire = wire_from(bad[i]);
        ck_assert_msg(!wire_tag(&wire, &tag), "case %zu", i);
    }
}
END_TEST

static bool skips(struct str bytes)
{
    struct wire wire = wire_from(bytes);
    uint32_t tag;
    return wire_tag(&wire, &tag) && wire_skip(&wire, tag) && !wire_more(&wire);
}

START_TEST(skips_unknown_fields_of_every_type)
{
    ck_assert(skips((struct str){"\x08\x96\x01", 3}));
    ck_assert(skips((struct str){"\x09"
                                 "12345678",
                                 9}));
    ck_assert(skips((struct str){"\x0a\x03"
                                 "abc",
                                 5}));
    ck_assert(skips((struct str){"\x0d"
                                 "1234",
                                 5}));
    ck_assert(skips((struct str){"\x0b\x08\x01\x13\x14\x0c", 6})); /* group 1 { 1: 1, group 2 {} } */
    ck_assert(!skips((struct str){"\x0b\x08\x01", 3}));            /* without an end */
    ck_assert(!skips((struct str){"\x0b\x14", 2}));                /* the end of another */
    ck_assert(!skips((struct str){"\x0c", 1}));                    /* an end alone */
    ck_assert(!skips((struct str){"\x0e", 1}));                    /* wire types 6 and 7 */
    ck_assert(!skips((struct str){"\x0f", 1}));
    ck_assert(!skips((struct str){"\x0a\x04"
                                  "abc",
                                  5}));
    ck_assert(!skips((struct str){"\x09"
                                  "1234567",
                                  8}));
    ck_assert(!skips((struct str){"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11})); /* length 2^64-1 */
}
END_TEST

START_TEST(bounds_nested_groups)
{
    char bytes[2 * (WIRE_MAX_DEPTH + 1)];
    for (size_t depth = WIRE_MAX_DEPTH; depth <= WIRE_MAX_DEPTH + 1; depth++) {
        memset(bytes, 0x0b, depth);
        memset(bytes + depth, 0x0c, depth);
        ck_assert(skips((struct str){bytes, 2 * depth}) == (depth == WIRE_MAX_DEPTH));
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *tested = suite_create("wire");
    TCase *tests = tcase_create("wire");
    tcase_add_test(tests, reads_varints_up_to_ten_bytes);
    tcase_add_test(tests, refuses_varints_that_end_early_or_never);
    tcase_add_test(tests, reads_tags_of_any_length_and_refuses_field_zero);
    tcase_add_test(tests, skips_unknown_fields_of_every_type);
    tcase_add_test(tests, bounds_nested_groups);
    suite_add_tcase(tested, tests);
    return tested;
}

TEST_MAIN(suite)
