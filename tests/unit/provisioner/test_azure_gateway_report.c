#include "provisioner/azure/gateway_report.h"

#include "tests/support/support.h"

START_TEST(the_secrets_value)
{
    static const char *const others[] = {"{}", "{\"value\":1}", "{\"value\":null}", "{\"value\":[]}"};
    struct arena *arena = arena_new(0);
    struct error err = {0};
    struct node *root = NULL;
    struct str text;
    ck_assert_int_eq(json_parse(arena, STR("{\"value\":\"{}\",\"id\":\"x\"}"), &root, NULL), 0);
    ck_assert_int_eq(azure_gateway_report_read(root, &text, &err), 0);
    ck_assert(str_equal(text, STR("{}")));
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        ck_assert_int_eq(json_parse(arena, str_from(others[i]), &root, NULL), 0);
        ck_assert_int_eq(azure_gateway_report_read(root, &text, &err), ERR_PEER);
    }
    ck_assert_int_eq(azure_gateway_report_read(NULL, &text, &err), ERR_PEER);
    arena_free(arena);
}
END_TEST

/* A token is sent there, and the address comes from a state. */
START_TEST(only_a_vault_of_azure_is_asked)
{
    static const char suffix[] = ".vault.azure.net";
    static const char *const others[] = {"",
                                         "http://shop.vault.azure.net/secrets/a",
                                         "https://shop.vault.azure.net.example.com/secrets/a",
                                         "https://example.com/.vault.azure.net/secrets/a",
                                         "https://shop.vault.azure.net@example.com/secrets/a",
                                         "https://.vault.azure.net/secrets/a",
                                         "https://shop.vault.azure.net:81/secrets/a",
                                         "https://shop.vault.azure.cn/secrets/a",
                                         "https://shop.vault.azure.net/keys/a",
                                         "https://shop.vault.azure.net/secrets/",
                                         "https://shop.vault.azure.net/secrets/a/../b",
                                         "https://shop.vault.azure.net/secrets/a?b"};
    const char *path = NULL;
    ck_assert(azure_gateway_report_place("https://shop-1.vault.azure.net/secrets/replication-state", suffix,
                                         &path));
    ck_assert_str_eq(path, "/secrets/replication-state");
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        ck_assert_msg(!azure_gateway_report_place(others[i], suffix, &path), "%s", others[i]);
}
END_TEST

static Suite *azure_gateway_report_suite(void)
{
    Suite *suite = suite_create("azure_gateway_report");
    TCase *tcase = tcase_create("azure_gateway_report");
    tcase_add_test(tcase, the_secrets_value);
    tcase_add_test(tcase, only_a_vault_of_azure_is_asked);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(azure_gateway_report_suite)
