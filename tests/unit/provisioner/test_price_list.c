#include "provisioner/catalog/price_list.h"

#include "provisioner/embedded.h"
#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>

START_TEST(built_in_prices_read_and_have_a_source)
{
    static const char *const clouds[] = {"aws", "gcp", "azure"};
    for (size_t i = 0; i < ARRAY_LEN(clouds); i++) {
        char path[64];
        struct error err = {0};
        (void)snprintf(path, sizeof path, "%s/catalog/prices.csv", clouds[i]);
        const struct embedded_file *file = embedded_find(path);
        ck_assert_ptr_nonnull(file);
        ck_assert_msg(price_list_read(PRICES_BUILT_IN, clouds[i], path, file->bytes, &err) == 0, "%s",
                      err.message);
    }
    const struct price *price = catalog_price("aws", "us-east-1", "vm:t3.2xlarge");
    ck_assert_int_eq(price->nano_usd, 332800000);
    ck_assert_str_eq(price->unit, "hour");
    ck_assert_str_eq(price->date, "2026-07-20");
    ck_assert_str_eq(price->source, "karpenter-provider-aws price table");
}
END_TEST

START_TEST(what_is_not_there_is_unknown)
{
    ck_assert_ptr_null(catalog_price("azure", "southeastasia", "db:GP_Standard_D4s_v3"));
    ck_assert_ptr_null(catalog_price("aws", "us-east-1", "vm:t9.huge"));
    ck_assert_ptr_null(catalog_price("nowhere", "us-east-1", "vm:t3.large"));
    ck_assert_int_eq(catalog_price("aws", "af-south-1", "secret")->nano_usd, 400000000); /* "*" */
}
END_TEST

START_TEST(later_lists_win)
{
    struct error err = {0};
    ck_assert_int_eq(price_list_read(PRICES_CACHED, "aws", "cache",
                                     STR("us-east-1,vm:m5.large,0.1,hour,list,2026-11-01\n"), &err),
                     0);
    ck_assert_int_eq(catalog_price("aws", "us-east-1", "vm:m5.large")->nano_usd, 100000000);
    ck_assert_int_eq(price_list_read(PRICES_GIVEN, NULL, "ours",
                                     STR("# ours\naws,*,vm:m5.large,0.05,hour,contract,2026-11-02\n"), &err),
                     0);
    ck_assert_int_eq(catalog_price("aws", "us-east-1", "vm:m5.large")->nano_usd, 50000000);
    ck_assert_int_eq(catalog_price("aws", "us-east-1", "vm:m5.xlarge")->nano_usd, 192000000);
}
END_TEST

START_TEST(written_lines_read_back)
{
    struct buf out = BUF_INIT(4096);
    struct error err = {0};
    price_list_write_header(&out);
    const struct price price = {400, "GB", "a, b\nc", "2026-11-25"};
    price_list_write(&out, "eu-west-3", "egress-region", &price);
    ck_assert_str_eq(buf_text(&out), "# location,item,usd,unit,source,date\n"
                                     "eu-west-3,egress-region,0.0000004,GB,a  b c,2026-11-25\n");
    ck_assert_int_eq(price_list_read(PRICES_CACHED, "aws", "cache", buf_str(&out), &err), 0);
    ck_assert_int_eq(catalog_price("aws", "eu-west-3", "egress-region")->nano_usd, 400);
    buf_deinit(&out);
}
END_TEST

static void count_one(void *ctx, const char *location, const char *item)
{
    struct buf *seen = ctx;
    buf_printf(seen, "%s %s\n", location, item);
}

START_TEST(each_price_of_a_layer)
{
    struct buf seen = BUF_INIT(4096);
    struct error err = {0};
    ck_assert_int_eq(price_list_read(PRICES_GIVEN, NULL, "ours",
                                     STR("azure,*,lb,1,hour,s,2026-11-01\naws,x,nat,1,hour,s,2026-11-01\n"),
                                     &err),
                     0);
    price_list_each(PRICES_GIVEN, "azure", count_one, &seen);
    ck_assert_str_eq(buf_text(&seen), "* lb\n");
    buf_reset(&seen);
    price_list_each(PRICES_GIVEN, "self-hosted", count_one, &seen);
    ck_assert_uint_eq(seen.len, 0);
    buf_deinit(&seen);
}
END_TEST

START_TEST(bad_lists_are_refused)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"aws,*,x,1,hour,s", "f: price 1 has 6 fields, not 7"},
        {"aws,*,x,1,hour,s,2026-01-01\nibm,*,x,1,hour,s,2026-01-01",
         "f: price 2: provider \"ibm\" is not one that this program knows"},
        {"aws,*,x,-1,hour,s,2026-01-01",
         "f: price 1: usd \"-1\" is not a decimal of at most nine digits after the point"},
        {"aws,*,x,1,fortnight,s,2026-01-01",
         "f: price 1: unit \"fortnight\" is not hour, month, GB, GB-month, thousand or million"},
        {"aws,*,x,1,hour,s,1.1.2026", "f: price 1: date \"1.1.2026\" is not of the form YYYY-MM-DD"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = {0};
        ck_assert_int_eq(price_list_read(PRICES_GIVEN, NULL, "f", str_from(cases[i].text), &err), ERR_PARSE);
        ck_assert_str_eq(err.message, cases[i].message);
    }
}
END_TEST

START_TEST(what_a_layer_holds)
{
    struct price_list_facts facts;
    struct error err = {0};
    price_list_look(PRICES_GIVEN, "gcp", &facts);
    ck_assert_uint_eq(facts.prices, 0);
    ck_assert_ptr_null(facts.oldest);
    ck_assert_int_eq(
        price_list_read(PRICES_GIVEN, NULL, "ours",
                        STR("gcp,*,lb,1,hour,a,2026-03-01\ngcp,*,nat,1,hour,a,2026-01-02\n"
                            "gcp,*,nat-data,1,GB,a,2026-11-01\nazure,*,lb,1,hour,a,2020-01-01\n"),
                        &err),
        0);
    price_list_look(PRICES_GIVEN, "gcp", &facts);
    ck_assert_uint_eq(facts.prices, 3);
    ck_assert_str_eq(facts.oldest, "2026-01-02");
    ck_assert_str_eq(facts.newest, "2026-11-01");
    price_list_look(PRICES_BUILT_IN, "aws", &facts);
    ck_assert_uint_gt(facts.prices, 400);
}
END_TEST

START_TEST(the_cache_is_where_the_user_says)
{
    struct arena *arena = arena_new(0);
    ck_assert_int_eq(setenv("FRAISEQL_PRICES", "/p", 1), 0);
    ck_assert_str_eq(price_list_path("gcp", arena), "/p/gcp.csv");
    ck_assert_int_eq(unsetenv("FRAISEQL_PRICES"), 0);
    ck_assert_int_eq(setenv("XDG_CACHE_HOME", "/x", 1), 0);
    ck_assert_str_eq(price_list_path("gcp", arena), "/x/fraiseql/prices/gcp.csv");
    ck_assert_int_eq(unsetenv("XDG_CACHE_HOME"), 0);
    ck_assert_int_eq(setenv("HOME", "/h", 1), 0);
    ck_assert_str_eq(price_list_path(NULL, arena), "/h/.cache/fraiseql/prices");
    arena_free(arena);
}
END_TEST

static Suite *price_list_suite(void)
{
    Suite *suite = suite_create("price_list");
    TCase *tcase = tcase_create("price_list");
    tcase_add_test(tcase, built_in_prices_read_and_have_a_source);
    tcase_add_test(tcase, what_is_not_there_is_unknown);
    tcase_add_test(tcase, later_lists_win);
    tcase_add_test(tcase, written_lines_read_back);
    tcase_add_test(tcase, bad_lists_are_refused);
    tcase_add_test(tcase, what_a_layer_holds);
    tcase_add_test(tcase, the_cache_is_where_the_user_says);
    tcase_add_test(tcase, each_price_of_a_layer);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(price_list_suite)
