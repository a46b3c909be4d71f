#include "provisioner/run/attributes.h"
#include "tests/support/support.h"

/* The names, with commas between them. */
static void check(const char *change, bool replaced, const char *wanted)
{
    struct arena *arena = arena_new(0);
    struct buf text = BUF_INIT(4096);
    struct node *node = NULL;
    struct attribute_names names;
    ck_assert_int_eq(json_parse(arena, str_from(change), &node, NULL), 0);
    attributes_of_change(node, replaced, arena, &names);
    for (size_t i = 0; i < names.count; i++)
        buf_printf(&text, "%s%s", i ? "," : "", names.items[i]);
    ck_assert_str_eq(buf_text(&text), wanted);
    buf_deinit(&text);
    arena_free(arena);
}

START_TEST(what_is_the_same_has_no_name)
{
    check("{\"before\":{\"a\":1,\"b\":[{\"c\":null}],\"d\":null},"
          "\"after\":{\"a\":1,\"b\":[{}],\"e\":null},\"after_unknown\":{\"b\":[{}]}}",
          false, "");
    check("{\"before\":{\"a\":{\"b\":\"x\"},\"l\":[1,2]},\"after\":{\"a\":{\"b\":\"x\"},\"l\":[1,2]}}", false,
          "");
    check("{\"before\":null,\"after\":{\"a\":1}}", false, "");
    check("{\"before\":{\"a\":1},\"after\":null}", false, "");
    check("{}", true, "");
}
END_TEST

START_TEST(names_of_what_changes_and_of_what_is_not_known)
{
    check(
        "{\"before\":{\"a\":1,\"gone\":2,\"out\":3,\"same\":4},\"after\":{\"a\":\"1\",\"new\":5,\"same\":4},"
        "\"after_unknown\":{\"out\":true,\"fresh\":true,\"same\":false}}",
        false, "a,gone,out,new,fresh");
}
END_TEST

START_TEST(blocks_and_maps_are_followed)
{
    check("{\"before\":{\"settings\":[{\"tier\":\"a\",\"ip\":[{\"ssl\":true,\"net\":\"n\"}]}],\"tags\":{"
          "\"x\":\"1\"}},"
          "\"after\":{\"settings\":[{\"tier\":\"b\",\"ip\":[{\"ssl\":false,\"net\":\"n\"}]}],\"tags\":{\"y\":"
          "\"1\"}}}",
          false, "settings.tier,settings.ip.ssl,tags.x,tags.y");
    /* Elements of a list have its name, once; a list of another length or of texts is one attribute. */
    check("{\"before\":{\"r\":[{\"p\":1},{\"p\":2}],\"n\":[{\"p\":1}],\"t\":[\"a\"]},"
          "\"after\":{\"r\":[{\"p\":3},{\"p\":4}],\"n\":[],\"t\":[\"b\"]}}",
          false, "r.p,n,t");
    check("{\"before\":{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":1}}}}},\"after\":{\"a\":{\"b\":{\"c\":{\"d\":{"
          "\"e\":2}}}}}}",
          false, "a.b.c.d");
}
END_TEST

START_TEST(what_is_sensitive_is_not_looked_into)
{
    check("{\"before\":{\"env\":{\"KEY\":\"1\"},\"p\":\"x\"},\"after\":{\"env\":{\"KEY\":\"2\"},\"p\":\"x\"},"
          "\"before_sensitive\":{},\"after_sensitive\":{\"env\":true,\"p\":true}}",
          false, "env");
}
END_TEST

START_TEST(a_replacement_begins_with_what_forces_it)
{
    check("{\"before\":{\"id\":\"i\",\"size\":1,\"image\":\"a\",\"s\":[{\"t\":1}],\"arn\":\"x\"},"
          "\"after\":{\"size\":2,\"image\":\"b\",\"s\":[{\"t\":2}]},\"after_unknown\":{\"id\":true,\"arn\":"
          "true},"
          "\"replace_paths\":[[\"image\"],[\"s\",0,\"t\"],[]]}",
          true, "image,s.t,size");
}
END_TEST

static Suite *attributes_suite(void)
{
    Suite *suite = suite_create("run attributes");
    TCase *tcase = tcase_create("attributes");
    tcase_add_test(tcase, what_is_the_same_has_no_name);
    tcase_add_test(tcase, names_of_what_changes_and_of_what_is_not_known);
    tcase_add_test(tcase, blocks_and_maps_are_followed);
    tcase_add_test(tcase, what_is_sensitive_is_not_looked_into);
    tcase_add_test(tcase, a_replacement_begins_with_what_forces_it);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(attributes_suite)
