#include "provisioner/prices/found.h"

#include "tests/support/support.h"

#include <stdlib.h>

#define DAY_NS INT64_C(1764115200000000000) /* 2025-11-26 */

static struct found found;
static char *folder, *path;

static void setup(void)
{
    folder = test_folder_new();
    path = test_path(folder, "new/prices/aws.csv");
    found_init(&found, DAY_NS);
}

static void teardown(void)
{
    found_deinit(&found);
    free(path);
    test_folder_remove(folder);
}

static void put(const char *location, const char *item, int64_t nano_usd)
{
    found_put(&found, (struct found_key){location, item}, nano_usd, "hour", "a list");
}

static void check_saved(bool keep, const char *expected)
{
    struct error err = {0};
    ck_assert_msg(found_save(&found, path, keep, &err) == 0, "%s", err.message);
    char *text = test_file_read(path);
    ck_assert_str_eq(text, expected);
    free(text);
}

START_TEST(sorted_and_dated)
{
    put("b", "nat", 45000000);
    put("a", "vm:x", 1);
    put("a", "lb", INT64_C(2000000000));
    put("a", "free", 0);
    put("a", "lb", INT64_C(2000000000));
    ck_assert_uint_eq(found_count(&found), 3);
    check_saved(true, "# location,item,usd,unit,source,date\n"
                      "a,lb,2,hour,a list,2025-11-26\n"
                      "a,vm:x,0.000000001,hour,a list,2025-11-26\n"
                      "b,nat,0.045,hour,a list,2025-11-26\n");
}
END_TEST

START_TEST(two_prices_are_none)
{
    put("a", "lb", 1);
    ck_assert(found_has(&found, (struct found_key){"a", "lb"}));
    put("a", "lb", 2);
    put("a", "lb", 1);
    ck_assert(!found_has(&found, (struct found_key){"a", "lb"}));
    ck_assert(!found_has(&found, (struct found_key){"b", "lb"}));
    put("a", "nat", 5);
    ck_assert_uint_eq(found_count(&found), 1);
    ck_assert_uint_eq(found.conflicts, 1);
    check_saved(false, "# location,item,usd,unit,source,date\na,nat,0.000000005,hour,a list,2025-11-26\n");
}
END_TEST

START_TEST(the_dearest_of_several)
{
    const struct found_key key = {"a", "egress-region:europe"};
    found_put_dearest(&found, key, 20, "GB", "to one");
    found_put_dearest(&found, key, 30, "GB", "to two");
    found_put_dearest(&found, key, 10, "GB", "to three");
    ck_assert_uint_eq(found_count(&found), 1);
    check_saved(false, "# location,item,usd,unit,source,date\n"
                       "a,egress-region:europe,0.00000003,GB,to two,2025-11-26\n");
}
END_TEST

START_TEST(taken_over_and_forgotten)
{
    struct found other;
    found_init(&other, 0);
    put("a", "lb", 1);
    put("a", "nat", 1);
    const struct found_key lb = {"a", "lb"}, nat = {"a", "nat"}, ipv4 = {"a", "ipv4"};
    found_put(&other, lb, 2, "hour", "x");
    found_put(&other, nat, 1, "hour", "x");
    found_put(&other, ipv4, 3, "hour", "x");
    found_put(&other, (struct found_key){"a", "disk"}, 3, "hour", "x");
    found_put(&other, (struct found_key){"a", "disk"}, 4, "hour", "x");
    found_take(&found, &other);
    ck_assert_uint_eq(found.conflicts, 2);
    check_saved(false, "# location,item,usd,unit,source,date\n"
                       "a,ipv4,0.000000003,hour,x,2025-11-26\n"
                       "a,nat,0.000000001,hour,a list,2025-11-26\n");
    found_reset(&other);
    ck_assert_uint_eq(found_count(&other), 0);
    found_deinit(&other);
}
END_TEST

START_TEST(what_was_not_found_again_stays)
{
    put("a", "lb", 1);
    check_saved(false, "# location,item,usd,unit,source,date\na,lb,0.000000001,hour,a list,2025-11-26\n");
    test_file_write(path, STR("# ours\nz,lb,4.50,hour,contract,2024-01-01\na,lb,9,hour,old,2024-01-01\n"
                              "a,nat,9,hour,old,2024-01-01\n"));
    put("a", "nat", 5);
    put("a", "nat", 6);
    check_saved(true, "# location,item,usd,unit,source,date\n"
                      "a,lb,0.000000001,hour,a list,2025-11-26\n"
                      "a,nat,9,hour,old,2024-01-01\n"
                      "z,lb,4.5,hour,contract,2024-01-01\n");
}
END_TEST

START_TEST(an_old_list_that_cannot_be_read)
{
    struct error err = {0};
    put("a", "lb", 1);
    check_saved(false, "# location,item,usd,unit,source,date\na,lb,0.000000001,hour,a list,2025-11-26\n");
    test_file_write(path, STR("a,lb,9,hour,old,2024-01-01\na,lb,nine,hour,old,2024-01-01\n"));
    ck_assert_int_eq(found_save(&found, path, true, &err), ERR_PARSE);
    ck_assert_contains(err.message, "price 2 is malformed");
    check_saved(false, "# location,item,usd,unit,source,date\na,lb,0.000000001,hour,a list,2025-11-26\n");
}
END_TEST

static Suite *found_suite(void)
{
    Suite *suite = suite_create("prices_found");
    TCase *tcase = tcase_create("found");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, sorted_and_dated);
    tcase_add_test(tcase, two_prices_are_none);
    tcase_add_test(tcase, the_dearest_of_several);
    tcase_add_test(tcase, taken_over_and_forgotten);
    tcase_add_test(tcase, what_was_not_found_again_stays);
    tcase_add_test(tcase, an_old_list_that_cannot_be_read);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(found_suite)
