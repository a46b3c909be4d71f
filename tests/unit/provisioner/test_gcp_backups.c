#include "provisioner/gcp/backups.h"

#include "tests/unit/provisioner/backups_rig.h"

static int reads(const char *text)
{
    return gcp_backups_read(json_of(text), &list, arena, &next, &err);
}

START_TEST(a_page)
{
    ck_assert_int_eq(reads("{\"items\":[{\"id\":\"17\",\"status\":\"SUCCESSFUL\",\"type\":\"ON_DEMAND\","
                           "\"description\":\"mine\","
                           "\"startTime\":\"2026-11-26T10:00:00.500Z\",\"maxChargeableBytes\":\"1024\"},"
                           "{\"id\":\"18\",\"status\":\"RUNNING\",\"type\":\"AUTOMATED\",\"startTime\":"
                           "\"2026-11-26T11:00:00Z\"},"
                           "{\"id\":\"19\",\"status\":\"FAILED\"},{\"id\":\"20\",\"status\":\"DELETED\"},{"
                           "\"id\":\"x;y\"},7],"
                           "\"nextPageToken\":\"t\"}"),
                     0);
    ck_assert_str_eq(next, "t");
    ck_assert_uint_eq(list.count, 3);
    ck_assert_str_eq(list.items[0].name, "mine");
    ck_assert_str_eq(list.items[0].kind, "manual");
    ck_assert_uint_eq(list.items[0].size_bytes, 1024);
    ck_assert_int_gt(list.items[0].at_wall_ns, 0);
    ck_assert_int_eq(list.items[1].state, BACKUP_UNDER_WAY);
    ck_assert_int_eq(list.items[1].at_wall_ns, 0);
    ck_assert_int_eq(list.items[2].state, BACKUP_FAILED);
}
END_TEST

START_TEST(nothing_and_what_is_no_list)
{
    ck_assert_int_eq(reads("{}"), 0);
    ck_assert_uint_eq(list.count, 0);
    ck_assert_ptr_null(next);
    ck_assert_int_eq(reads("{\"items\":{}}"), ERR_PEER);
    ck_assert_int_eq(reads("[]"), ERR_PEER);
    ck_assert_int_eq(gcp_backups_read(NULL, &list, arena, &next, &err), ERR_PEER);
}
END_TEST

START_TEST(a_new_instance_has_the_settings_but_not_the_address)
{
    struct buf out = BUF_INIT(64UL * 1024);
    const struct node *source =
        json_of("{\"name\":\"a\",\"region\":\"europe-west1\",\"databaseVersion\":\"POSTGRES_16\","
                "\"diskEncryptionConfiguration\":{\"kmsKeyName\":\"k\"},"
                "\"settings\":{\"kind\":\"sql#settings\",\"settingsVersion\":\"3\",\"tier\":\"t\",\"on\":"
                "true,\"none\":null,"
                "\"size\":10,\"text\":\"10\",\"list\":[1,{}],"
                "\"userLabels\":{\"fraiseql-deployment\":\"shop\",\"fraiseql-address\":\"x\",\"fraiseql-"
                "restored-from\":\"0\"}}}");
    ck_assert_int_eq(gcp_backups_copy(source, "b", "17", &out, &err), 0);
    ck_assert_str_eq(
        buf_text(&out),
        "{\"name\":\"b\",\"region\":\"europe-west1\",\"databaseVersion\":\"POSTGRES_16\","
        "\"diskEncryptionConfiguration\":{\"kmsKeyName\":\"k\"},"
        "\"settings\":{\"tier\":\"t\",\"on\":true,\"none\":null,\"size\":10,\"text\":\"10\",\"list\":[1,{}],"
        "\"userLabels\":{\"fraiseql-deployment\":\"shop\",\"fraiseql-restored-from\":\"17\"}}}");
    ck_assert_int_eq(gcp_backups_copy(json_of("{\"settings\":{}}"), "b", "17", &out, &err), ERR_PEER);
    ck_assert_int_eq(gcp_backups_copy(json_of("{\"databaseVersion\":\"x\"}"), "b", "17", &out, &err),
                     ERR_PEER);
    buf_deinit(&out);
}
END_TEST

static Suite *gcp_backups_suite(void)
{
    Suite *suite = suite_create("gcp_backups");
    TCase *tcase = tcase_create("gcp_backups");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_page);
    tcase_add_test(tcase, nothing_and_what_is_no_list);
    tcase_add_test(tcase, a_new_instance_has_the_settings_but_not_the_address);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(gcp_backups_suite)
