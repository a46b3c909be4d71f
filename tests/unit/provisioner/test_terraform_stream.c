#include "provisioner/terraform/stream.h"

#include <stdlib.h>

#include "tests/support/support.h"

struct seen {
    size_t count;
    enum tf_event_kind kinds[64];
    char last_address[128], last_text[128], last_action[32], last_import[64];
    int64_t elapsed_s, add;
    bool is_error;
};

static void on_event(void *arg, const struct tf_event *event)
{
    struct seen *seen = arg;
    if (seen->count < ARRAY_LEN(seen->kinds))
        seen->kinds[seen->count] = event->kind;
    seen->count++;
    (void)snprintf(seen->last_address, sizeof seen->last_address, "%s", event->address);
    (void)snprintf(seen->last_action, sizeof seen->last_action, "%s", event->action);
    (void)snprintf(seen->last_import, sizeof seen->last_import, "%s", event->import_id);
    (void)snprintf(seen->last_text, sizeof seen->last_text, "%s",
                   event->kind == TF_DIAGNOSTIC ? event->summary : event->message);
    seen->elapsed_s = event->elapsed_s;
    seen->add = event->add;
    seen->is_error = event->is_error;
}

static struct seen feed(const char *text, size_t step)
{
    struct tf_stream stream;
    struct seen seen = {0};
    tf_stream_init(&stream);
    for (size_t at = 0, length = strlen(text); at < length; at += step)
        tf_stream_feed(&stream, (struct str){text + at, at + step < length ? step : length - at}, on_event,
                       &seen);
    tf_stream_end(&stream, on_event, &seen);
    tf_stream_deinit(&stream);
    return seen;
}

static const char planned[] =
    "{\"@message\":\"m\",\"type\":\"planned_change\",\"change\":{\"resource\":{\"addr\":\"module.region.aws_"
    "vpc."
    "this\",\"resource_type\":\"aws_vpc\"},\"action\":\"create\",\"importing\":{\"id\":\"vpc-1\"}}}\n";

START_TEST(events_are_the_same_however_the_bytes_are_cut)
{
    for (size_t step = 1; step < sizeof planned; step += 7) {
        struct seen seen = feed(planned, step);
        ck_assert_uint_eq(seen.count, 1);
        ck_assert_int_eq(seen.kinds[0], TF_PLANNED);
        ck_assert_str_eq(seen.last_address, "module.region.aws_vpc.this");
        ck_assert_str_eq(seen.last_action, "create");
        ck_assert_str_eq(seen.last_import, "vpc-1");
    }
}
END_TEST

START_TEST(progress_summary_and_diagnostics_are_read)
{
    struct seen seen =
        feed("{\"type\":\"apply_progress\",\"hook\":{\"resource\":{\"addr\":\"a.b\"},\"action\":"
             "\"create\",\"elapsed_seconds\":40}}",
             1000);
    ck_assert_int_eq(seen.kinds[0], TF_APPLY_PROGRESS);
    ck_assert_int_eq(seen.elapsed_s, 40);
    seen = feed("{\"type\":\"change_summary\",\"changes\":{\"add\":12,\"operation\":\"plan\"}}\n", 1000);
    ck_assert_int_eq(seen.kinds[0], TF_SUMMARY);
    ck_assert_int_eq(seen.add, 12);
    seen =
        feed("{\"type\":\"diagnostic\",\"diagnostic\":{\"severity\":\"error\",\"summary\":\"no\",\"address\":"
             "\"a.b\"}}\n",
             1000);
    ck_assert(seen.is_error);
    ck_assert_str_eq(seen.last_text, "no");
    ck_assert_str_eq(seen.last_address, "a.b");
}
END_TEST

START_TEST(what_is_no_record_is_text)
{
    struct seen seen = feed("panic: runtime error\n\n  \n{\"half\": \n[1]\n{\"type\":\"new_thing\"}\n", 5);
    ck_assert_uint_eq(seen.count, 4);
    ck_assert_int_eq(seen.kinds[0], TF_TEXT);
    ck_assert_int_eq(seen.kinds[1], TF_TEXT);
    ck_assert_int_eq(seen.kinds[2], TF_TEXT);
    ck_assert_int_eq(seen.kinds[3], TF_OTHER);
}
END_TEST

START_TEST(a_line_over_the_maximum_is_dropped_and_the_next_is_read)
{
    struct tf_stream stream;
    struct seen seen = {0};
    size_t length = TF_LINE_MAX + 100;
    char *line = xmalloc(length);
    memset(line, 'x', length);
    tf_stream_init(&stream);
    tf_stream_feed(&stream, (struct str){line, length}, on_event, &seen);
    tf_stream_feed(&stream, (struct str){line, length}, on_event, &seen);
    tf_stream_feed(&stream, STR("\nafter\n"), on_event, &seen);
    ck_assert_uint_eq(stream.dropped, 1);
    ck_assert_uint_eq(seen.count, 1);
    ck_assert_str_eq(seen.last_text, "after");
    tf_stream_deinit(&stream);
    free(line);
}
END_TEST

static Suite *stream_suite(void)
{
    Suite *suite = suite_create("terraform stream");
    TCase *tcase = tcase_create("stream");
    tcase_add_test(tcase, events_are_the_same_however_the_bytes_are_cut);
    tcase_add_test(tcase, progress_summary_and_diagnostics_are_read);
    tcase_add_test(tcase, what_is_no_record_is_text);
    tcase_add_test(tcase, a_line_over_the_maximum_is_dropped_and_the_next_is_read);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(stream_suite)
