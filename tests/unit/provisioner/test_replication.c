/* The SQL and the parameters of PostgreSQL's replication, as text. A server
 * takes it in tests/integration/test_deploy_replication.py. */
#include "provisioner/database.h"
#include "provisioner/postgresql/replication.h"
#include "tests/support/support.h"

#include <stdlib.h>

static struct arena *arena;
static struct buf sql = BUF_INIT(1 << 20);

static void setup(void)
{
    arena = arena_new(0);
    buf_reset(&sql);
}

static void teardown(void)
{
    arena_free(arena);
    buf_deinit(&sql);
    buf_init(&sql, 1 << 20);
}

#define REGIONS                                                                                              \
    "metadata: {name: a}\n"                                                                                  \
    "regions:\n"                                                                                             \
    "  us-east: {provider: aws, location: us-east-1}\n"                                                      \
    "  eu: {provider: gcp, location: europe-west1}\n"

static const struct deployment *parse(const char *text)
{
    struct findings findings;
    struct deployment *deployment;
    findings_init(&findings, arena);
    int code = deployment_parse(arena, "d.yaml", str_from(text), &deployment, &findings);
    ck_assert_msg(code == 0, "%s", findings.count ? findings.items[0].message : "");
    return deployment;
}

static const char *script(const struct deployment *deployment, const char *region)
{
    buf_reset(&sql);
    replication_render(deployment, deployment_find_region(deployment, region), &sql);
    return buf_text(&sql);
}

static void assert_holds(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "no \"%s\" in:\n%s", part, text);
}

static void assert_lacks(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) == NULL, "\"%s\" in:\n%s", part, text);
}

START_TEST(writers_publish_draw_their_own_numbers_and_send_nothing_back)
{
    const struct deployment *deployment = parse(REGIONS "replication: {mode: active-active}\n");
    const char *text = script(deployment, "us-east");
    assert_holds(text, "CREATE PUBLICATION fraiseql_us_east ");
    assert_holds(text, "INCREMENT BY 16");
    assert_holds(text, "last_value % 16 <> 1");
    assert_holds(text, "CREATE SUBSCRIPTION fraiseql_us_east_from_eu CONNECTION %L PUBLICATION fraiseql_eu ");
    assert_holds(text, "copy_data = false");
    assert_holds(text, "origin = none");
    assert_holds(text, ":'peer_eu'");
    text = script(deployment, "eu");
    assert_holds(text, "last_value % 16 <> 2");
    assert_holds(text, ":'peer_us_east'");
    assert_holds(text, "copy_data = true");
}
END_TEST

START_TEST(with_streaming_only_the_primary_sends)
{
    const struct deployment *deployment = parse(REGIONS "replication: {mode: streaming, primary: eu}\n");
    const char *text = script(deployment, "eu");
    assert_holds(text, "CREATE PUBLICATION fraiseql_eu ");
    assert_lacks(text, "CREATE SUBSCRIPTION");
    assert_lacks(text, "ALTER SEQUENCE");
    text = script(deployment, "us-east");
    assert_lacks(text, "CREATE PUBLICATION");
    assert_holds(text, "CREATE SUBSCRIPTION fraiseql_us_east_from_eu ");
    assert_lacks(text, "origin");
}
END_TEST

START_TEST(filters_hold_back_tables_and_rows_and_their_quotes_are_kept)
{
    const struct deployment *deployment = parse(
        REGIONS "replication:\n"
                "  mode: active-active\n"
                "  filters:\n"
                "    - {region: eu, tables: [\"app.o'k\", plain], exclude: [secret], rows: \"a <> 'eu'\"}\n");
    const char *text = script(deployment, "eu");
    assert_holds(
        text, "(n.nspname = 'app' AND c.relname = 'o''k') OR (n.nspname = 'public' AND c.relname = 'plain')");
    assert_holds(text, "AND NOT ((c.relname = 'secret'))");
    assert_holds(text, "' WHERE (a <> ''eu'')'");
    assert_holds(text, "REPLICA IDENTITY FULL");
    assert_lacks(script(deployment, "us-east"), "REPLICA IDENTITY FULL");
}
END_TEST

START_TEST(who_takes_no_part_has_no_script_and_no_parameters)
{
    const struct deployment *deployment = parse(REGIONS);
    ck_assert_str_eq(script(deployment, "eu"), "");
}
END_TEST

static const char *parameters(const struct deployment *deployment, struct buf *out)
{
    struct json_writer json;
    json_init(&json, out);
    json_object_begin(&json);
    database_find("postgresql")->render_parameters(deployment, deployment_region(deployment, 0), &json);
    json_object_end(&json);
    return buf_text(out);
}

START_TEST(parameters_grow_with_the_number_of_regions)
{
    struct buf out = BUF_INIT(4096), many = BUF_INIT(1 << 16), text = BUF_INIT(4096);
    ck_assert_str_eq(parameters(parse(REGIONS "replication: {mode: active-active}\n"), &out),
                     "{\"max_replication_slots\":\"10\",\"max_wal_senders\":\"10\","
                     "\"max_logical_replication_workers\":\"4\",\"max_sync_workers_per_subscription\":\"2\","
                     "\"max_worker_processes\":\"8\",\"wal_sender_timeout\":\"60000\","
                     "\"wal_receiver_timeout\":\"60000\",\"track_commit_timestamp\":\"on\"}");
    buf_append_text(&many, "metadata: {name: a}\nreplication: {mode: active-active}\nregions:\n");
    for (int i = 0; i < 20; i++)
        buf_printf(&many, "  r%d: {provider: aws, location: us-east-1}\n", i);
    const struct deployment *deployment = parse(buf_text(&many));
    assert_holds(parameters(deployment, &text), "\"max_replication_slots\":\"42\"");
    assert_holds(script(deployment, "r19"), "INCREMENT BY 128");
    buf_deinit(&out);
    buf_deinit(&many);
    buf_deinit(&text);
}
END_TEST

static Suite *replication_suite(void)
{
    Suite *suite = suite_create("replication");
    TCase *tcase = tcase_create("replication");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, writers_publish_draw_their_own_numbers_and_send_nothing_back);
    tcase_add_test(tcase, with_streaming_only_the_primary_sends);
    tcase_add_test(tcase, filters_hold_back_tables_and_rows_and_their_quotes_are_kept);
    tcase_add_test(tcase, who_takes_no_part_has_no_script_and_no_parameters);
    tcase_add_test(tcase, parameters_grow_with_the_number_of_regions);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(replication_suite)
