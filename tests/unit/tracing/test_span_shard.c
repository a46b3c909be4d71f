#include "tracing/span_shard.h"

#include "tests/support/support.h"

static const int64_t bounds[] = {10, 100};

static struct span_rules *rules_of(const struct sli_span_selector *selectors, size_t count)
{
    struct span_rules *rules;
    ck_assert_int_eq(span_rules_new(bounds, ARRAY_LEN(bounds), selectors, count, &rules, NULL), 0);
    return rules;
}

static struct otlp_span named(const char *name)
{
    return (struct otlp_span){.name = str_from(name), .kind = OTLP_KIND_SERVER, .status = OTLP_STATUS_OK};
}

static void count(struct span_shard *shard, const char *service, const char *region, const char *name,
                  uint64_t ns)
{
    struct otlp_span span = named(name);
    span_shard_lock(shard);
    span_shard_count(shard, span_shard_group(shard, str_from(service), str_from(region)), &span, false, ns);
    span_shard_unlock(shard);
}

START_TEST(hands_counts_over_and_starts_again)
{
    struct span_rules *rules = rules_of(NULL, 0);
    struct span_shard *shard = span_shard_new(100, 100, rules);
    struct span_deltas deltas;
    uint32_t keys;
    span_deltas_init(&deltas, rules);
    for (uint64_t round = 1; round <= 3; round++) {
        for (uint64_t i = 0; i < round; i++)
            count(shard, "shop", "eu", "GET /", 100);
        count(shard, "shop", "eu", "POST /", 101);
        span_deltas_reset(&deltas, rules);
        span_shard_take(shard, &deltas, &keys);
        ck_assert_uint_eq(keys, 2);
        ck_assert_uint_eq(deltas.touched_count, 2);
        const uint64_t *get = deltas.words + deltas.touched[0] * deltas.stride;
        const uint64_t *post = deltas.words + deltas.touched[1] * deltas.stride;
        ck_assert_uint_eq(get[SPAN_CALLS], round);
        ck_assert_uint_eq(get[SPAN_SUM_LOW], 100 * round);
        ck_assert_uint_eq(get[SPAN_BUCKETS + 1], round);
        ck_assert_uint_eq(post[SPAN_CALLS], 1);
        ck_assert_uint_eq(post[SPAN_BUCKETS + 2], 1);
        const struct span_key *key = span_shard_key(shard, deltas.touched[0]);
        ck_assert(str_equal_text(key->group->service, "shop"));
        ck_assert(str_equal_text(key->group->region, "eu"));
        ck_assert_uint_eq(key->kind, OTLP_KIND_SERVER);
        ck_assert_str_eq(key->name, "GET /");
    }
    span_deltas_deinit(&deltas);
    span_shard_free(shard);
    span_rules_free(rules);
}
END_TEST

START_TEST(sums_carry_over_64_bits)
{
    struct span_rules *rules = rules_of(NULL, 0);
    struct span_shard *shard = span_shard_new(100, 100, rules);
    struct span_deltas deltas;
    uint32_t keys;
    span_deltas_init(&deltas, rules);
    for (int i = 0; i < 3; i++)
        count(shard, "shop", "eu", "GET /", UINT64_C(1) << 63);
    span_shard_take(shard, &deltas, &keys);
    ck_assert_uint_eq(deltas.words[SPAN_SUM_HIGH], 1);
    ck_assert_uint_eq(deltas.words[SPAN_SUM_LOW], UINT64_C(1) << 63);
    span_deltas_deinit(&deltas);
    span_shard_free(shard);
    span_rules_free(rules);
}
END_TEST

/* 5,000 keys over 30 groups keep apart, whatever tables grow meanwhile. */
START_TEST(keeps_many_keys_apart)
{
    struct span_rules *rules = rules_of(NULL, 0);
    struct span_shard *shard = span_shard_new(10000, 100, rules);
    struct span_deltas deltas;
    uint32_t keys;
    span_deltas_init(&deltas, rules);
    char service[32], name[32];
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 5000; i++) {
            (void)snprintf(service, sizeof service, "service %d", i % 30);
            (void)snprintf(name, sizeof name, "name %d", i);
            count(shard, service, "", name, (uint64_t)i);
        }
    span_shard_take(shard, &deltas, &keys);
    ck_assert_uint_eq(keys, 5000);
    for (uint32_t i = 0; i < keys; i++) {
        const uint64_t *words = deltas.words + i * deltas.stride;
        (void)snprintf(name, sizeof name, "name %u", i);
        (void)snprintf(service, sizeof service, "service %u", i % 30);
        ck_assert_str_eq(span_shard_key(shard, i)->name, name);
        ck_assert(str_equal_text(span_shard_key(shard, i)->group->service, service));
        ck_assert_uint_eq(words[SPAN_CALLS], 2);
        ck_assert_uint_eq(words[SPAN_SUM_LOW], 2 * i);
    }
    span_deltas_deinit(&deltas);
    span_shard_free(shard);
    span_rules_free(rules);
}
END_TEST

START_TEST(overflows_keep_service_and_named_spans)
{
    const struct sli_span_selector selector = {.slo = "s", .name = "wanted"};
    struct span_rules *rules = rules_of(&selector, 1);
    struct span_shard *shard = span_shard_new(2, 100, rules);
    struct span_deltas deltas;
    uint32_t keys;
    span_deltas_init(&deltas, rules);
    static const char *const names[] = {"a", "b", "c", "d", "wanted", "c", "a"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        count(shard, "shop", "eu", names[i], 1);
    span_shard_take(shard, &deltas, &keys);
    ck_assert_uint_eq(keys, 4); /* a, b, overflow, wanted */
    ck_assert_str_eq(span_shard_key(shard, 2)->name, SPAN_OVERFLOW);
    ck_assert(span_shard_key(shard, 2)->overflow);
    ck_assert(str_equal_text(span_shard_key(shard, 2)->group->service, "shop"));
    ck_assert_uint_eq(deltas.words[2 * deltas.stride + SPAN_CALLS], 3);
    ck_assert_uint_eq(deltas.words[0 * deltas.stride + SPAN_CALLS], 2);
    ck_assert_str_eq(span_shard_key(shard, 3)->name, "wanted");
    span_deltas_deinit(&deltas);
    span_shard_free(shard);
    span_rules_free(rules);
}
END_TEST

START_TEST(groups_are_bounded_but_for_named_services)
{
    const struct sli_span_selector selector = {.slo = "s", .service = "wanted"};
    struct span_rules *rules = rules_of(&selector, 1);
    struct span_shard *shard = span_shard_new(100, 2, rules);
    span_shard_lock(shard);
    const struct span_group *a = span_shard_group(shard, STR("a"), STR("eu"));
    ck_assert_ptr_eq(a, span_shard_group(shard, STR("a"), STR("eu")));
    ck_assert_ptr_ne(a, span_shard_group(shard, STR("a"), STR("us")));
    ck_assert(str_equal_text(span_shard_group(shard, STR("b"), STR("eu"))->service, SPAN_OVERFLOW));
    ck_assert(str_equal_text(span_shard_group(shard, STR("wanted"), STR("eu"))->service, "wanted"));
    ck_assert_ptr_eq(a, span_shard_group(shard, STR("a"), STR("eu")));
    span_shard_unlock(shard);
    span_shard_free(shard);
    span_rules_free(rules);
}
END_TEST

START_TEST(cuts_long_names_at_a_character)
{
    struct span_rules *rules = rules_of(NULL, 0);
    struct span_shard *shard = span_shard_new(100, 100, rules);
    struct span_deltas deltas;
    uint32_t keys;
    char name[3000] = "x";
    for (size_t i = 1; i + 2 < sizeof name; i += 2)
        memcpy(name + i, "\xc3\xa9", 3); /* after one byte, so that the limit falls into a character */
    span_deltas_init(&deltas, rules);
    count(shard, name, "", name, 1);
    span_shard_take(shard, &deltas, &keys);
    const struct span_key *key = span_shard_key(shard, 0);
    ck_assert_uint_eq(key->name_len, SPAN_TEXT_MAX_BYTES - 1);
    ck_assert(str_is_utf8((struct str){key->name, key->name_len}));
    ck_assert_uint_eq(key->group->service.len, SPAN_TEXT_MAX_BYTES - 1);
    span_deltas_deinit(&deltas);
    span_shard_free(shard);
    span_rules_free(rules);
}
END_TEST

START_TEST(goes_on_with_new_rules)
{
    const struct sli_span_selector selector = {.slo = "s", .faster_than_ns = 50};
    struct span_rules *rules = rules_of(NULL, 0), *next = rules_of(&selector, 1);
    struct span_shard *shard = span_shard_new(100, 100, rules);
    struct span_deltas deltas;
    uint32_t keys;
    span_deltas_init(&deltas, rules);
    count(shard, "shop", "", "a", 60);
    span_deltas_reset(&deltas, next);
    span_shard_take(shard, &deltas, &keys);
    ck_assert_ptr_eq(deltas.rules, rules);
    ck_assert_uint_eq(deltas.words[SPAN_BUCKETS + 1], 1);
    count(shard, "shop", "", "a", 60);
    span_deltas_reset(&deltas, next);
    span_shard_take(shard, &deltas, &keys);
    ck_assert_ptr_eq(deltas.rules, next);
    ck_assert_uint_eq(keys, 1);
    ck_assert_uint_eq(deltas.words[SPAN_BUCKETS + 2], 1);
    span_deltas_deinit(&deltas);
    span_shard_free(shard);
    span_rules_free(rules);
    span_rules_free(next);
}
END_TEST

static Suite *suite(void)
{
    Suite *tested = suite_create("span_shard");
    TCase *tests = tcase_create("span_shard");
    tcase_add_test(tests, hands_counts_over_and_starts_again);
    tcase_add_test(tests, sums_carry_over_64_bits);
    tcase_add_test(tests, keeps_many_keys_apart);
    tcase_add_test(tests, overflows_keep_service_and_named_spans);
    tcase_add_test(tests, groups_are_bounded_but_for_named_services);
    tcase_add_test(tests, cuts_long_names_at_a_character);
    tcase_add_test(tests, goes_on_with_new_rules);
    suite_add_tcase(tested, tests);
    return tested;
}

TEST_MAIN(suite)
