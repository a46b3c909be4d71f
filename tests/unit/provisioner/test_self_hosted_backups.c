#include "provisioner/self_hosted/backups.h"
#include "tests/support/support.h"

#include <string.h>

#define BEFORE "since 1000\nlatest 5000\nverified 20261126-100000F 4000\nverified 20261126-100000F 4100\n"
#define FULL                                                                                                 \
    "{\"annotation\":{\"name\":\"shop-us-1\"},\"error\":false,\"info\":{\"repository\":{\"delta\":512}},"    \
    "\"label\":\"20261126-100000F\",\"timestamp\":{\"start\":1990,\"stop\":2000},\"type\":\"full\"}"
#define INCREMENT                                                                                            \
    "{\"annotation\":null,\"error\":true,\"info\":{},\"label\":\"20261126-100000F_20261126-110000I\","       \
    "\"timestamp\":{\"start\":2990,\"stop\":3000},\"type\":\"incr\"}"
#define FORMER                                                                                               \
    "{\"error\":false,\"label\":\"20261120-100000F\",\"timestamp\":{\"stop\":900},\"type\":\"full\"}"

START_TEST(what_pgbackrest_lists)
{
    struct arena *arena = arena_new(0);
    struct backup_list list = {0};
    struct error err = {0};
    int code = backups_self_hosted_read(
        STR(BEFORE "info\n[{\"backup\":[" FORMER "," FULL "," INCREMENT "]}]\n"), arena, &list, &err);
    ck_assert_msg(code == 0, "%s", err.message);
    ck_assert_uint_eq(list.count, 3);
    ck_assert_str_eq(list.items[0].id, "20261126-100000F_20261126-110000I");
    ck_assert_int_eq((int)list.items[0].state, (int)BACKUP_FAILED);
    const struct backup *full = backup_find(&list, "shop-us-1");
    ck_assert_ptr_nonnull(full);
    ck_assert_str_eq(full->id, "20261126-100000F");
    ck_assert_str_eq(full->kind, "full");
    ck_assert_uint_eq(full->size_bytes, 512);
    ck_assert_int_eq(full->at_wall_ns, 2000 * NS_PER_S);
    ck_assert_int_eq(full->verified_wall_ns, 4100 * NS_PER_S);
    ck_assert_int_eq(list.items[0].verified_wall_ns, 0);
    /* What is from before this region last began to archive is kept, and begins no window. */
    ck_assert_int_eq(list.earliest_wall_ns, 2001 * NS_PER_S);
    ck_assert_int_eq(list.latest_wall_ns, 5000 * NS_PER_S);
    arena_free(arena);
}
END_TEST

static const struct {
    const char *text;
    bool refused;
} texts[] = {
    {"", true},
    {"since 1\n", true},
    {"info\n", true},
    {"info\nERROR: [055]", true},
    {"since x\nlatest -1\nverified \ninfo\n[]", false},
    {"info\n{}", false},
    {"info\n[{\"backup\":{}}]", false},
    {"info\n[{\"backup\":[1, null, [], {}]}]", false},
    {"since 0\nlatest 5000\ninfo\n[{\"backup\":[" FULL "]}]", false}, /* it does not archive now */
};

START_TEST(what_is_no_list)
{
    struct arena *arena = arena_new(0);
    struct backup_list list = {0};
    struct error err = {0};
    int code = backups_self_hosted_read(str_from(texts[_i].text), arena, &list, &err);
    ck_assert_msg((code != 0) == texts[_i].refused, "%s: %s", texts[_i].text, err.message);
    ck_assert_int_eq(list.latest_wall_ns, 0);
    arena_free(arena);
}
END_TEST

static Suite *backups_suite(void)
{
    Suite *suite = suite_create("self_hosted_backups");
    TCase *tcase = tcase_create("self_hosted_backups");
    tcase_add_test(tcase, what_pgbackrest_lists);
    tcase_add_loop_test(tcase, what_is_no_list, 0, (int)ARRAY_LEN(texts));
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(backups_suite)
