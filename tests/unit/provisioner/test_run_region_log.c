#include "provisioner/run/region_log.h"

#include "lib/core/clock.h"
#include "provisioner/provider.h"
#include "tests/support/support.h"

static struct arena *arena;
static struct region_log ret;
static const char *two[] = {"a", "b \"c\""};

static struct {
    int code;
    struct string_list lines;
    int64_t left_ns;
    unsigned calls;
} next;

static int recent(const struct deployment *deployment, const struct region *region, size_t most,
                  int64_t deadline_mono_ns, struct arena *to, struct string_list *ret_lines,
                  struct error *err)
{
    (void)deployment;
    (void)to;
    ck_assert_str_eq(region->name, "us");
    ck_assert_uint_eq(most, 4);
    next.calls++;
    next.left_ns = deadline_mono_ns - clock_mono_ns();
    *ret_lines = next.lines;
    if (next.code) {
        (void)error_set(err, next.code, "no\x1b[31m way");
        error_set_detail(err, "password=hush-hush");
    }
    return next.code;
}

static const struct provider readable = {.name = "aws", .title = "AWS", .recent_logs = recent};
static const struct provider other = {.name = "other", .title = "Other"};

static void begin(void)
{
    arena = arena_new(0);
    memset(&next, 0, sizeof next);
}

static void end(void)
{
    arena_free(arena);
}

static const char *reads(const struct provider *provider, size_t most, int64_t patience_ns)
{
    struct region region = {.name = "us", .provider = provider};
    struct run run = {.arena = arena};
    struct run_root root = {.run = &run, .name = "us", .region = &region, .arena = arena};
    struct buf text = BUF_INIT(4096);
    struct json_writer json;
    region_log_read(&root, most, patience_ns, &ret);
    json_init(&json, &text);
    json_object_begin(&json);
    region_log_members(&json, &ret);
    json_object_end(&json);
    const char *copy = arena_strdup(arena, buf_str(&text));
    buf_deinit(&text);
    return copy;
}

START_TEST(lines_or_none)
{
    next.lines = (struct string_list){2, two};
    ck_assert_str_eq(reads(&readable, 4, 2 * NS_PER_S),
                     "{\"log\":[\"a\",\"b \\\"c\\\"\"],\"log_problem\":null}");
    ck_assert_ptr_null(ret.note);
    ck_assert_int_le(next.left_ns, 2 * NS_PER_S);
    next.lines = (struct string_list){0};
    ck_assert_str_eq(reads(&readable, 4, 3600 * NS_PER_S), "{\"log\":[],\"log_problem\":null}");
    ck_assert_str_eq(ret.note, "the log has no line");
    ck_assert_int_le(next.left_ns, 10 * NS_PER_S);
    ck_assert_int_ge(next.left_ns, 9 * NS_PER_S);
}
END_TEST

START_TEST(what_cannot_be_read_is_a_note)
{
    next.code = ERR_AUTH;
    next.lines = (struct string_list){2, two};
    ck_assert_str_eq(
        reads(&readable, 4, NS_PER_S),
        "{\"log\":null,\"log_problem\":\"the log could not be read: no[31m way (password=***\"}");
    ck_assert_uint_eq(ret.lines.count, 0);
    ck_assert_str_eq(reads(&other, 4, NS_PER_S),
                     "{\"log\":null,\"log_problem\":\"this version reads no logs of Other\"}");
}
END_TEST

START_TEST(nobody_is_asked_for_none)
{
    ck_assert_str_eq(reads(&readable, 0, NS_PER_S), "{\"log\":null,\"log_problem\":null}");
    ck_assert_str_eq(reads(&other, 0, NS_PER_S), "{\"log\":null,\"log_problem\":null}");
    ck_assert_uint_eq(next.calls, 0);
}
END_TEST

static Suite *region_log_suite(void)
{
    Suite *suite = suite_create("region_log");
    TCase *tcase = tcase_create("region_log");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, lines_or_none);
    tcase_add_test(tcase, what_cannot_be_read_is_a_note);
    tcase_add_test(tcase, nobody_is_asked_for_none);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(region_log_suite)
