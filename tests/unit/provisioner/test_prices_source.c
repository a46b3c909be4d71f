#include "provisioner/prices/source.h"

#include "provisioner/provider.h"
#include "tests/support/support.h"

#include <stdlib.h>
#include <unistd.h>

static struct prices_result refresh(const char *provider, struct arena *arena)
{
    const struct prices_options options = {.timeout_ns = NS_PER_S};
    struct prices_scope scope;
    struct prices_result result;
    prices_scope_all(&scope, provider, arena);
    prices_refresh(prices_source_find(provider), &scope, &options, arena, &result);
    prices_scope_deinit(&scope);
    return result;
}

START_TEST(every_source_is_of_a_provider)
{
    for (size_t i = 0; prices_sources[i]; i++) {
        ck_assert_ptr_nonnull(provider_find(prices_sources[i]->provider));
        ck_assert_ptr_eq(prices_source_find(prices_sources[i]->provider), prices_sources[i]);
    }
    ck_assert_ptr_null(prices_source_find("kubernetes"));
}
END_TEST

START_TEST(what_stops_a_refresh_before_it_begins)
{
    struct arena *arena = arena_new(0);
    char *folder = test_folder_new();
    ck_assert_int_eq(setenv("FRAISEQL_PRICES", folder, 1), 0);
    ck_assert_int_eq(setenv("FRAISEQL_PRICES_AWS_URL", "http://aws.example", 1), 0);
    struct prices_result result = refresh("aws", arena);
    ck_assert_int_eq(result.outcome, PRICES_FAILED);
    ck_assert_contains(result.err.message, "FRAISEQL_PRICES_AWS_URL: without TLS");

    ck_assert_int_eq(unsetenv("GOOGLE_API_KEY"), 0);
    result = refresh("gcp", arena);
    ck_assert_int_eq(result.outcome, PRICES_WITHOUT_KEY);
    ck_assert_contains(result.err.message, "GOOGLE_API_KEY is not set");
    ck_assert_int_eq(setenv("GOOGLE_API_KEY", "a\r\nHost: b", 1), 0);
    result = refresh("gcp", arena);
    ck_assert_int_eq(result.outcome, PRICES_FAILED);
    ck_assert_contains(result.err.message, "does not hold an API key");

    char url[64];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u", test_free_port());
    ck_assert_int_eq(setenv("FRAISEQL_PRICES_AZURE_URL", url, 1), 0);
    result = refresh("azure", arena);
    ck_assert_int_eq(result.outcome, PRICES_FAILED);
    ck_assert_contains(result.err.message, "given up");
    ck_assert_uint_eq(result.prices, 0);
    ck_assert_int_ne(access(result.path, F_OK), 0);

    ck_assert_int_eq(unsetenv("FRAISEQL_PRICES"), 0);
    ck_assert_int_eq(unsetenv("XDG_CACHE_HOME"), 0);
    ck_assert_int_eq(unsetenv("HOME"), 0);
    result = refresh("azure", arena);
    ck_assert_contains(result.err.message, "no folder");
    test_folder_remove(folder);
    arena_free(arena);
}
END_TEST

static Suite *source_suite(void)
{
    Suite *suite = suite_create("prices_source");
    TCase *tcase = tcase_create("source");
    tcase_add_test(tcase, every_source_is_of_a_provider);
    tcase_add_test(tcase, what_stops_a_refresh_before_it_begins);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(source_suite)
