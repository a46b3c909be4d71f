#include "scrapers/cloudwatch/cloudwatch_names.h"

#include "scrapers/cloud/vocabulary.h"
#include "scrapers/cloudwatch/cloudwatch_profiles.h"
#include "tests/support/support.h"

static void is_named(const char *space, const char *metric, const char *statistic, const char *expected)
{
    struct buf name = BUF_INIT(4096);
    cloudwatch_name(&name, space, str_from(metric), statistic);
    ck_assert_str_eq(buf_text(&name), expected);
    buf_deinit(&name);
}

/* Names of YACE's own documentation and dashboards. */
START_TEST(names_are_yace_s)
{
    is_named("AWS/RDS", "CPUUtilization", "Average", "aws_rds_cpuutilization_average");
    is_named("AWS/RDS", "FreeStorageSpace", "Minimum", "aws_rds_free_storage_space_minimum");
    is_named("AWS/EC2", "EBSIOBalance%", "Minimum", "aws_ec2_ebsiobalance_percent_minimum");
    is_named("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", "Sum",
             "aws_applicationelb_httpcode_target_5_xx_count_sum");
    is_named("AWS/ApplicationELB", "TargetResponseTime", "p95",
             "aws_applicationelb_target_response_time_p95");
    is_named("Shop", "Orders", "Sum", "aws_shop_orders_sum");
    is_named("Glue", "glue.driver.aggregate.bytesRead", "Average",
             "aws_glue_driver_aggregate_bytes_read_average");
    is_named("/aws/sagemaker/TrainingJobs", "CPUUtilization", "Average",
             "aws_sagemaker_trainingjobs_cpuutilization_average");
    is_named("AWS/RDS", "info", NULL, "aws_rds_info");
    is_named("Shop %", "Sold", "Sum", "aws_shop__percent_sold_sum");
}
END_TEST

START_TEST(labels_keep_their_case)
{
    struct buf label = BUF_INIT(4096);
    cloudwatch_label(&label, "dimension_", STR("DBInstanceIdentifier"));
    ck_assert_str_eq(buf_text(&label), "dimension_DBInstanceIdentifier");
    buf_reset(&label);
    cloudwatch_label(&label, "tag_", STR("aws:cloudformation:stack-name"));
    ck_assert_str_eq(buf_text(&label), "tag_aws_cloudformation_stack_name");
    buf_deinit(&label);
}
END_TEST

START_TEST(patterns)
{
    ck_assert(cloudwatch_matches("*", STR("")));
    ck_assert(cloudwatch_matches("*", STR("x")));
    ck_assert(cloudwatch_matches("a*c", STR("abbc")));
    ck_assert(cloudwatch_matches("a*b*c", STR("a-b-b-c")));
    ck_assert(!cloudwatch_matches("a*c", STR("abbd")));
    ck_assert(!cloudwatch_matches("a", STR("ab")));
    ck_assert(!cloudwatch_matches("ab", STR("a")));
    ck_assert(cloudwatch_matches("", STR("")));
}
END_TEST

START_TEST(profiles_speak_the_vocabulary)
{
    for (const struct cloudwatch_profile *profile = cloudwatch_profiles; profile->name; profile++) {
        for (size_t i = 0; i < profile->count; i++) {
            const struct cloudwatch_profile_metric *metric = &profile->metrics[i];
            ck_assert_msg(!metric->word || cloud_common_find(metric->word), "%s", metric->word);
            ck_assert_msg(!metric->word || strstr(metric->statistics, metric->word_stat), "%s", metric->name);
            ck_assert_int_eq(metric->period_s % 60, 0);
        }
    }
    ck_assert_ptr_null(cloud_common_find("nothing"));
    for (const struct cloud_common *word = cloud_common_words; word->word; word++) {
        ck_assert_ptr_eq(cloud_common_find(word->word), word);
        bool total = str_ends(str_from(word->word), STR("_total"));
        ck_assert_msg(total == word->counter, "%s", word->word);
        size_t length = strlen(word->word) - (total ? 6 : 0);
        ck_assert_msg(!word->unit || str_ends((struct str){word->word, length}, str_from(word->unit)), "%s",
                      word->word);
    }
}
END_TEST

START_TEST(global_services_are_asked_at_home)
{
    ck_assert_str_eq(cloudwatch_home("AWS/Route53", "eu-west-1"), "us-east-1");
    ck_assert_str_eq(cloudwatch_home("AWS/RDS", "eu-west-1"), "eu-west-1");
    ck_assert_str_eq(cloudwatch_home("AWS/Route53", "cn-north-1"), "cn-north-1");
}
END_TEST

static Suite *cloudwatch_names_suite(void)
{
    Suite *suite = suite_create("cloudwatch_names");
    TCase *tcase = tcase_create("cloudwatch_names");
    tcase_add_test(tcase, names_are_yace_s);
    tcase_add_test(tcase, labels_keep_their_case);
    tcase_add_test(tcase, patterns);
    tcase_add_test(tcase, profiles_speak_the_vocabulary);
    tcase_add_test(tcase, global_services_are_asked_at_home);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(cloudwatch_names_suite)
