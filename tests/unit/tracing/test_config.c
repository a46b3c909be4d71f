#include "tracing/config.h"

#include "tests/support/support.h"

#include <stdlib.h>

static int parse(struct arena *arena, const char *text, struct tracing_config *config, struct diag *diag)
{
    struct node *root;
    *config = (struct tracing_config){0};
    diag_init(diag);
    ck_assert_int_eq(yaml_parse(arena, "c.yaml", str_from(text), &root, diag), 0);
    return option_parse(&tracing_section, root, arena, config, diag);
}

START_TEST(reads_the_contract)
{
    struct arena *arena = arena_new(0);
    struct tracing_config config;
    struct diag diag;
    int rc = parse(arena,
                   "http: 127.0.0.1:4318\n"
                   "grpc: 127.0.0.1:4317\n"
                   "sources:                         # who sends without saying where from\n"
                   "  - { address: 127.0.0.1/32, region: us-east }\n",
                   &config, &diag);
    char *text = test_diag_text(&diag);
    ck_assert_msg(rc == 0, "%s", text);
    ck_assert_uint_eq(tracing_config_http(&config)->port, 4318);
    ck_assert_uint_eq(tracing_config_grpc(&config)->port, 4317);
    ck_assert_uint_eq(config.sources.count, 1);
    ck_assert_str_eq(SECTION_AT(struct tracing_source, config.sources, 0)->region, "us-east");
    int64_t bounds_ns[TRACING_MAX_BUCKETS];
    size_t count;
    ck_assert_int_eq(tracing_config_bounds(&config, bounds_ns, &count, NULL), 0);
    ck_assert_uint_eq(count, 16);
    ck_assert_int_eq(bounds_ns[0], 2 * NS_PER_MS);
    ck_assert_int_eq(bounds_ns[15], 15 * NS_PER_S);
    free(text);
    diag_deinit(&diag);
    arena_free(arena);
}
END_TEST

START_TEST(a_listener_left_out_is_not_opened)
{
    struct arena *arena = arena_new(0);
    struct tracing_config config;
    struct diag diag;
    int rc = parse(arena, "http: :4318\n", &config, &diag);
    char *text = test_diag_text(&diag);
    ck_assert_msg(rc == 0, "%s", text);
    free(text);
    ck_assert_ptr_nonnull(tracing_config_http(&config)->text);
    ck_assert_ptr_null(tracing_config_grpc(&config)->text);
    diag_deinit(&diag);
    arena_free(arena);
}
END_TEST

START_TEST(refuses_bad_sources_and_buckets)
{
    static const struct {
        const char *yaml, *part;
    } cases[] = {
        {"sources: [{ address: 10.0.0.1/8, region: eu }]\n", "prefix length"},
        {"sources: [{ address: nowhere, region: eu }]\n", "not an address or prefix"},
        {"sources: [{ address: 10.0.0.0/8 }]\n", "region"},
        {"buckets: [2ms, 2ms]\n", "not above"},
        {"buckets: [2ms, fast]\n", "fast"},
        {"htp: 127.0.0.1:4318\n", "did you mean \"http\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena *arena = arena_new(0);
        struct tracing_config config;
        struct diag diag;
        ck_assert_int_eq(parse(arena, cases[i].yaml, &config, &diag), ERR_CONFIG);
        char *text = test_diag_text(&diag);
        ck_assert_contains(text, cases[i].part);
        ck_assert_contains(text, "c.yaml:1:");
        free(text);
        diag_deinit(&diag);
        arena_free(arena);
    }
}
END_TEST

START_TEST(takes_own_buckets)
{
    struct arena *arena = arena_new(0);
    struct tracing_config config;
    struct diag diag;
    int64_t bounds_ns[TRACING_MAX_BUCKETS];
    size_t count;
    ck_assert_int_eq(parse(arena, "buckets: [500us, 20ms, 1s]\n", &config, &diag), 0);
    ck_assert_int_eq(tracing_config_bounds(&config, bounds_ns, &count, NULL), 0);
    ck_assert_uint_eq(count, 3);
    ck_assert_int_eq(bounds_ns[0], 500000);
    diag_deinit(&diag);
    arena_free(arena);
}
END_TEST

static Suite *suite(void)
{
    Suite *tested = suite_create("config");
    TCase *tests = tcase_create("config");
    tcase_add_test(tests, reads_the_contract);
    tcase_add_test(tests, a_listener_left_out_is_not_opened);
    tcase_add_test(tests, refuses_bad_sources_and_buckets);
    tcase_add_test(tests, takes_own_buckets);
    suite_add_tcase(tested, tests);
    return tested;
}

TEST_MAIN(suite)
