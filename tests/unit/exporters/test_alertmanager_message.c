#include "exporters/alertmanager_message.h"

#include "tests/support/support.h"

#define STARTED INT64_C(1764000000000000000)
#define NOW     INT64_C(1764000600000000000)

static const struct alert_text labels[] = {
    {"alertname", "lag-high"}, {"region", "eu"}, {"empty", ""}, {"a-b", "x"}};
static const struct alert_text annotations[] = {{"summary", "lag"}};

static struct alert make(enum alert_state state, int64_t resolved_wall_ns)
{
    return (struct alert){
        .incident_id = "0193",
        .trigger = "lag-high",
        .state = state,
        .labels = labels,
        .label_count = ARRAY_LEN(labels),
        .annotations = annotations,
        .annotation_count = 1,
        .started_wall_ns = STARTED,
        .resolved_wall_ns = resolved_wall_ns,
    };
}

static void write(struct buf *out, const struct alert *alerts, size_t count, const char *external_url)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct json_writer json;
    json_init(&json, out);
    json_array_begin(&json);
    for (size_t i = 0; i < count; i++)
        alertmanager_message_add(&json, arena, &alerts[i], external_url, NOW, 60 * NS_PER_S);
    json_array_end(&json);
}

START_TEST(a_firing_alert_ends_four_repeats_ahead)
{
    struct buf out CLEANUP(buf_deinit) = BUF_INIT(65536);
    struct alert alert = make(ALERT_FIRING, 0);
    write(&out, &alert, 1, NULL);
    ck_assert_str_eq(
        buf_text(&out),
        "[{\"labels\":{\"alertname\":\"lag-high\",\"region\":\"eu\"},\"annotations\":{\"summary\":\"lag\"},"
        "\"startsAt\":\"2025-11-24T16:00:00.000Z\",\"endsAt\":\"2025-11-24T16:14:00.000Z\"}]");
}
END_TEST

START_TEST(a_resolved_alert_keeps_its_full_body)
{
    struct buf out CLEANUP(buf_deinit) = BUF_INIT(65536);
    struct alert alert = make(ALERT_RESOLVED, STARTED + 5 * NS_PER_S);
    write(&out, &alert, 1, "http://c:9480/");
    ck_assert_str_eq(
        buf_text(&out),
        "[{\"labels\":{\"alertname\":\"lag-high\",\"region\":\"eu\"},\"annotations\":{\"summary\":\"lag\"},"
        "\"startsAt\":\"2025-11-24T16:00:00.000Z\",\"endsAt\":\"2025-11-24T16:00:05.000Z\","
        "\"generatorURL\":\"http://c:9480/?incident=0193\"}]");
}
END_TEST

START_TEST(an_end_never_lies_before_its_start)
{
    struct buf out CLEANUP(buf_deinit) = BUF_INIT(65536);
    struct alert alert = make(ALERT_RESOLVED, STARTED - NS_PER_S);
    write(&out, &alert, 1, NULL);
    ck_assert_contains(buf_text(&out), "\"endsAt\":\"2025-11-24T16:00:00.000Z\"");
}
END_TEST

START_TEST(an_unknown_alert_goes_on_with_an_annotation)
{
    struct buf out CLEANUP(buf_deinit) = BUF_INIT(65536);
    struct alert alerts[] = {make(ALERT_UNKNOWN, 0), make(ALERT_FIRING, 0)};
    write(&out, alerts, 2, NULL);
    ck_assert_contains(buf_text(&out), "\"annotations\":{\"summary\":\"lag\",\"state\":\"unknown\"}");
    ck_assert_contains(buf_text(&out), "\"annotations\":{\"summary\":\"lag\"}");
}
END_TEST

START_TEST(an_alert_without_labels_is_left_out)
{
    struct buf out CLEANUP(buf_deinit) = BUF_INIT(65536);
    struct alert alert = make(ALERT_FIRING, 0);
    alert.label_count = 0;
    write(&out, &alert, 1, NULL);
    ck_assert_str_eq(buf_text(&out), "[]");
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("alertmanager_message");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, a_firing_alert_ends_four_repeats_ahead);
    tcase_add_test(tc, a_resolved_alert_keeps_its_full_body);
    tcase_add_test(tc, an_end_never_lies_before_its_start);
    tcase_add_test(tc, an_unknown_alert_goes_on_with_an_annotation);
    tcase_add_test(tc, an_alert_without_labels_is_left_out);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
