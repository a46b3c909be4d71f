#include "provisioner/run/outputs.h"
#include "tests/support/support.h"

START_TEST(outputs_are_read_by_name)
{
    struct arena *arena = arena_new(0);
    struct root_outputs outputs;
    ck_assert_int_eq(
        outputs_parse(arena,
                      STR("{\"url\":{\"type\":\"string\",\"value\":\"https://a\"},\"database_port\":{"
                          "\"value\":5432},\"gateway_address\":{\"value\":null}}"),
                      &outputs, NULL),
        0);
    ck_assert(outputs.any);
    ck_assert_str_eq(outputs.url, "https://a");
    ck_assert_str_eq(outputs.database_port, "5432");
    ck_assert_str_eq(outputs.gateway_address, "");
    ck_assert_str_eq(outputs.endpoint, "");
    ck_assert_int_eq(outputs_parse(arena, STR("{}"), &outputs, NULL), 0);
    ck_assert(!outputs.any);
    ck_assert_int_lt(outputs_parse(arena, STR("[]"), &outputs, NULL), 0);
    ck_assert_int_lt(outputs_parse(arena, STR("{\"url\""), &outputs, NULL), 0);
    arena_free(arena);
}
END_TEST

START_TEST(what_could_act_in_a_shell_is_no_address)
{
    static const char *const values[] = {"$(touch /tmp/x)", "a b", "a\\\"; rm x", "-f", "`x`", "a'b"};
    struct arena *arena = arena_new(0);
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        struct root_outputs outputs;
        const char *text = arena_printf(
            arena, "{\"database_address\":{\"value\":\"%s\"},\"database_name\":{\"value\":\"db-1.x\"}}",
            values[i]);
        ck_assert_int_eq(outputs_parse(arena, str_from(text), &outputs, NULL), 0);
        ck_assert_str_eq(outputs.database_address, "");
        ck_assert_str_eq(outputs.database_name, "db-1.x");
    }
    arena_free(arena);
}
END_TEST

static Suite *outputs_suite(void)
{
    Suite *suite = suite_create("outputs");
    TCase *tcase = tcase_create("outputs");
    tcase_add_test(tcase, outputs_are_read_by_name);
    tcase_add_test(tcase, what_could_act_in_a_shell_is_no_address);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(outputs_suite)
