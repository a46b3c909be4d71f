#include "provisioner/azure/azure.h"
#include "tests/support/support.h"

static size_t findings_of(const char *text, const char *rule)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct findings findings;
    struct deployment *deployment;
    findings_init(&findings, arena);
    (void)!deployment_parse(arena, "d.yaml", str_from(text), &deployment, &findings);
    size_t count = 0;
    for (size_t i = 0; i < findings.count; i++)
        count += strcmp(findings.items[i].rule, rule) == 0;
    return count;
}

static size_t errors_of(const char *sku, const char *more, const char *rule)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    return findings_of(
        arena_printf(arena,
                     "metadata: {name: shop, environment: production}\n"
                     "regions:\n"
                     "  eu: {provider: azure, location: westeurope, instance_type: Standard_D4s_v5,\n"
                     "       database: {engine: postgresql, sku: %s%s}}\n",
                     sku, more),
        rule);
}

static size_t errors_with(const char *region, const char *more, const char *rule)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    return findings_of(arena_printf(arena,
                                    "metadata: {name: shop, environment: production}\n"
                                    "regions:\n"
                                    "  eu: {provider: azure, location: westeurope, size: small%s}\n%s\n",
                                    region, more),
                       rule);
}

START_TEST(burstable_classes_have_no_standby)
{
    ck_assert_uint_eq(errors_of("B_Standard_B2s", "", "azure-high-availability"), 1);
    ck_assert_uint_eq(errors_of("B_Standard_B2s", ", high-availability: false", "azure-high-availability"),
                      0);
    ck_assert_uint_eq(errors_of("Standard_D4s_v3", "", "azure-high-availability"), 0);
}
END_TEST

START_TEST(disks_end_at_32_tib)
{
    ck_assert_uint_eq(errors_of("Standard_D4s_v3", ", storage: 40TB, max-storage: 50TB", "azure-storage"), 1);
    ck_assert_uint_eq(errors_of("Standard_D4s_v3", ", storage: 500GB", "azure-storage"), 0);
}
END_TEST

START_TEST(classes_are_those_of_the_flexible_server)
{
    static const char *const good[] = {"Standard_D4s_v3",       "GP_Standard_D2ds_v5", "MO_Standard_E4ads_v5",
                                       "B_Standard_B1ms",       "B_Standard_B2s",      "Standard_E20ds_v4",
                                       "GP_Standard_D96ads_v5", "GP_Standard_D4ds_v6"};
    static const char *const bad[] = {"GP_Standard_E4ds_v5", "B_Standard_D2s_v3", "Standard_F4s_v2",
                                      "Standard_D4s_v5",     "Standard_Dds_v5",   "GP_D4s_v3",
                                      "Standard_B2xs",       "Standard_D4_v6"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        ck_assert_msg(errors_of(good[i], "", "azure-database-class") == 0, "%s", good[i]);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        ck_assert_msg(errors_of(bad[i], "", "azure-database-class") == 1, "%s", bad[i]);
}
END_TEST

START_TEST(keys_and_secrets_lie_in_vaults)
{
    const char *key = ", encryption-key: 'https://v.vault.azure.net/keys/k/0123'";
    ck_assert_uint_eq(errors_of("Standard_D4s_v3", key, "azure-encryption-key"), 0);
    ck_assert_uint_eq(errors_of("Standard_D4s_v3", key, "azure-geo-redundant-key"), 0);
    ck_assert_uint_eq(errors_of("Standard_D4s_v3", ", encryption-key: alias/x", "azure-encryption-key"), 1);
    ck_assert_uint_eq(errors_of("Standard_D4s_v3", ", encryption-key: 'https://v.vault.azure.net/keys/'",
                                "azure-encryption-key"),
                      1);
    const char *copied = ", database: {encryption-key: 'https://v.vault.azure.net/keys/k/0123'}";
    ck_assert_uint_eq(errors_with(copied, "backup: {geo-redundant: true}", "azure-geo-redundant-key"), 1);
    const char *secrets =
        "service: {secret-environment: {A: my-secret, B: 'https://v.vault.azure.net/secrets/b', "
        "C: some/secret, D: 'https://v.example.com/secrets/b'}}";
    ck_assert_uint_eq(errors_with("", secrets, "azure-secret-name"), 2);
}
END_TEST

START_TEST(accounts_are_subscriptions)
{
    ck_assert_uint_eq(errors_with(", account: shop", "", "azure-account"), 1);
    ck_assert_uint_eq(errors_with(", account: 01234567-89ab-cdef-0123-456789abcdeg", "", "azure-account"), 1);
    ck_assert_uint_eq(errors_with(", account: 01234567-89ab-cdef-0123-456789abcdef", "", "azure-account"), 0);
    ck_assert_uint_eq(errors_with(", account: 01234567-89ab-cdef-0123-456789abcdef0", "", "azure-account"),
                      1);
}
END_TEST

static Suite *azure_suite(void)
{
    Suite *suite = suite_create("azure");
    TCase *tcase = tcase_create("azure");
    tcase_add_test(tcase, burstable_classes_have_no_standby);
    tcase_add_test(tcase, disks_end_at_32_tib);
    tcase_add_test(tcase, classes_are_those_of_the_flexible_server);
    tcase_add_test(tcase, keys_and_secrets_lie_in_vaults);
    tcase_add_test(tcase, accounts_are_subscriptions);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(azure_suite)
