/* The verb `cost`: flags, exit statuses, budgets. */
#include "provisioner/command.h"
#include "tests/support/support.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static char *folder, *file, *printed, *complained;

#define SHOP                                                                                                 \
    "metadata: { name: shop }\n"                                                                             \
    "regions:\n"                                                                                             \
    "  us-east: { provider: aws, location: us-east-1, instance_type: t3.2xlarge,\n"                          \
    "    database: { size: db.t3.xlarge } }\n"

static void setup(void)
{
    folder = test_folder_new();
    file = test_path(folder, "shop.yaml");
    ck_assert_int_eq(setenv("FRAISEQL_PRICES", folder, 1), 0); // NOLINT(concurrency-mt-unsafe): one thread
}

static void teardown(void)
{
    free(printed);
    free(complained);
    free(file);
    printed = complained = NULL;
    test_folder_remove(folder);
}

/* Standard output or error into a file while the command runs. */
static int redirect(int fd, const char *path)
{
    int kept = dup(fd), target = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_ge(kept, 0);
    ck_assert_int_ge(dup2(target, fd), 0);
    (void)close(target);
    return kept;
}

static int run(const char *text, const char *const *flags)
{
    const char *argv[16] = {"cost", file};
    int argc = 2;
    while (*flags)
        argv[argc++] = *flags++;
    test_file_write(file, str_from(text));
    char *out = test_path(folder, "out"), *err = test_path(folder, "err");
    (void)fflush(NULL);
    int kept_out = redirect(1, out), kept_err = redirect(2, err);
    int status = command_run(argc, (char **)(uintptr_t)argv);
    (void)fflush(NULL);
    (void)dup2(kept_out, 1);
    (void)dup2(kept_err, 2);
    (void)close(kept_out);
    (void)close(kept_err);
    free(printed);
    free(complained);
    printed = test_file_read(out);
    complained = test_file_read(err);
    free(out);
    free(err);
    return status;
}

#define RUN(text, ...) run(text, (const char *const[]){__VA_ARGS__, NULL})

START_TEST(a_table_and_the_age_of_its_prices)
{
    ck_assert_int_eq(RUN(SHOP, "--no-color"), STATUS_OK);
    ck_assert_contains(printed, "AWS (us-east):\n  Compute (3x t3.2xlarge): $728.83\n");
    ck_assert_contains(printed, "(You pay cloud providers directly, no FraiseQL markup)");
    ck_assert_contains(complained, "days old (2026-01-01)");
    ck_assert_contains(complained, "--price-file");
}
END_TEST

START_TEST(json_in_the_contracts_shape)
{
    ck_assert_int_eq(RUN(SHOP, "--format", "json", "--alternatives"), STATUS_OK);
    ck_assert_contains(printed, "{\"type\":\"version\",");
    ck_assert_contains(printed, "\n{\"type\":\"cost\",\"currency\":\"USD\",\"complete\":true,\"monthly\":");
    ck_assert_contains(printed,
                       "{\"component\":\"compute\",\"description\":\"3x t3.2xlarge\",\"quantity\":2190,"
                       "\"unit\":\"hour\",\"unit_price\":0.3328,\"monthly\":728.832,\"source\":");
    ck_assert_contains(printed, "\n{\"type\":\"cost-alternatives\",");
    ck_assert_contains(printed, "\n{\"type\":\"result\",\"ok\":true,");
}
END_TEST

START_TEST(wrong_flags_are_usage_errors)
{
    ck_assert_int_eq(RUN(SHOP, "--format", "tabel"), STATUS_USAGE);
    ck_assert_contains(complained,
                       "--format \"tabel\" is not table, json, csv or markdown; did you mean table?");
    ck_assert_int_eq(RUN(SHOP, "--json", "--format", "csv"), STATUS_USAGE);
}
END_TEST

START_TEST(budgets_warn_and_fail)
{
    ck_assert_int_eq(RUN(SHOP "cost-management: { monthly-budget: 100000 }\n", "--no-color"), STATUS_OK);
    ck_assert_ptr_null(strstr(complained, "budget"));
    ck_assert_int_eq(RUN(SHOP "cost-management: { monthly-budget: 1500 }\n", "--no-color"), STATUS_OK);
    ck_assert_contains(complained, "warning: the estimate is $1,");
    ck_assert_contains(complained, "% of the budget of $1,500.00; the bound is 80 %");
    ck_assert_int_eq(RUN(SHOP "cost-management: { monthly-budget: 500 }\n", "--no-color"), STATUS_FAILURE);
    ck_assert_contains(complained, "shop.yaml:5:36: error: the estimate is");
    ck_assert_int_eq(RUN(SHOP "cost-management: { monthly-budget: 500 }\n", "--region", "us-east"),
                     STATUS_OK);
}
END_TEST

START_TEST(files_that_do_not_read)
{
    char *usage = test_path(folder, "usage.yaml");
    test_file_write(usage, STR("log: 5GB\n"));
    ck_assert_int_eq(RUN(SHOP, "--usage", usage), STATUS_CONFIG);
    ck_assert_contains(complained, "usage.yaml:1:1: error: ");
    ck_assert_int_eq(RUN(SHOP, "--price-file", usage), STATUS_CONFIG);
    ck_assert_contains(complained, "price 1 has 1 fields, not 7");
    ck_assert_int_eq(RUN(SHOP, "--compare", "/nowhere.yaml"), STATUS_CONFIG);
    free(usage);
}
END_TEST

START_TEST(one_region_of_several)
{
    static const char two[] = SHOP "  eu-west: { provider: gcp, location: europe-west1, size: medium }\n";
    ck_assert_int_eq(RUN(two, "--region", "eu-west", "--alternatives", "--no-color"), STATUS_OK);
    ck_assert_ptr_null(strstr(printed, "us-east"));
    ck_assert_contains(printed, "GCP (eu-west):\n");
    ck_assert_contains(printed, "  eu-west, now $467.93:\n    GCP   e2-standard-4        europe-west1        "
                                "4 vCPU    16 GiB      $322.87, 31 % less, in "
                                "the same place\n");
}
END_TEST

START_TEST(another_file_beside_this_one)
{
    char *other = test_path(folder, "other.yaml");
    test_file_write(other, STR("metadata: { name: shop }\n"
                               "regions:\n"
                               "  us-east: { provider: aws, location: us-east-1, instance_type: t3.xlarge,\n"
                               "    database: { size: db.t3.xlarge } }\n"));
    ck_assert_int_eq(RUN(SHOP, "--compare", other, "--format", "csv"), STATUS_OK);
    ck_assert_contains(printed, "\"us-east\",\"compute\",728.832,364.416,-364.416,true\n");
    ck_assert_contains(printed, "\"us-east\",\"database\",423.4,423.4,0,true\n");
    free(other);
}
END_TEST

/* Last: what they add stays for the process. */
START_TEST(cached_and_given_prices_win)
{
    char *cache = test_path(folder, "aws.csv"), *own = test_path(folder, "own.csv");
    test_file_write(cache, STR("# location,item,usd,unit,source,date\n"
                               "us-east-1,vm:t3.2xlarge,0.4,hour,list,2026-11-20\n"));
    ck_assert_int_eq(RUN(SHOP, "--no-color"), STATUS_OK);
    ck_assert_contains(printed, "  Compute (3x t3.2xlarge): $876.00\n");
    test_file_write(own, STR("aws,*,vm:t3.2xlarge,0.1,hour,our contract,2026-11-20\n"));
    ck_assert_int_eq(RUN(SHOP, "--price-file", own, "--format", "markdown"), STATUS_OK);
    ck_assert_contains(printed,
                       "| us-east | compute | 3x t3.2xlarge | 2190 | hour | 0.1 | $219.00 | our contract "
                       "| 2026-11-20 |\n");
    test_file_write(cache, STR("us-east-1,vm:t3.2xlarge,cheap,hour,list,2026-11-20\n"));
    ck_assert_int_eq(RUN(SHOP, "--no-color"), STATUS_CONFIG);
    ck_assert_contains(complained, "aws.csv: price 1: usd \"cheap\" is not a decimal");
    free(cache);
    free(own);
}
END_TEST

static Suite *cost_suite(void)
{
    Suite *suite = suite_create("cost");
    TCase *tcase = tcase_create("cost");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_table_and_the_age_of_its_prices);
    tcase_add_test(tcase, json_in_the_contracts_shape);
    tcase_add_test(tcase, wrong_flags_are_usage_errors);
    tcase_add_test(tcase, budgets_warn_and_fail);
    tcase_add_test(tcase, files_that_do_not_read);
    tcase_add_test(tcase, one_region_of_several);
    tcase_add_test(tcase, another_file_beside_this_one);
    tcase_add_test(tcase, cached_and_given_prices_win);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(cost_suite)
