#include "provisioner/run/keep.h"
#include "tests/support/support.h"

static const char state[] =
    "{\"values\":{\"root_module\":{\"resources\":[],\"child_modules\":[{\"resources\":["
    "{\"address\":\"module.region.aws_vpc.this\",\"mode\":\"managed\",\"type\":\"aws_vpc\"},"
    "{\"address\":\"module.region.data.aws_ami.x\",\"mode\":\"data\",\"type\":\"aws_ami\"},"
    "{\"address\":\"module.region.aws_subnet.db[0]\",\"mode\":\"managed\",\"type\":\"aws_subnet\","
    "\"depends_on\":[\"module.region.aws_vpc.this\"]},"
    "{\"address\":\"module.region.aws_subnet.web[0]\",\"mode\":\"managed\",\"type\":\"aws_subnet\","
    "\"depends_on\":[\"module.region.aws_vpc.this\"]},"
    "{\"address\":\"module.region.aws_lb.this\",\"mode\":\"managed\",\"type\":\"aws_lb\","
    "\"depends_on\":[\"module.region.aws_subnet.web\",\"module.region.aws_db_instance.this\"]},"
    "{\"address\":\"module.region.aws_db_instance.this\",\"mode\":\"managed\",\"type\":\"aws_db_instance\","
    "\"depends_on\":[\"module.region.aws_subnet.db\"]}]}]}}}";

static struct keep_list judge(struct arena *arena, const char *text)
{
    struct node *root = NULL;
    struct keep_list list;
    ck_assert_int_eq(json_parse(arena, str_from(text), &root, NULL), 0);
    keep_databases(arena, root, &list);
    return list;
}

START_TEST(a_database_stays_with_what_it_needs)
{
    struct arena *arena = arena_new(0);
    struct keep_list list = judge(arena, state);
    ck_assert_uint_eq(list.database_count, 1);
    ck_assert_uint_eq(list.kept_count, 3);
    ck_assert_uint_eq(list.removable_count, 2);
    ck_assert_str_eq(list.removable[0], "module.region.aws_subnet.web[0]");
    ck_assert_str_eq(list.removable[1], "module.region.aws_lb.this");
    arena_free(arena);
}
END_TEST

START_TEST(an_empty_state_keeps_nothing)
{
    struct arena *arena = arena_new(0);
    ck_assert_uint_eq(judge(arena, "{}").kept_count, 0);
    ck_assert_uint_eq(judge(arena, "{\"values\":{\"root_module\":{}}}").removable_count, 0);
    arena_free(arena);
}
END_TEST

static Suite *keep_suite(void)
{
    Suite *suite = suite_create("keep");
    TCase *tcase = tcase_create("keep");
    tcase_add_test(tcase, a_database_stays_with_what_it_needs);
    tcase_add_test(tcase, an_empty_state_keeps_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(keep_suite)
