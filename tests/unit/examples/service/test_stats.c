#include "examples/service/stats.h"
#include "tests/support/support.h"

START_TEST(the_page_is_well_formed_and_buckets_are_cumulative)
{
    struct stats stats = {0};
    const struct store_counts counts = {.active = 2, .idle = 3, .statements = 9};
    struct buf page = BUF_INIT(65536);
    stats_count_request(&stats, 200, NS_PER_MS / 2);
    stats_count_request(&stats, 404, 30 * NS_PER_MS);
    stats_count_request(&stats, 503, 60 * NS_PER_S);
    stats_count_query(&stats, false);
    stats_count_query(&stats, true);
    stats_write(&stats, &counts, &page);
    const char *text = buf_text(&page);
    ck_assert_contains(text, "\nfraiseql_http_requests_total 3\n");
    ck_assert_contains(text, "\nfraiseql_http_responses_2xx 1\n");
    ck_assert_contains(text, "\nfraiseql_http_responses_4xx 1\n");
    ck_assert_contains(text, "\nfraiseql_http_responses_5xx 1\n");
    ck_assert_contains(text, "_bucket{le=\"0.001\"} 1\n");
    ck_assert_contains(text, "_bucket{le=\"0.05\"} 2\n");
    ck_assert_contains(text, "_bucket{le=\"5\"} 2\n");
    ck_assert_contains(text, "_bucket{le=\"+Inf\"} 3\n");
    ck_assert_contains(text, "_seconds_count 3\n");
    ck_assert_contains(text, "\nfraiseql_graphql_queries_total 2\n");
    ck_assert_contains(text, "\nfraiseql_graphql_queries_error 1\n");
    ck_assert_contains(text, "\nfraiseql_db_pool_connections_total 5\n");
    buf_deinit(&page);
}
END_TEST

static Suite *stats_suite(void)
{
    Suite *suite = suite_create("stats");
    TCase *tcase = tcase_create("stats");
    tcase_add_test(tcase, the_page_is_well_formed_and_buckets_are_cumulative);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(stats_suite)
