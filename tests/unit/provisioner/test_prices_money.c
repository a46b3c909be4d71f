#include "provisioner/prices/money.h"

#include "tests/support/support.h"

static void check_reads(const char *text, int64_t expected)
{
    int64_t nano_usd = -1;
    ck_assert_msg(money_parse(str_from(text), &nano_usd), "%s", text);
    ck_assert_msg(nano_usd == expected, "%s is %lld", text, (long long)nano_usd);
}

START_TEST(reads_exactly)
{
    check_reads("0", 0);
    check_reads("0.0", 0);
    check_reads("0.0000000000", 0);
    check_reads("0.0416", 41600000);
    check_reads("0.0416000000", 41600000);
    check_reads("12", INT64_C(12000000000));
    check_reads("1200.50", INT64_C(1200500000000));
    check_reads("0.000000001", 1);
    check_reads("0.00000000100000000", 1);
    check_reads("4E-07", 400);
    check_reads("1.04e-02", 10400000);
    check_reads("1.5e+2", INT64_C(150000000000));
    check_reads("0.1e1", INT64_C(1000000000));
    check_reads("100000", INT64_C(100000000000000));
    check_reads("0e64", 0);
    check_reads("00.10", 100000000);
}
END_TEST

START_TEST(refuses_what_is_no_price)
{
    static const char *const texts[] = {"",
                                        ".5",
                                        "5.",
                                        "-1",
                                        "+1",
                                        "1e",
                                        "1e+",
                                        "1e123",
                                        "1e99",
                                        "0x10",
                                        "1,000",
                                        "1 ",
                                        " 1",
                                        "nan",
                                        "infinity",
                                        "1.2.3",
                                        "0.0000000001",
                                        "1e-10",
                                        "$1",
                                        "1e1x",
                                        "1_000",
                                        "1.e2",
                                        "100001",
                                        "1e6",
                                        "99999999999999999999",
                                        "100000.000000001",
                                        "0.0416000001e-2",
                                        "0.1234567891"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        int64_t nano_usd = -1;
        ck_assert_msg(!money_parse(str_from(texts[i]), &nano_usd), "\"%s\" is %lld", texts[i],
                      (long long)nano_usd);
        ck_assert_int_eq(nano_usd, -1);
    }
}
END_TEST

START_TEST(numbers_that_are_no_price_of_ours)
{
    ck_assert(money_is_number(STR("0.0000000001")));
    ck_assert(money_is_number(STR("0.12345678901234567890123")));
    ck_assert(money_is_number(STR("1e-99")));
    ck_assert(money_is_number(STR("5E+7")));
    ck_assert(!money_is_number(STR("")));
    ck_assert(!money_is_number(STR("-1")));
    ck_assert(!money_is_number(STR("1.")));
    ck_assert(!money_is_number(STR("1e")));
    ck_assert(!money_is_number(STR("1 ")));
    ck_assert(!money_is_number(STR("1,5")));
}
END_TEST

static Suite *money_suite(void)
{
    Suite *suite = suite_create("prices_money");
    TCase *tcase = tcase_create("money");
    tcase_add_test(tcase, reads_exactly);
    tcase_add_test(tcase, refuses_what_is_no_price);
    tcase_add_test(tcase, numbers_that_are_no_price_of_ours);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(money_suite)
