#include "provisioner/config/cidr.h"
#include "tests/support/support.h"

START_TEST(ranges_are_read_whole_or_refused)
{
    struct cidr range;
    struct error err;
    char text[CIDR_TEXT_MAX];
    ck_assert_int_eq(cidr_parse("10.20.0.0/16", &range, &err), 0);
    ck_assert_str_eq(cidr_format(range, text), "10.20.0.0/16");
    ck_assert_int_eq(cidr_parse("0.0.0.0/0", &range, &err), 0);
    ck_assert_uint_eq(range.bits, 0);
    static const char *const wrong[] = {"",           "10.0.0.0",    "10.0.0/8",        "10.0.0.0/33",
                                        "10.0.0.0/",  "10.0.0.0/-1", "10.0.0.0/16 ",    "256.0.0.0/8",
                                        "fd00::/8",   "/16",         "10.0.0.00001/32", "10.0.0.0/1x",
                                        "010.0.0.0/8"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        ck_assert_msg(cidr_parse(wrong[i], &range, &err) < 0, "%s", wrong[i]);
    ck_assert_int_lt(cidr_parse("10.20.30.0/16", &range, &err), 0);
    ck_assert_str_eq(err.message, "10.20.30.0/16 is an address inside a range: did you mean 10.20.0.0/16?");
}
END_TEST

static struct cidr range_of(const char *text)
{
    struct cidr range = {0};
    ck_assert_int_eq(cidr_parse(text, &range, NULL), 0);
    return range;
}

START_TEST(overlap_is_the_wider_one_holding_the_narrower)
{
    ck_assert(cidr_overlaps(range_of("10.0.0.0/8"), range_of("10.255.0.0/16")));
    ck_assert(cidr_overlaps(range_of("10.255.0.0/16"), range_of("10.0.0.0/8")));
    ck_assert(!cidr_overlaps(range_of("10.0.0.0/16"), range_of("10.1.0.0/16")));
    ck_assert(cidr_overlaps(range_of("0.0.0.0/0"), range_of("192.168.0.0/16")));
    ck_assert(cidr_is_private(range_of("172.31.0.0/16")));
    ck_assert(!cidr_is_private(range_of("172.32.0.0/16")));
    ck_assert(!cidr_is_private(range_of("10.0.0.0/7")));
}
END_TEST

static Suite *cidr_suite(void)
{
    Suite *suite = suite_create("cidr");
    TCase *tcase = tcase_create("cidr");
    tcase_add_test(tcase, ranges_are_read_whole_or_refused);
    tcase_add_test(tcase, overlap_is_the_wider_one_holding_the_narrower);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(cidr_suite)
