#include "provisioner/self_hosted/facts.h"
#include "tests/support/support.h"

static void check_replication(const char *json, const char *wanted)
{
    struct arena *arena = arena_new(0);
    struct replication_facts facts;
    struct buf out = BUF_INIT(65536);
    struct json_writer writer;
    facts_replication(arena, "standby", str_from(json), &facts);
    json_init(&writer, &out);
    json_object_begin(&writer);
    facts_put_replication(&writer, &facts);
    json_object_end(&writer);
    ck_assert_str_eq(buf_text(&out), wanted);
    buf_deinit(&out);
    arena_free(arena);
}

START_TEST(what_is_not_known_is_null)
{
    static const char unknown[] = "{\"replication\":{\"role\":\"standby\",\"timeline\":null,\"follows\":null,"
                                  "\"lag_bytes\":null,\"lag_s\":null,\"standbys\":[]}}";
    check_replication("", unknown);
    check_replication("[]", unknown);
    check_replication("{\"timeline\":-3,\"follows\":\"\",\"lag_bytes\":\"x\",\"lag_s\":[],\"standbys\":{}}",
                      unknown);
    check_replication(
        "{\"timeline\":2,\"follows\":\"us\",\"lag_bytes\":0,\"lag_s\":0.5}",
        "{\"replication\":{\"role\":\"standby\",\"timeline\":2,\"follows\":\"us\",\"lag_bytes\":0,"
        "\"lag_s\":0.5,\"standbys\":[]}}");
    check_replication(
        "{\"standbys\":[{\"name\":\"eu\",\"state\":\"streaming\",\"lag_bytes\":7,\"lag_s\":null},"
        "{\"name\":3},7]}",
        "{\"replication\":{\"role\":\"standby\",\"timeline\":null,\"follows\":null,\"lag_bytes\":null,"
        "\"lag_s\":null,\"standbys\":[{\"name\":\"eu\",\"state\":\"streaming\",\"lag_bytes\":7,"
        "\"lag_s\":null}]}}");
}
END_TEST

START_TEST(processes_have_a_name_and_a_state)
{
    struct arena *arena = arena_new(0);
    struct process_facts facts;
    facts_processes(
        arena,
        STR("[{\"name\":\"a\",\"state\":\"running\",\"pid\":7,\"restarts\":1,\"up_s\":9},{\"name\":\"b\"},"
            "{\"name\":\"c\",\"state\":\"failed\",\"pid\":\"\"}]"),
        &facts);
    ck_assert_uint_eq(facts.count, 2);
    ck_assert_str_eq(facts.items[0].name, "a");
    ck_assert_int_eq(facts.items[0].pid, 7);
    ck_assert_int_eq(facts.items[0].up_s, 9);
    ck_assert_str_eq(facts.items[1].state, "failed");
    ck_assert_int_eq(facts.items[1].pid, FACT_UNKNOWN);
    facts_processes(arena, STR("{}"), &facts);
    ck_assert_uint_eq(facts.count, 0);
    facts_processes(arena, STR("["), &facts);
    ck_assert_uint_eq(facts.count, 0);
    arena_free(arena);
}
END_TEST

static Suite *facts_suite(void)
{
    Suite *suite = suite_create("facts");
    TCase *tcase = tcase_create("facts");
    tcase_add_test(tcase, what_is_not_known_is_null);
    tcase_add_test(tcase, processes_have_a_name_and_a_state);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(facts_suite)
