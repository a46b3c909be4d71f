#include "exporters/alert_codec.h"

#include "tests/support/support.h"

static const struct alert_text labels[] = {
    {"alertname", "region-down"}, {"severity", "page"}, {"region", "eu\"west\n"}};
static const struct alert_text annotations[] = {{"summary", "API down in \xC3\xA9u"}};

static const struct alert sample = {
    .incident_id = "0193-incident",
    .trigger = "region-down",
    .state = ALERT_UNKNOWN,
    .labels = labels,
    .label_count = ARRAY_LEN(labels),
    .annotations = annotations,
    .annotation_count = ARRAY_LEN(annotations),
    .started_wall_ns = INT64_C(1764000000123456789),
    .resolved_wall_ns = 0,
};

START_TEST(an_alert_survives_writing_and_reading)
{
    struct buf out CLEANUP(buf_deinit) = BUF_INIT(ALERT_PAYLOAD_MAX);
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    alert_codec_write(&sample, &out);
    struct alert alert;
    struct error err = {0};
    ck_assert_msg(alert_codec_read(arena, buf_str(&out), &alert, &err) == 0, "%s", err.message);
    ck_assert_str_eq(alert.incident_id, sample.incident_id);
    ck_assert_str_eq(alert.trigger, sample.trigger);
    ck_assert_int_eq(alert.state, ALERT_UNKNOWN);
    ck_assert_int_eq(alert.started_wall_ns, sample.started_wall_ns);
    ck_assert_int_eq(alert.resolved_wall_ns, 0);
    ck_assert_uint_eq(alert.label_count, 3);
    ck_assert_str_eq(alert.labels[2].name, "region");
    ck_assert_str_eq(alert.labels[2].value, "eu\"west\n");
    ck_assert_str_eq(alert.annotations[0].value, annotations[0].value);
}
END_TEST

START_TEST(alertname_is_added_and_the_first_of_two_labels_is_kept)
{
    const struct alert_text twice[] = {{"region", "eu"}, {"region", "us"}};
    struct alert alert = sample;
    alert.labels = twice;
    alert.label_count = 2;
    struct buf out CLEANUP(buf_deinit) = BUF_INIT(ALERT_PAYLOAD_MAX);
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    alert_codec_write(&alert, &out);
    struct alert read;
    ck_assert_int_eq(alert_codec_read(arena, buf_str(&out), &read, NULL), 0);
    ck_assert_uint_eq(read.label_count, 2);
    ck_assert_str_eq(read.labels[0].name, "alertname");
    ck_assert_str_eq(read.labels[0].value, "region-down");
    ck_assert_str_eq(read.labels[1].value, "eu");
}
END_TEST

START_TEST(broken_payloads_are_refused)
{
    static const char *const broken[] = {
        "",
        "[]",
        "{\"incident\":\"a\"}",
        "{\"incident\":\"a\",\"trigger\":\"t\",\"state\":\"odd\",\"labels\":{},\"annotations\":{},\"started_"
        "ns\":1,"
        "\"resolved_ns\":0}",
        "{\"incident\":\"a\",\"trigger\":\"t\",\"state\":\"firing\",\"labels\":[],\"annotations\":{},"
        "\"started_ns\":1,"
        "\"resolved_ns\":0}",
        "{\"incident\":\"a\",\"trigger\":\"t\",\"state\":\"firing\",\"labels\":{\"a\":{}},\"annotations\":{},"
        "\"started_ns\":1,\"resolved_ns\":0}",
        "{\"incident\":\"a\",\"trigger\":\"t\",\"state\":\"firing\",\"labels\":{},\"annotations\":{},"
        "\"started_ns\":\"x\",\"resolved_ns\":0}",
    };
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
        struct alert alert;
        struct error err = {0};
        ck_assert_msg(alert_codec_read(arena, str_from(broken[i]), &alert, &err) != 0, "%s", broken[i]);
        ck_assert_contains(err.message, "stored alert");
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("alert_codec");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, an_alert_survives_writing_and_reading);
    tcase_add_test(tc, alertname_is_added_and_the_first_of_two_labels_is_kept);
    tcase_add_test(tc, broken_payloads_are_refused);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
