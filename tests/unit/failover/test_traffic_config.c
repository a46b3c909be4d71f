#include "failover/traffic_config.h"

#include "tests/support/support.h"

#include <stdlib.h>

#define HEAD "haproxy: /run/h.sock\nsecret_file: /etc/s\n"

static int parse(struct arena *arena, const char *text, struct traffic_config *config, struct diag *diag)
{
    struct node *root;
    int code = yaml_parse(arena, "t.yaml", str_from(text), &root, diag);
    return code ? code : option_parse(&traffic_section, root, arena, config, diag);
}

START_TEST(rules_are_found_by_trigger_and_region)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct diag diag CLEANUP(diag_deinit);
    struct traffic_config config = {0};
    bool cut = false;
    diag_init(&diag);
    ck_assert_int_eq(parse(arena,
                           HEAD "rules:\n"
                                "  - { trigger: lag-high, region: eu, cut: [read/eu] }\n"
                                "  - { trigger: lag-high, region: us, drain: [read/us, service/us-1] }\n",
                           &config, &diag),
                     0);
    ck_assert_int_eq(config.max_age_ns, 300 * NS_PER_S);
    ck_assert_int_eq(config.max_hold_ns, 6 * 3600 * NS_PER_S);
    ck_assert_ptr_null(traffic_rule_find(&config, "lag-high", "mars"));
    ck_assert_ptr_null(traffic_rule_find(&config, "other", "eu"));
    const struct traffic_rule *rule = traffic_rule_find(&config, "lag-high", "eu");
    ck_assert(traffic_rule_names(rule, "read/eu", &cut) && cut);
    ck_assert(!traffic_rule_names(rule, "read/us", NULL));
    rule = traffic_rule_find(&config, "lag-high", "us");
    ck_assert(traffic_rule_names(rule, "service/us-1", &cut) && !cut);
}
END_TEST

START_TEST(mistakes_are_named)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {HEAD, "rules"},
        {HEAD "rules: []", "rules"},
        {"secret_file: /s\nrules: [{ trigger: t, region: r, cut: [a/b] }]", "haproxy"},
        {"haproxy: /h\nrules: [{ trigger: t, region: r, cut: [a/b] }]", "secret_file"},
        {HEAD "rules: [{ trigger: t, region: r }]", "needs servers"},
        {HEAD "rules: [{ trigger: t, region: r, cut: [a/b], drain: [a/b] }]", "in drain and in cut"},
        {HEAD "rules: [{ trigger: t, region: r, cut: [ab] }]", "not BACKEND/SERVER"},
        {HEAD "rules: [{ trigger: t, region: r, cut: [a/] }]", "not BACKEND/SERVER"},
        {HEAD "rules: [{ trigger: t, region: r, cut: [/b] }]", "not BACKEND/SERVER"},
        {HEAD "rules: [{ trigger: t, region: r, cut: [a/b/c] }]", "not BACKEND/SERVER"},
        {HEAD "rules: [{ trigger: t, region: r, drain: ['a/b;disable server a/c'] }]", "not BACKEND/SERVER"},
        {HEAD "rules: [{ trigger: t, region: r, drain: [\"a/b\\n\"] }]", "not BACKEND/SERVER"},
        {HEAD "rules: [{ trigger: t, region: r, cut: [a/b] }, { trigger: t, region: r, cut: [a/c] }]",
         "exists already at t.yaml:3"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
        struct diag diag CLEANUP(diag_deinit);
        struct traffic_config config = {0};
        diag_init(&diag);
        ck_assert_msg(parse(arena, cases[i].text, &config, &diag) != 0, "%s", cases[i].text);
        char *text = test_diag_text(&diag);
        ck_assert_contains(text, cases[i].message);
        free(text);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("traffic_config");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, rules_are_found_by_trigger_and_region);
    tcase_add_test(tc, mistakes_are_named);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
