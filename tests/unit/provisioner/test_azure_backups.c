#include "provisioner/azure/backups.h"

#include "tests/unit/provisioner/backups_rig.h"

static int reads(const char *text)
{
    return azure_backups_read(json_of(text), &list, arena, &next, &err);
}

START_TEST(a_page)
{
    ck_assert_int_eq(
        reads("{\"value\":[{\"name\":\"mine\",\"properties\":{\"backupType\":\"Customer On-Demand\","
              "\"completedTime\":\"2026-11-26T10:00:00.0000000+00:00\",\"source\":\"Full\"}},"
              "{\"name\":\"daily\",\"properties\":{\"backupType\":\"Full\",\"source\":\"Automatic\"}},"
              "{\"properties\":{}},7],\"nextLink\":\"https://x/\"}"),
        0);
    ck_assert_str_eq(next, "https://x/");
    ck_assert_uint_eq(list.count, 2);
    ck_assert_str_eq(list.items[0].kind, "manual");
    ck_assert_int_eq(list.items[0].state, BACKUP_DONE);
    ck_assert_int_gt(list.items[0].at_wall_ns, 0);
    ck_assert_str_eq(list.items[1].kind, "automated");
    ck_assert_int_eq(list.items[1].state, BACKUP_UNDER_WAY);
}
END_TEST

START_TEST(what_is_no_list)
{
    ck_assert_int_eq(reads("{}"), ERR_PEER);
    ck_assert_int_eq(reads("{\"value\":{}}"), ERR_PEER);
    ck_assert_int_eq(azure_backups_read(NULL, &list, arena, &next, &err), ERR_PEER);
    ck_assert_int_eq(reads("{\"value\":[]}"), 0);
    ck_assert_ptr_null(next);
}
END_TEST

START_TEST(a_new_server_is_in_the_same_network_and_has_no_address)
{
    struct buf out = BUF_INIT(64UL * 1024);
    const struct node *source = json_of(
        "{\"id\":\"/s\",\"location\":\"westeurope\",\"tags\":{\"fraiseql-deployment\":\"shop\","
        "\"fraiseql-address\":\"x\"},\"properties\":{\"network\":{\"delegatedSubnetResourceId\":\"/n\","
        "\"privateDnsZoneArmResourceId\":\"/z\",\"publicNetworkAccess\":\"Disabled\"}}}");
    ck_assert_int_eq(azure_backups_copy(source, 1000000000, "daily", &out, &err), 0);
    ck_assert_str_eq(
        buf_text(&out),
        "{\"location\":\"westeurope\",\"tags\":{\"fraiseql-deployment\":\"shop\","
        "\"fraiseql-restored-from\":\"daily\"},\"properties\":{\"createMode\":\"PointInTimeRestore\","
        "\"sourceServerResourceId\":\"/s\",\"pointInTimeUTC\":\"1970-01-01T00:00:01.000Z\","
        "\"network\":{\"delegatedSubnetResourceId\":\"/n\",\"privateDnsZoneArmResourceId\":\"/z\"}}}");
    buf_reset(&out);
    source =
        json_of("{\"id\":\"/s\",\"location\":\"westeurope\",\"properties\":{\"dataEncryption\":{\"type\":"
                "\"AzureKeyVault\",\"primaryKeyURI\":\"https://v.vault.azure.net/keys/k\","
                "\"primaryEncryptionKeyStatus\":\"Valid\",\"primaryUserAssignedIdentityId\":\"/i\"}}}");
    ck_assert_int_eq(azure_backups_copy(source, 1000000000, "daily", &out, &err), 0);
    ck_assert_str_eq(
        buf_text(&out),
        "{\"location\":\"westeurope\",\"tags\":{\"fraiseql-restored-from\":\"daily\"},\"identity\":{\"type\":"
        "\"UserAssigned\",\"userAssignedIdentities\":{\"/i\":{}}},\"properties\":{\"createMode\":"
        "\"PointInTimeRestore\",\"sourceServerResourceId\":\"/s\",\"pointInTimeUTC\":"
        "\"1970-01-01T00:00:01.000Z\",\"dataEncryption\":{\"type\":\"AzureKeyVault\",\"primaryKeyURI\":"
        "\"https://v.vault.azure.net/keys/k\",\"primaryUserAssignedIdentityId\":\"/i\"}}}");
    ck_assert_int_eq(azure_backups_copy(json_of("{\"id\":\"/s\"}"), 1, "daily", &out, &err), ERR_PEER);
    buf_deinit(&out);
}
END_TEST

static Suite *azure_backups_suite(void)
{
    Suite *suite = suite_create("azure_backups");
    TCase *tcase = tcase_create("azure_backups");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_page);
    tcase_add_test(tcase, what_is_no_list);
    tcase_add_test(tcase, a_new_server_is_in_the_same_network_and_has_no_address);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(azure_backups_suite)
