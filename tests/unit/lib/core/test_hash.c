#include "lib/core/hash.h"
#include "tests/support/support.h"

START_TEST(every_byte_and_the_length_count)
{
    char bytes[70] = {0};
    for (size_t length = 1; length < sizeof bytes; length++) {
        uint64_t plain = hash_bytes(bytes, length);
        ck_assert_uint_eq(plain, hash_bytes(bytes, length));
        ck_assert_uint_ne(plain, hash_bytes(bytes, length - 1));
        for (size_t i = 0; i < length; i++) {
            bytes[i] = 1;
            ck_assert_uint_ne(hash_bytes(bytes, length), plain);
            bytes[i] = 0;
        }
    }
}
END_TEST

/* Low bits choose a table's slot: sequential names must spread over them. */
START_TEST(low_bits_spread)
{
    unsigned slots[1024] = {0}, worst = 0;
    for (unsigned i = 0; i < 16384; i++) {
        char name[32];
        int length = snprintf(name, sizeof name, "series_%u_total", i);
        unsigned *slot = &slots[hash_bytes(name, (size_t)length) % ARRAY_LEN(slots)];
        if (++*slot > worst)
            worst = *slot;
    }
    ck_assert_uint_lt(worst, 48); /* 16 on average; 48 is 8 standard deviations away */
}
END_TEST

START_TEST(the_stable_hash_is_fnv_1a)
{
    ck_assert(hash_stable(STR("")) == UINT64_C(0xcbf29ce484222325));
    ck_assert(hash_stable(STR("a")) == UINT64_C(0xaf63dc4c8601ec8c));
    ck_assert(hash_stable(STR("foobar")) == UINT64_C(0x85944171f73967e8));
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("hash");
    TCase *tests = tcase_create("hash");
    tcase_add_test(tests, every_byte_and_the_length_count);
    tcase_add_test(tests, low_bits_spread);
    tcase_add_test(tests, the_stable_hash_is_fnv_1a);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
