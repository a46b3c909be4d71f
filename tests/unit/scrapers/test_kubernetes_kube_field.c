#include "scrapers/kubernetes/kube_field.h"

#include "tests/support/support.h"

static struct arena *arena;

static void open_arena(void)
{
    arena = arena_new(0);
}

static void close_arena(void)
{
    arena_free(arena);
}

static const struct kube_field fields[] = {
    {"metadata.name", KUBE_TEXT},    {"spec.replicas", KUBE_NUMBER},           {"spec.paused", KUBE_BOOL},
    {"metadata.created", KUBE_TIME}, {"spec.resources.memory", KUBE_QUANTITY}, {"spec.list", KUBE_RAW},
    {"status.conditions", KUBE_RAW}, {"spec.resources.cpu", KUBE_QUANTITY},
};

START_TEST(fields_are_found_wherever_they_stand)
{
    static const char object[] =
        "{\"spec\":{\"list\":[1,{\"name\":2}],\"resources\":{\"cpu\":\"250m\",\"other\":{\"memory\":\"1\"},"
        "\"memory\":"
        "\"1Ki\"},\"replicas\":3,\"paused\":true},\"kind\":\"X\",\"metadata\":{\"managedFields\":[{\"name\":"
        "\"no\"}],"
        "\"created\":\"2026-11-26T04:20:32Z\",\"name\":\"a\\u0062\"},\"name\":\"top\"}";
    struct json_pull pull = json_pull_from(STR(object));
    struct kube_value values[ARRAY_LEN(fields)];
    ck_assert(kube_pick(&pull, fields, ARRAY_LEN(fields), arena, values));
    ck_assert(json_pull_finish(&pull));
    ck_assert(str_equal(values[0].text, STR("ab")));
    ck_assert_int_eq(kube_number(&values[1]).i64, 3);
    ck_assert_uint_eq(kube_number(&values[2]).u64, 1);
    ck_assert_int_eq(kube_number(&values[3]).i64, 1795666832);
    ck_assert_uint_eq(kube_number(&values[4]).u64, 1024);
    ck_assert(str_equal(values[5].text, STR("[1,{\"name\":2}]")));
    ck_assert_int_eq(values[6].type, KUBE_NONE);
    ck_assert_int_eq(kube_number(&values[6]).kind, VALUE_ABSENT);
    ck_assert(value_to_double(kube_number(&values[7])) > 0.249);
}
END_TEST

START_TEST(other_types_are_not_there)
{
    static const char *const objects[] = {
        "{\"metadata\":{\"name\":1,\"created\":\"yesterday\"},\"spec\":{\"replicas\":\"3\",\"paused\":1,"
        "\"resources\":"
        "{\"memory\":5,\"cpu\":\"x\"}}}",
        "{\"metadata\":[],\"spec\":null}",
        "[1,2]",
        "\"text\"",
    };
    for (size_t i = 0; i < ARRAY_LEN(objects); i++) {
        struct json_pull pull = json_pull_from(str_from(objects[i]));
        struct kube_value values[ARRAY_LEN(fields)];
        ck_assert(kube_pick(&pull, fields, ARRAY_LEN(fields), arena, values));
        for (size_t f = 0; f < ARRAY_LEN(fields); f++)
            ck_assert_msg(values[f].type == KUBE_NONE, "%s: %s", objects[i], fields[f].path);
    }
}
END_TEST

START_TEST(damage_is_told)
{
    static const char *const objects[] = {"{\"metadata\":{\"name\":\"a\"}", "{\"spec\":{\"list\":[1}}",
                                          "{\"metadata\""};
    for (size_t i = 0; i < ARRAY_LEN(objects); i++) {
        struct json_pull pull = json_pull_from(str_from(objects[i]));
        struct kube_value values[ARRAY_LEN(fields)];
        ck_assert(!kube_pick(&pull, fields, ARRAY_LEN(fields), arena, values));
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("kubernetes_kube_field");
    TCase *tests = tcase_create("field");
    tcase_add_checked_fixture(tests, open_arena, close_arena);
    tcase_add_test(tests, fields_are_found_wherever_they_stand);
    tcase_add_test(tests, other_types_are_not_there);
    tcase_add_test(tests, damage_is_told);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
