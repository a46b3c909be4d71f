#include "examples/service/settings.h"
#include "tests/support/support.h"

#include <stdlib.h>
#include <string.h>

static const char *const (*table)[2];

static const char *from_table(const char *name)
{
    for (size_t i = 0; table[i][0]; i++) {
        if (strcmp(table[i][0], name) == 0)
            return table[i][1];
    }
    return NULL;
}

START_TEST(defaults_need_a_database_only)
{
    static const char *const given[][2] = {{"DATABASE_URL", "postgresql://a@b/c"}, {NULL, NULL}};
    struct arena *arena = arena_new(0);
    struct settings settings;
    struct error err = {0};
    table = given;
    ck_assert_int_eq(settings_load(from_table, arena, &settings, &err), 0);
    ck_assert_str_eq(settings.read_url, settings.write_url);
    ck_assert_str_eq(settings.address, "127.0.0.1");
    ck_assert_uint_eq(settings.port, 8000);
    ck_assert_ptr_null(settings.metrics_token);
    ck_assert_ptr_null(settings.otlp_url);
    ck_assert_str_eq(settings.region, "");
    ck_assert_int_eq(settings.shutdown_timeout_ns, 30 * NS_PER_S);
    arena_free(arena);
}
END_TEST

START_TEST(everything_is_taken)
{
    char *folder = test_folder_new();
    char *path = test_path(folder, "url");
    test_file_write(path, STR("postgresql://x:secret@[::1]:5433/app\n"));
    const char *const given[][2] = {{"DATABASE_URL_FILE", path},
                                    {"DATABASE_READ_URL", "host=r"},
                                    {"FRAISEQL_BIND_ADDR", "[::1]:9"},
                                    {"FRAISEQL_METRICS_ENABLED", "true"},
                                    {"FRAISEQL_METRICS_TOKEN", "0123456789abcdef"},
                                    {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/"},
                                    {"OTEL_RESOURCE_ATTRIBUTES", "cloud.region=eu, a=b=c"},
                                    {"RUST_LOG", "warn"},
                                    {NULL, NULL}};
    struct arena *arena = arena_new(0);
    struct settings settings;
    struct error err = {0};
    table = given;
    ck_assert_int_eq(settings_load(from_table, arena, &settings, &err), 0);
    ck_assert_str_eq(settings.write_url, "postgresql://x:secret@[::1]:5433/app");
    ck_assert_str_eq(settings.read_url, "host=r");
    ck_assert_str_eq(settings.address, "::1");
    ck_assert_uint_eq(settings.port, 9);
    ck_assert_str_eq(settings.metrics_token, "0123456789abcdef");
    ck_assert_str_eq(settings.otlp_url, "http://c:4318/v1/traces");
    ck_assert_str_eq(settings.region, "eu");
    ck_assert_uint_eq(settings.attribute_count, 2);
    ck_assert(str_equal_text(settings.attributes[1].value, "b=c"));
    arena_free(arena);
    free(path);
    test_folder_remove(folder);
}
END_TEST

START_TEST(a_full_otlp_address_stays_as_it_is)
{
    static const char *const given[][2] = {
        {"DATABASE_URL", "x"}, {"OTEL_EXPORTER_OTLP_ENDPOINT", "https://c/v1/traces"}, {NULL, NULL}};
    struct arena *arena = arena_new(0);
    struct settings settings;
    struct error err = {0};
    table = given;
    ck_assert_int_eq(settings_load(from_table, arena, &settings, &err), 0);
    ck_assert_str_eq(settings.otlp_url, "https://c/v1/traces");
    arena_free(arena);
}
END_TEST

static const char *const wrong[][3] = {
    {"FRAISEQL_BIND_ADDR", "8000", "want address:port"},
    {"FRAISEQL_METRICS_ENABLED", "yes", "want true or false"},
    {"FRAISEQL_METRICS_ENABLED", "true", "16 characters"},
    {"RUST_LOG", "loud", "RUST_LOG"},
    {"FRAISEQL_LOG_FORMAT", "xml", "text or json"},
    {"FRAISEQL_POOL_MAX_SIZE", "0", "1 to 100"},
    {"FRAISEQL_SHUTDOWN_TIMEOUT_SECS", "-1", "0 to 3600"},
    {"OTEL_EXPORTER_OTLP_ENDPOINT", "c:4318", "http or https"},
    {"OTEL_RESOURCE_ATTRIBUTES", "x", "name=value"},
    {"DATABASE_URL_FILE", "/nonexistent", "both given"},
    {"DATABASE_READ_URL_FILE", "/nonexistent", "DATABASE_READ_URL_FILE"},
};

START_TEST(what_is_wrong_is_named)
{
    const char *const given[][2] = {{"DATABASE_URL", "x"}, {wrong[_i][0], wrong[_i][1]}, {NULL, NULL}};
    struct arena *arena = arena_new(0);
    struct settings settings;
    struct error err = {0};
    table = given;
    ck_assert_int_ne(settings_load(from_table, arena, &settings, &err), 0);
    ck_assert_contains(err.message, wrong[_i][2]);
    arena_free(arena);
}
END_TEST

static Suite *settings_suite(void)
{
    Suite *suite = suite_create("settings");
    TCase *tcase = tcase_create("settings");
    tcase_add_test(tcase, defaults_need_a_database_only);
    tcase_add_test(tcase, everything_is_taken);
    tcase_add_test(tcase, a_full_otlp_address_stays_as_it_is);
    tcase_add_loop_test(tcase, what_is_wrong_is_named, 0, (int)ARRAY_LEN(wrong));
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(settings_suite)
