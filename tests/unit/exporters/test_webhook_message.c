#include "exporters/webhook_message.h"

#include "tests/support/support.h"

static const struct alert_text labels[] = {
    {"alertname", "region-down"}, {"severity", "page"}, {"region", "eu"}};
static const struct alert_text annotations[] = {{"summary", "API down"}, {"state", "own"}, {"bad name", "x"}};

static struct alert make(enum alert_state state)
{
    return (struct alert){
        .incident_id = "0193",
        .trigger = "region-down",
        .state = state,
        .labels = labels,
        .label_count = ARRAY_LEN(labels),
        .annotations = annotations,
        .annotation_count = ARRAY_LEN(annotations),
        .started_wall_ns = INT64_C(1764000000123000000),
        .resolved_wall_ns = state == ALERT_RESOLVED ? INT64_C(1764000060000000000) : 0,
    };
}

static struct node *write_and_parse(struct arena *arena, enum alert_state state, const char *external_url)
{
    struct buf out CLEANUP(buf_deinit) = BUF_INIT(WEBHOOK_BODY_MAX);
    struct alert alert = make(state);
    webhook_message_write(arena, &alert, "oncall", external_url, &out);
    ck_assert(!out.failed);
    struct node *root;
    struct error err = {0};
    ck_assert_msg(json_parse(arena, buf_str(&out), &root, &err) == 0, "%s", err.message);
    return root;
}

static const struct node *member(const struct node *node, const char *name)
{
    const struct node_pair *pair = node_find(node, name);
    ck_assert_msg(pair != NULL, "no %s", name);
    return pair->value;
}

static const char *text(const struct node *node, const char *name)
{
    return member(node, name)->scalar.ptr;
}

START_TEST(a_firing_message_has_every_member_of_version_4)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    const struct node *root = write_and_parse(arena, ALERT_FIRING, "http://collector:9480");
    ck_assert_str_eq(text(root, "receiver"), "oncall");
    ck_assert_str_eq(text(root, "status"), "firing");
    ck_assert_str_eq(text(root, "version"), "4");
    ck_assert(!member(root, "version")->plain);
    ck_assert_str_eq(text(root, "truncatedAlerts"), "0");
    ck_assert_str_eq(text(root, "externalURL"), "http://collector:9480");
    ck_assert_str_eq(text(root, "groupKey"),
                     "{}:{alertname=\"region-down\", region=\"eu\", severity=\"page\"}");
    ck_assert_str_eq(text(member(root, "groupLabels"), "region"), "eu");
    ck_assert_str_eq(text(member(root, "commonLabels"), "alertname"), "region-down");
    ck_assert_str_eq(text(member(root, "commonAnnotations"), "summary"), "API down");
    const struct node *alerts = member(root, "alerts");
    ck_assert_uint_eq(alerts->count, 1);
    const struct node *alert = alerts->items[0];
    ck_assert_str_eq(text(alert, "status"), "firing");
    ck_assert_str_eq(text(alert, "startsAt"), "2025-11-24T16:00:00.123Z");
    ck_assert_str_eq(text(alert, "endsAt"), "0001-01-01T00:00:00Z");
    ck_assert_str_eq(text(alert, "generatorURL"), "http://collector:9480/?incident=0193");
    ck_assert_uint_eq(strlen(text(alert, "fingerprint")), 16);
    ck_assert_str_eq(text(member(alert, "annotations"), "state"), "own");
    ck_assert_uint_eq(member(alert, "annotations")->count, 2);
}
END_TEST

START_TEST(a_resolved_message_says_when)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    const struct node *root = write_and_parse(arena, ALERT_RESOLVED, NULL);
    ck_assert_str_eq(text(root, "status"), "resolved");
    ck_assert_str_eq(text(root, "externalURL"), "");
    const struct node *alert = member(root, "alerts")->items[0];
    ck_assert_str_eq(text(alert, "endsAt"), "2025-11-24T16:01:00.000Z");
    ck_assert_str_eq(text(alert, "generatorURL"), "");
    ck_assert_str_eq(text(member(alert, "annotations"), "summary"), "API down");
}
END_TEST

START_TEST(unknown_is_firing_with_an_annotation_and_the_same_identity)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    const struct node *unknown = write_and_parse(arena, ALERT_UNKNOWN, NULL);
    const struct node *firing = write_and_parse(arena, ALERT_FIRING, NULL);
    ck_assert_str_eq(text(unknown, "status"), "firing");
    const struct node *alert = member(unknown, "alerts")->items[0];
    ck_assert_str_eq(text(member(alert, "annotations"), "state"), "unknown");
    ck_assert_ptr_null(node_find(member(alert, "labels"), "state"));
    ck_assert_str_eq(text(alert, "fingerprint"), text(member(firing, "alerts")->items[0], "fingerprint"));
    ck_assert_str_eq(text(unknown, "groupKey"), text(firing, "groupKey"));
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("webhook_message");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, a_firing_message_has_every_member_of_version_4);
    tcase_add_test(tc, a_resolved_message_says_when);
    tcase_add_test(tc, unknown_is_firing_with_an_annotation_and_the_same_identity);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
