#include "scrapers/kubernetes/quantity.h"

#include "tests/support/support.h"

START_TEST(whole_quantities_stay_integers)
{
    static const struct {
        const char *text;
        uint64_t value;
    } cases[] = {
        {"0", 0},
        {"7", 7},
        {"+7", 7},
        {"110", 110},
        {"4k", 4000},
        {"1M", 1000000},
        {"2G", 2000000000},
        {"1T", 1000000000000},
        {"1P", 1000000000000000},
        {"1E", 1000000000000000000},
        {"1E3", 1000},
        {"1e3", 1000},
        {"1.5e1", 15},
        {"64Mi", 67108864},
        {"1.5Gi", 1610612736},
        {"16Ki", 16384},
        {"1Ti", 1099511627776},
        {"1Pi", 1125899906842624},
        {"1Ei", 1152921504606846976},
        {"3000m", 3},
        {"128974848000m", 128974848},
        {"5000000000n", 5},
        {"9223372036854775807", INT64_MAX},
        {"0.000k", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct value value = {0};
        bool good = quantity_parse(str_from(cases[i].text), &value);
        ck_assert_msg(good && value.kind == VALUE_U64 && value.u64 == cases[i].value, "%s", cases[i].text);
    }
}
END_TEST

START_TEST(fractions_are_the_nearest_double)
{
    static const struct {
        const char *text;
        double value;
    } cases[] = {
        {"250m", 0.25},
        {"1m", 0.001},
        {"100m", 0.1},
        {"12345n", 12345e-9},
        {"1u", 1e-6},
        {"0.1", 0.1},
        {".5", 0.5},
        {"2.", 2},
        {"1500m", 1.5},
        {"1e-3", 0.001},
        {"0.5Ki", 512},
        {"0.3Ki", 307.2},
        {"100E", 1e20},
        {"9223372036854775808", 9223372036854775808.0},
        {"99999999999999999999999", 1e23},
        {"18446744073709551615", 18446744073709551615.0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct value value = {0};
        ck_assert_msg(quantity_parse(str_from(cases[i].text), &value), "%s", cases[i].text);
        double got = value_to_double(value),
               off = got > cases[i].value ? got - cases[i].value : cases[i].value - got;
        ck_assert_msg(off <= 1e-15 * cases[i].value, "%s: %.17g", cases[i].text, got);
    }
    struct value value = {0};
    ck_assert(quantity_parse(STR("-1500m"), &value) && value_to_double(value) < -1.49);
    ck_assert(quantity_parse(STR("-3"), &value) && value.kind == VALUE_I64 && value.i64 == -3);
}
END_TEST

START_TEST(what_is_no_quantity)
{
    static const char *const bad[] = {"",    "-",   "Ki",   "m",   ".",   "1 ",    " 1",   "1K",
                                      "1ki", "1mi", "1Kii", "1e",  "1e+", "1e999", "1..2", "1.2.3",
                                      "NaN", "inf", "0x1",  "1,5", "--1", "1e1.5", "1Mi1"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct value value;
        ck_assert_msg(!quantity_parse(str_from(bad[i]), &value), "\"%s\"", bad[i]);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("kubernetes_quantity");
    TCase *tests = tcase_create("quantity");
    tcase_add_test(tests, whole_quantities_stay_integers);
    tcase_add_test(tests, fractions_are_the_nearest_double);
    tcase_add_test(tests, what_is_no_quantity);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
