#include "provisioner/aws/backups.h"

#include "tests/unit/provisioner/backups_rig.h"

static const struct xml *xml_of(const char *text)
{
    const struct xml *root = NULL;
    ck_assert_msg(xml_parse(str_from(text), arena, &root, &err) == 0, "%s", err.message);
    return root;
}

START_TEST(a_page)
{
    ck_assert_int_eq(
        aws_backups_read(
            xml_of(
                "<R><Marker>m</Marker><DBSnapshots>"
                "<DBSnapshot><DBSnapshotIdentifier>one</DBSnapshotIdentifier><Status>available</Status>"
                "<SnapshotType>manual</SnapshotType><AllocatedStorage>20</AllocatedStorage>"
                "<SnapshotCreateTime>2026-11-26T11:00:00Z</SnapshotCreateTime>"
                "<OriginalSnapshotCreateTime>2026-11-26T10:00:00Z</OriginalSnapshotCreateTime></DBSnapshot>"
                "<DBSnapshot><DBSnapshotIdentifier>two</DBSnapshotIdentifier><Status>creating</Status>"
                "<AllocatedStorage>18446744073709551615</AllocatedStorage></DBSnapshot>"
                "<DBSnapshot><DBSnapshotIdentifier>three</DBSnapshotIdentifier><Status>failed</Status></"
                "DBSnapshot>"
                "<DBSnapshot/></DBSnapshots></R>"),
            &list, arena, &next, &err),
        0);
    ck_assert_str_eq(next, "m");
    ck_assert_uint_eq(list.count, 3);
    ck_assert_uint_eq(list.items[0].size_bytes, UINT64_C(20) << 30);
    ck_assert_int_eq(list.items[0].at_wall_ns, INT64_C(1795687200000000000));
    ck_assert_int_eq(list.items[1].state, BACKUP_UNDER_WAY);
    ck_assert_uint_eq(list.items[1].size_bytes, 0);
    ck_assert_int_eq(list.items[2].state, BACKUP_FAILED);
    ck_assert_int_eq(aws_backups_read(xml_of("<R/>"), &list, arena, &next, &err), 0);
    ck_assert_ptr_null(next);
}
END_TEST

START_TEST(a_new_instance_is_like_the_old_one_but_has_no_address)
{
    struct aws_form form;
    const struct xml *instance =
        xml_of("<I><DBInstanceClass>db.t3.large</DBInstanceClass><MultiAZ>true</MultiAZ>"
               "<DBSubnetGroup><DBSubnetGroupName>sub</DBSubnetGroupName></DBSubnetGroup>"
               "<DBParameterGroups><DBParameterGroup><DBParameterGroupName>par</DBParameterGroupName></"
               "DBParameterGroup>"
               "</DBParameterGroups><VpcSecurityGroups>"
               "<VpcSecurityGroupMembership><VpcSecurityGroupId>sg-1</VpcSecurityGroupId></"
               "VpcSecurityGroupMembership>"
               "<VpcSecurityGroupMembership><VpcSecurityGroupId>sg-2</VpcSecurityGroupId></"
               "VpcSecurityGroupMembership>"
               "</VpcSecurityGroups><EnabledCloudwatchLogsExports><member>postgresql</member>"
               "<member>upgrade</member></EnabledCloudwatchLogsExports>"
               "<IAMDatabaseAuthenticationEnabled>true</IAMDatabaseAuthenticationEnabled><TagList>"
               "<Tag><Key>fraiseql-deployment</Key><Value>shop &amp; co</Value></Tag>"
               "<Tag><Key>aws:cloudformation</Key><Value>x</Value></Tag>"
               "<Tag><Key>fraiseql-address</Key><Value>aws_db_instance.this</Value></Tag></TagList></I>");
    ck_assert_str_eq(aws_backups_tag(instance, "fraiseql-deployment"), "shop & co");
    ck_assert_str_eq(aws_backups_tag(instance, "nothing"), "");
    aws_form_init(&form, "A", "1");
    aws_backups_settings(instance, "one", &form);
    ck_assert_str_eq(buf_text(&form.text),
                     "Action=A&Version=1&DBInstanceClass=db.t3.large&MultiAZ=true&DBSubnetGroupName=sub"
                     "&DBParameterGroupName=par&VpcSecurityGroupIds.VpcSecurityGroupId.1=sg-1"
                     "&VpcSecurityGroupIds.VpcSecurityGroupId.2=sg-2"
                     "&EnableCloudwatchLogsExports.member.1=postgresql"
                     "&EnableCloudwatchLogsExports.member.2=upgrade&EnableIAMDatabaseAuthentication=true"
                     "&CopyTagsToSnapshot=true"
                     "&Tags.Tag.1.Key=fraiseql-deployment&Tags.Tag.1.Value=shop%20%26%20co"
                     "&Tags.Tag.2.Key=fraiseql-restored-from&Tags.Tag.2.Value=one");
    aws_form_deinit(&form);
}
END_TEST

static Suite *aws_backups_suite(void)
{
    Suite *suite = suite_create("aws_backups");
    TCase *tcase = tcase_create("aws_backups");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_page);
    tcase_add_test(tcase, a_new_instance_is_like_the_old_one_but_has_no_address);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(aws_backups_suite)
