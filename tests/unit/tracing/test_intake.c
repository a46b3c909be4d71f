#include "tracing/intake.h"

#include "tests/support/support.h"
#include "tests/unit/tracing/otlp_build.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static const int64_t bounds[] = {10, 100};

struct fixture {
    struct span_rules *rules;
    struct span_shard *shard;
    struct source_map sources;
    struct sockaddr_in peer;
    struct span_deltas deltas;
    uint32_t keys;
    struct buf body;
    struct intake_counts counts;
};

static void fixture_init(struct fixture *fixture)
{
    *fixture = (struct fixture){.body = BUF_INIT(BUILD_MAX), .peer = {.sin_family = AF_INET}};
    struct source_prefix prefix;
    ck_assert_int_eq(span_rules_new(bounds, ARRAY_LEN(bounds), NULL, 0, &fixture->rules, NULL), 0);
    fixture->shard = span_shard_new(100, 100, fixture->rules);
    span_deltas_init(&fixture->deltas, fixture->rules);
    ck_assert_int_eq(source_prefix_parse("10.0.0.0/8", &prefix, NULL), 0);
    prefix.region = "by-address";
    source_map_add(&fixture->sources, &prefix);
}

static void fixture_deinit(struct fixture *fixture)
{
    span_deltas_deinit(&fixture->deltas);
    span_shard_free(fixture->shard);
    span_rules_free(fixture->rules);
    source_map_deinit(&fixture->sources);
    buf_deinit(&fixture->body);
}

static int run(struct fixture *fixture, const char *peer)
{
    const struct intake_places places = {&fixture->sources, (const struct sockaddr *)&fixture->peer,
                                         STR("own")};
    ck_assert_int_eq(inet_pton(AF_INET, peer, &fixture->peer.sin_addr), 1);
    int rc = intake_count(fixture->shard, &places, buf_str(&fixture->body), &fixture->counts, NULL);
    span_deltas_reset(&fixture->deltas, fixture->rules);
    span_shard_take(fixture->shard, &fixture->deltas, &fixture->keys);
    buf_reset(&fixture->body);
    return rc;
}

static const struct span_key *touched(const struct fixture *fixture, uint32_t i)
{
    return span_shard_key(fixture->shard, fixture->deltas.touched[i]);
}

static uint64_t word(const struct fixture *fixture, uint32_t i, size_t at)
{
    return fixture->deltas.words[fixture->deltas.touched[i] * fixture->deltas.stride + at];
}

START_TEST(regions_come_from_resource_then_address_then_us)
{
    struct fixture fixture;
    const struct build_span span = {.trace = 1, .span = 2, .name = "a", .end_ns = 5};
    fixture_init(&fixture);
    build_group(&fixture.body, "shop", "told", &span, 1, true);
    build_group(&fixture.body, "shop", NULL, &span, 1, true);
    ck_assert_int_eq(run(&fixture, "10.1.1.1"), 0);
    ck_assert_uint_eq(fixture.counts.accepted, 2);
    ck_assert(str_equal_text(touched(&fixture, 0)->group->region, "told"));
    ck_assert(str_equal_text(touched(&fixture, 1)->group->region, "by-address"));
    build_group(&fixture.body, "shop", NULL, &span, 1, true);
    ck_assert_int_eq(run(&fixture, "192.0.2.1"), 0);
    ck_assert(str_equal_text(touched(&fixture, 0)->group->region, "own"));
    fixture_deinit(&fixture);
}
END_TEST

START_TEST(spans_without_service_count_as_unknown)
{
    struct fixture fixture;
    const struct build_span span = {.trace = 1, .span = 2, .name = "a", .end_ns = 5};
    fixture_init(&fixture);
    build_group(&fixture.body, NULL, NULL, &span, 1, false);
    ck_assert_int_eq(run(&fixture, "10.1.1.1"), 0);
    ck_assert_uint_eq(fixture.counts.unnamed, 1);
    ck_assert(str_equal_text(touched(&fixture, 0)->group->service, INTAKE_UNKNOWN_SERVICE));
    fixture_deinit(&fixture);
}
END_TEST

/* The unsigned difference of a skewed span would add centuries to the sum. */
START_TEST(skewed_spans_count_without_a_duration)
{
    struct fixture fixture;
    const struct build_span spans[] = {
        {.trace = 1, .span = 2, .name = "a", .start_ns = 500, .end_ns = 499},
        {.trace = 1, .span = 3, .name = "a", .start_ns = 0, .end_ns = UINT64_C(1760000000000000000)},
        {.trace = 1, .span = 4, .name = "a", .start_ns = 0, .end_ns = (uint64_t)INTAKE_MAX_DURATION_NS},
    };
    fixture_init(&fixture);
    build_group(&fixture.body, "shop", NULL, spans, ARRAY_LEN(spans), false);
    ck_assert_int_eq(run(&fixture, "10.1.1.1"), 0);
    ck_assert_uint_eq(fixture.counts.skewed, 2);
    ck_assert_uint_eq(word(&fixture, 0, SPAN_CALLS), 3);
    ck_assert_uint_eq(word(&fixture, 0, SPAN_SUM_LOW), (uint64_t)INTAKE_MAX_DURATION_NS);
    ck_assert_uint_eq(word(&fixture, 0, SPAN_BUCKETS), 2);
    fixture_deinit(&fixture);
}
END_TEST

/* front 10 -> back 20 (INTERNAL, no flags) -> back 21; the parent lies in the same body under another
 * service. */
START_TEST(a_parent_of_another_service_makes_an_entry)
{
    struct fixture fixture;
    const struct build_span front = {.trace = 1, .span = 10, .name = "front", .kind = 2};
    const struct build_span back[] = {{.trace = 1, .span = 20, .parent = 10, .name = "called", .kind = 1},
                                      {.trace = 1, .span = 21, .parent = 20, .name = "inner", .kind = 1}};
    fixture_init(&fixture);
    build_group(&fixture.body, "back", NULL, back, 2, true);
    build_group(&fixture.body, "front", NULL, &front, 1, true);
    ck_assert_int_eq(run(&fixture, "10.1.1.1"), 0);
    ck_assert_str_eq(touched(&fixture, 0)->name, "called");
    ck_assert(touched(&fixture, 0)->entry);
    ck_assert_str_eq(touched(&fixture, 1)->name, "inner");
    ck_assert(!touched(&fixture, 1)->entry);
    ck_assert(touched(&fixture, 2)->entry);
    fixture_deinit(&fixture);
}
END_TEST

START_TEST(rejections_name_the_first)
{
    struct fixture fixture;
    const struct build_span spans[] = {{.trace = 1, .span = 2, .name = "a"},
                                       {.trace = 1, .name = "no span id"},
                                       {.span = 2, .name = "no trace id"}};
    fixture_init(&fixture);
    build_group(&fixture.body, "shop", NULL, spans, ARRAY_LEN(spans), false);
    ck_assert_int_eq(run(&fixture, "10.1.1.1"), 0);
    ck_assert_uint_eq(fixture.counts.accepted, 1);
    ck_assert_uint_eq(fixture.counts.rejected, 2);
    ck_assert_int_eq(fixture.counts.first_reason, OTLP_REJECT_SPAN_ID);
    ck_assert_uint_eq(fixture.counts.first_ordinal, 2);
    ck_assert_uint_eq(fixture.counts.rejected_by[OTLP_REJECT_TRACE_ID], 1);
    build_bytes(&fixture.body, 1, (struct str){"\x12\x05", 2});
    ck_assert_int_eq(run(&fixture, "10.1.1.1"), ERR_PARSE);
    ck_assert_uint_eq(fixture.deltas.touched_count, 0);
    fixture_deinit(&fixture);
}
END_TEST

START_TEST(knows_sampled_traces)
{
    ck_assert(intake_is_sampled(STR("ot=th:c")));
    ck_assert(intake_is_sampled(STR("vendor=x, ot=rv:00000000000001;th:fd70a4 ,other=y")));
    ck_assert(!intake_is_sampled(STR("ot=th:0")));
    ck_assert(!intake_is_sampled(STR("ot=rv:6e6d1a75832a2f")));
    ck_assert(!intake_is_sampled(STR("ott=th:c,vendor=ot=th:c")));
    ck_assert(!intake_is_sampled(STR("ot=p:8;")));
    ck_assert(!intake_is_sampled(STR(",,ot=,;")));
    ck_assert(!intake_is_sampled((struct str){NULL, 0}));
}
END_TEST

static Suite *suite(void)
{
    Suite *tested = suite_create("intake");
    TCase *tests = tcase_create("intake");
    tcase_add_test(tests, regions_come_from_resource_then_address_then_us);
    tcase_add_test(tests, spans_without_service_count_as_unknown);
    tcase_add_test(tests, skewed_spans_count_without_a_duration);
    tcase_add_test(tests, a_parent_of_another_service_makes_an_entry);
    tcase_add_test(tests, rejections_name_the_first);
    tcase_add_test(tests, knows_sampled_traces);
    suite_add_tcase(tested, tests);
    return tested;
}

TEST_MAIN(suite)
