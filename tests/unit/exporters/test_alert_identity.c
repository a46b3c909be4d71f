#include "exporters/alert_identity.h"

#include "tests/support/support.h"

static const struct alert_text unsorted[] = {{"severity", "page"},
                                             {"alertname", "BudgetBurn"},
                                             {"empty", ""},
                                             {"not-a-name", "x"},
                                             {"region", "eu\"\n\\"}};

static const struct alert sample = {.labels = unsorted, .label_count = ARRAY_LEN(unsorted)};

START_TEST(labels_are_sorted_and_what_alertmanager_refuses_is_left_out)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    size_t count;
    const struct alert_text *labels = alert_identity_labels(arena, &sample, &count);
    ck_assert_uint_eq(count, 3);
    ck_assert_str_eq(labels[0].name, "alertname");
    ck_assert_str_eq(labels[1].name, "region");
    ck_assert_str_eq(labels[2].name, "severity");
}
END_TEST

/* 14695981039346656037 is what model.LabelSet{}.Fingerprint() gives; the second was read from the API of
 * Alertmanager 0.25 for this label set. */
START_TEST(fingerprints_are_alertmanagers)
{
    char text[ALERT_FINGERPRINT_SIZE];
    alert_identity_fingerprint(NULL, 0, text);
    ck_assert_str_eq(text, "cbf29ce484222325");
    const struct alert_text labels[] = {{"alertname", "BudgetBurn"}, {"region", "eu"}};
    alert_identity_fingerprint(labels, 2, text);
    ck_assert_str_eq(text, "16b6a88e92b5d470");
}
END_TEST

START_TEST(the_group_key_has_alertmanagers_form)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct buf out CLEANUP(buf_deinit) = BUF_INIT(4096);
    size_t count;
    const struct alert_text *labels = alert_identity_labels(arena, &sample, &count);
    alert_identity_group_key(labels, count, &out);
    ck_assert_str_eq(buf_text(&out),
                     "{}:{alertname=\"BudgetBurn\", region=\"eu\\\"\\n\\\\\", severity=\"page\"}");
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("alert_identity");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, labels_are_sorted_and_what_alertmanager_refuses_is_left_out);
    tcase_add_test(tc, fingerprints_are_alertmanagers);
    tcase_add_test(tc, the_group_key_has_alertmanagers_form);
    suite_add_tcase(s, tc);
    return s;
}

TEST_MAIN(suite)
