#include "scrapers/backup/backup.h"

#include "lib/core/clock.h"
#include "tests/support/support.h"
#include "tests/unit/scrapers/loop_rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define COMMON "region=\"us\",scraper=\"backup\",target=\"b\"} "

static char *folder;
static char path[512];
static struct backup_config config;
static void *state;
static struct snapshot *snapshot;
static int failure;
static bool destroyed;

static void set_up(void)
{
    const struct scraper_env env = {0};
    folder = test_folder_new();
    (void)snprintf(path, sizeof path, "%s/status", folder);
    config = (struct backup_config){.target = {.name = "b", .region = "us"}, .status_file = path};
    ck_assert_int_eq(backup_scraper.create(&env, &config, &state, NULL), 0);
}

static void on_destroyed(void *arg)
{
    (void)arg;
    destroyed = true;
}

static void tear_down(void)
{
    backup_scraper.cancel(state);
    backup_scraper.destroy(state, on_destroyed, NULL);
    ck_assert(destroyed);
    snapshot_unref(snapshot);
    snapshot = NULL;
    test_folder_remove(folder);
}

static void on_done(void *ctx, struct snapshot *taken, const struct error *err)
{
    (void)ctx;
    snapshot_unref(snapshot);
    snapshot = taken;
    failure = err ? err->code : 0;
}

/* What it publishes; NULL: nothing. The caller frees. */
static char *scrape(void)
{
    backup_scraper.scrape(state, clock_mono_ns() + NS_PER_S, on_done, NULL);
    return snapshot ? rig_snapshot_text(snapshot) : NULL;
}

static double value_of(const char *text, const char *series)
{
    const char *at = strstr(text, series);
    ck_assert_msg(at != NULL, "no %s in\n%s", series, text);
    return strtod(at + strlen(series), NULL);
}

static void write_status(const char *more, int64_t since_s)
{
    char text[1024];
    (void)snprintf(text, sizeof text, "since %lld\n%s", (long long)since_s, more);
    test_file_write(path, str_from(text));
}

START_TEST(nothing_was_ever_verified)
{
    int64_t now_s = clock_wall_ns() / NS_PER_S;
    write_status("", now_s - 1000);
    char *text = scrape();
    ck_assert_int_eq(failure, 0);
    ck_assert_double_ge(value_of(text, "fraiseql_backup_verified_age_seconds{" COMMON), 1000);
    ck_assert_double_ge(value_of(text, "fraiseql_backup_age_seconds{" COMMON), 1000);
    ck_assert_ptr_null(strstr(text, "verified_timestamp"));
    ck_assert_ptr_null(strstr(text, "last_timestamp"));
    ck_assert_ptr_null(strstr(text, "attempt"));
    free(text);
}
END_TEST

START_TEST(a_verified_one_and_a_newer_one)
{
    int64_t now_s = clock_wall_ns() / NS_PER_S;
    char more[512];
    (void)snprintf(more, sizeof more,
                   "backup v full %lld 7000 700 done\nbackup n diff %lld 7001 3 done\nverified v 5\n"
                   "attempt backup 77 done\nattempt verification 78 failed\n",
                   (long long)now_s - 500, (long long)now_s - 50);
    write_status(more, now_s - 1000);
    char *text = scrape();
    double verified_s = value_of(text, "fraiseql_backup_verified_age_seconds{" COMMON);
    ck_assert_double_ge(verified_s, 500);
    ck_assert_double_lt(verified_s, 1000);
    ck_assert_double_lt(value_of(text, "fraiseql_backup_age_seconds{" COMMON), 500);
    ck_assert_double_eq(value_of(text, "fraiseql_backup_stored_bytes{backup_type=\"full\"," COMMON), 700);
    ck_assert_double_eq(value_of(text, "fraiseql_backup_database_bytes{backup_type=\"diff\"," COMMON), 7001);
    ck_assert_double_eq(value_of(text, "fraiseql_backup_attempt_success{action=\"backup\"," COMMON), 1);
    ck_assert_double_eq(value_of(text, "fraiseql_backup_attempt_success{action=\"verification\"," COMMON), 0);
    ck_assert_double_eq(value_of(text, "fraiseql_backup_verified_timestamp_seconds{" COMMON),
                        (double)now_s - 500);
    free(text);
}
END_TEST

START_TEST(ages_grow_while_it_cannot_be_read)
{
    ck_assert_ptr_null(scrape()); /* nothing is known yet */
    ck_assert_int_ne(failure, 0);
    int64_t now_s = clock_wall_ns() / NS_PER_S;
    write_status("backup v full 90 1 1 done\nverified v 91\n", 80);
    free(scrape());
    ck_assert_int_eq(failure, 0);
    test_file_write(path, STR("torn"));
    char *text = scrape();
    ck_assert_int_eq(failure, ERR_PARSE);
    ck_assert_double_ge(value_of(text, "fraiseql_backup_verified_age_seconds{" COMMON), (double)now_s - 90);
    free(text);
    ck_assert_int_eq(unlink(path), 0);
    text = scrape();
    ck_assert_int_eq(failure, -ENOENT);
    ck_assert_double_ge(value_of(text, "fraiseql_backup_age_seconds{" COMMON), (double)now_s - 90);
    free(text);
}
END_TEST

START_TEST(a_moment_that_is_yet_to_come_is_no_age_below_zero)
{
    write_status("backup v full 18446744073709551615 1 1 done\nverified v 91\n", 80);
    char *text = scrape();
    ck_assert_double_eq(value_of(text, "fraiseql_backup_verified_age_seconds{" COMMON), 0);
    free(text);
}
END_TEST

START_TEST(its_address_is_the_file)
{
    char text[8];
    backup_scraper.address(&config, text, sizeof text);
    ck_assert_uint_eq(strlen(text), sizeof text - 1);
    ck_assert_int_eq(strncmp(text, path, sizeof text - 1), 0);
}
END_TEST

static Suite *backup_suite(void)
{
    Suite *suite = suite_create("backup");
    TCase *tcase = tcase_create("backup");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, nothing_was_ever_verified);
    tcase_add_test(tcase, a_verified_one_and_a_newer_one);
    tcase_add_test(tcase, ages_grow_while_it_cannot_be_read);
    tcase_add_test(tcase, a_moment_that_is_yet_to_come_is_no_age_below_zero);
    tcase_add_test(tcase, its_address_is_the_file);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(backup_suite)
