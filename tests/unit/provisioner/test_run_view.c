#include "provisioner/run/view.h"
#include "tests/support/support.h"

#define SECONDS(n) ((n)*INT64_C(1000000000))

static const struct view_row row = {.name = "us-east",
                                    .doing = "deploying",
                                    .done = 12,
                                    .planned = 34,
                                    .elapsed_ns = SECONDS(62),
                                    .slowest = "module.region.aws_db_instance.this",
                                    .slowest_ns = SECONDS(48)};

START_TEST(a_line_says_where_a_region_stands)
{
    struct buf line = BUF_INIT(4096);
    view_line(&row, 7, 80, &line);
    ck_assert_str_eq(buf_text(&line), "us-east  deploying  12/34    1m02s   aws_db_instance.this (48.0s)");
    buf_deinit(&line);
}
END_TEST

START_TEST(what_was_answered_last_stands_where_nothing_is_in_flight)
{
    struct view_row tested = {.name = "us-east", .doing = "testing", .elapsed_ns = SECONDS(15)};
    struct buf line = BUF_INIT(4096);
    view_line(&tested, 7, 80, &line);
    ck_assert_str_eq(buf_text(&line), "us-east  testing             15.0s");
    buf_reset(&line);
    tested.heard = "answers 503";
    view_line(&tested, 7, 80, &line);
    ck_assert_str_eq(buf_text(&line), "us-east  testing             15.0s   answers 503");
    buf_reset(&line);
    tested.slowest = "aws_vpc.this";
    view_line(&tested, 7, 80, &line);
    ck_assert_str_eq(buf_text(&line), "us-east  testing             15.0s   aws_vpc.this (0.0s)");
    buf_deinit(&line);
}
END_TEST

START_TEST(no_line_is_wider_than_the_terminal)
{
    struct view_row wide = row;
    wide.name = "a-region-with-a-very-long-n\u00e4me";
    wide.heard = "cannot resolve a-name-that-no-server-of-names-knows.example.com: Name or service not known";
    for (unsigned width = 0; width < 280; width++) {
        wide.slowest = width % 2 ? row.slowest : NULL;
        struct buf line = BUF_INIT(4096);
        view_line(&wide, 40, width / 2, &line);
        ck_assert_uint_le(view_columns(buf_str(&line)),
                          width / 2 < VIEW_MIN_WIDTH ? VIEW_MIN_WIDTH : width / 2);
        ck_assert(str_is_utf8(buf_str(&line)));
        buf_deinit(&line);
    }
}
END_TEST

START_TEST(the_address_gives_way_first)
{
    struct buf line = BUF_INIT(4096);
    view_line(&row, 7, 55, &line);
    ck_assert_contains(buf_text(&line), "12/34    1m02s");
    ck_assert_contains(buf_text(&line), "\u2026 (48.0s)");
    buf_deinit(&line);
}
END_TEST

START_TEST(durations_read_as_in_the_last_line)
{
    char text[VIEW_DURATION_MAX];
    ck_assert_str_eq(view_duration(SECONDS(522), text), "8 minutes 42 seconds");
    ck_assert_str_eq(view_duration(SECONDS(61), text), "1 minute 1 second");
    ck_assert_str_eq(view_duration(SECONDS(0), text), "0 seconds");
    ck_assert_str_eq(view_duration(SECONDS(3600), text), "1 hour 0 minutes 0 seconds");
}
END_TEST

START_TEST(addresses_lose_their_modules)
{
    ck_assert_str_eq(view_address("module.region.aws_subnet.public[0]"), "aws_subnet.public[0]");
    ck_assert_str_eq(view_address("aws_vpc.this"), "aws_vpc.this");
    ck_assert_str_eq(view_address("module.x"), "module.x");
}
END_TEST

static void check_change(const struct view_change *change, unsigned width, const char *wanted)
{
    struct buf line = BUF_INIT(4096);
    view_change(change, width, &line);
    ck_assert_str_eq(buf_text(&line), wanted);
    buf_deinit(&line);
}

START_TEST(a_change_names_as_much_as_fits)
{
    static const char *const names[] = {"engine", "tags.team", "size"};
    const struct view_change change = {"module.region.aws_db.this", "cannot_update", names, 3};
    check_change(&change, 58, "aws_db.this (cannot_update): engine, tags.team, size");
    check_change(&change, 52, "aws_db.this (cannot_update): engine, tags.team, size");
    check_change(&change, 51, "aws_db.this (cannot_update): engine, 2 more");
    check_change(&change, 42, "aws_db.this (cannot_update): 3 attributes");
    check_change(&change, 40, "aws_db.this (cannot_update)");
    check_change(&change, 26, "aws_db.this: 3 attributes");
    check_change(&change, 11, "aws_db.this");
    check_change(&change, 7, "aws_db\u2026");
    static const char *const wide[] = {"an_attribute_with_a_long_name"};
    const struct view_change one = {"aws_db.this", "", wide, 1};
    check_change(&one, 24, "aws_db.this: 1 attribute");
    const struct view_change bare = {"aws_vpc.this", "", NULL, 0};
    check_change(&bare, 80, "aws_vpc.this");
    for (unsigned width = 0; width < 80; width++) {
        struct buf line = BUF_INIT(4096);
        view_change(&change, width, &line);
        ck_assert_uint_le(view_columns(buf_str(&line)), width);
        buf_deinit(&line);
    }
}
END_TEST

static Suite *view_suite(void)
{
    Suite *suite = suite_create("run view");
    TCase *tcase = tcase_create("view");
    tcase_add_test(tcase, a_line_says_where_a_region_stands);
    tcase_add_test(tcase, what_was_answered_last_stands_where_nothing_is_in_flight);
    tcase_add_test(tcase, no_line_is_wider_than_the_terminal);
    tcase_add_test(tcase, the_address_gives_way_first);
    tcase_add_test(tcase, a_change_names_as_much_as_fits);
    tcase_add_test(tcase, durations_read_as_in_the_last_line);
    tcase_add_test(tcase, addresses_lose_their_modules);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(view_suite)
