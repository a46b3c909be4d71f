#include "exporters/notify_config.h"

#include "exporters/notifier.h"
#include "tests/support/support.h"

#include <stdlib.h>

static int parse(struct arena *arena, const char *text, struct notify_config *config, struct diag *diag)
{
    struct node *root;
    int rc = yaml_parse(arena, "t.yaml", str_from(text), &root, diag);
    return rc ? rc : option_parse(&notify_section, root, arena, config, diag);
}

START_TEST(the_contracts_receivers_are_read)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct diag diag CLEANUP(diag_deinit);
    diag_init(&diag);
    struct notify_config config = {0};
    ck_assert_int_eq(
        parse(arena, "{ name: am, alertmanager: { urls: [http://127.0.0.1:9093] } }", &config, &diag), 0);
    ck_assert_str_eq(notify_config_name(&config), "am");
    ck_assert_ptr_null(config.webhook);
    ck_assert_uint_eq(config.alertmanager->urls.count, 1);
    ck_assert_int_eq(config.alertmanager->repeat_ns, 60 * NS_PER_S);
    ck_assert_int_eq(config.alertmanager->timeout_ns, 15 * NS_PER_S);
    config = (struct notify_config){0};
    ck_assert_int_eq(parse(arena,
                           "{ name: oncall, webhook: { url: http://127.0.0.1:9999/hook, secret_file: "
                           "/etc/fraiseql-collector/webhook.secret, format: alertmanager-webhook-v4 } }",
                           &config, &diag),
                     0);
    ck_assert_str_eq(config.webhook->url, "http://127.0.0.1:9999/hook");
    ck_assert_int_eq(config.webhook->max_age_ns, 7 * 24 * 3600 * NS_PER_S);
    ck_assert_int_eq(config.webhook->max_in_flight, 4);
    ck_assert_uint_eq(notify_config_size(), sizeof config);
}
END_TEST

START_TEST(mistakes_are_named)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"name: x", "needs a webhook or an alertmanager"},
        {"name: x\nwebhook: { url: http://a/ }\nalertmanager: { urls: [http://a] }", "not both"},
        {"webhook: { url: http://a/ }", "name"},
        {"name: x\nwebhook: { secret_file: /a }", "url"},
        {"name: x\nwebhook: { url: http://a/, format: pagerduty }", "format"},
        {"name: x\nwebhook: { url: http://a/, headers: { Webhook-Id: a } }", "set by the collector itself"},
        {"name: x\nwebhook: { url: http://a/, headers: { \"X Y\": a } }", "not a header"},
        {"name: x\nwebhook: { url: http://a/, headers: { X-Y: \"a\\nb\" } }", "not a header"},
        {"name: x\nwebhook: { url: http://a/, basic_user: a }", "belong together"},
        {"name: x\nwebhook: { url: http://a/, tls: { cert_file: /a } }", "belong together"},
        {"name: x\nwebhook: { url: 'http://u:p@a/' }", "holds credentials"},
        {"name: x\nalertmanager: { urls: ['http://u@a'] }", "holds credentials"},
        {"name: x\nalertmanager: { urls: [] }", "at least one"},
        {"name: x\nalertmanager: { urls: [localhost:9093] }", "must begin with http"},
        {"name: x\nalertmanager: { urls: ['http://a/?b'] }", "base URL"},
        {"name: x\nalertmanager: { urls: [http://a], repeat: 10ms }", "repeat"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
        struct diag diag CLEANUP(diag_deinit);
        diag_init(&diag);
        struct notify_config config = {0};
        ck_assert_msg(parse(arena, cases[i].text, &config, &diag) != 0, "accepted: %s", cases[i].text);
        char *text = test_diag_text(&diag);
        ck_assert_contains(text, cases[i].message);
        free(text);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("notify_config");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, the_contracts_receivers_are_read);
    tcase_add_test(tc, mistakes_are_named);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
