#include "provisioner/render/render_internal.h"
#include "tests/support/support.h"

static const char *rendered(struct buf *out, const char *text)
{
    struct json_writer json;
    buf_reset(out);
    json_init(&json, out);
    render_text(&json, text);
    return buf_text(out);
}

START_TEST(templates_become_text)
{
    struct buf out = BUF_INIT(4096);
    ck_assert_str_eq(rendered(&out, "plain"), "\"plain\"");
    ck_assert_str_eq(rendered(&out, NULL), "\"\"");
    ck_assert_str_eq(rendered(&out, "${x}"), "\"$${x}\"");
    ck_assert_str_eq(rendered(&out, "%{ if a }"), "\"%%{ if a }\"");
    ck_assert_str_eq(rendered(&out, "$${x}"), "\"$$${x}\"");
    ck_assert_str_eq(rendered(&out, "$ {a} % {b} 100% $5"), "\"$ {a} % {b} 100% $5\"");
    ck_assert_str_eq(rendered(&out, "a\"b\\c\n\xC3\xA9"), "\"a\\\"b\\\\c\\n\xC3\xA9\"");
    buf_reset(&out);
    struct json_writer json;
    json_init(&json, &out);
    json_object_begin(&json);
    render_key(&json, "${k}");
    render_text(&json, "v");
    render_kv(&json, "ours", "%{v}");
    json_object_end(&json);
    ck_assert_str_eq(buf_text(&out), "{\"$${k}\":\"v\",\"ours\":\"%%{v}\"}");
    buf_deinit(&out);
}
END_TEST

START_TEST(indented)
{
    struct buf out = BUF_INIT(4096);
    render_indent(STR("{\"a\":[1,{\"b\":\"x, {y}: \\\"z\\\"\"}],\"c\":{},\"d\":[],\"e\":null}"), &out);
    ck_assert_str_eq(buf_text(&out),
                     "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"x, {y}: \\\"z\\\"\"\n    }\n  ],\n"
                     "  \"c\": {},\n  \"d\": [],\n  \"e\": null\n}\n");
    buf_deinit(&out);
}
END_TEST

static const char *name_of(const char *deployment_name, const char *region_name,
                           char name[RENDER_NAME_MAX + 1])
{
    struct deployment deployment = {.metadata = {.name = deployment_name}};
    struct region region = {.name = region_name};
    return render_name(&deployment, &region, name);
}

START_TEST(names_are_short_stable_and_distinct)
{
    static const char *const cases[][2] = {
        {"app", "us-east"},
        {"fraiseql-production", "us-east"},
        {"fraiseql-production", "us-east-with-a-very-long-name-indeed"},
        {"a-deployment-with-the-longest-name-there", "x"},
        {"a-b", "c"},
        {"a", "b-c"},
        {"app", "US East"},
        {"app", "us--east"},
        {"app", "us-east-"},
        {"app", "\xC3\xA9t\xC3\xA9"},
        {"app", "123456789012345678901234"},
    };
    char names[ARRAY_LEN(cases)][RENDER_NAME_MAX + 1], again[RENDER_NAME_MAX + 1];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *name = name_of(cases[i][0], cases[i][1], names[i]);
        ck_assert_msg(strlen(name) <= RENDER_NAME_MAX && strlen(name) >= 3, "%s", name);
        ck_assert_msg(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name), "%s", name);
        ck_assert_msg(name[0] >= 'a' && name[0] <= 'z' && !strstr(name, "--"), "%s", name);
        ck_assert_msg(name[strlen(name) - 1] != '-', "%s", name);
        ck_assert_str_eq(name, name_of(cases[i][0], cases[i][1], again));
        for (size_t k = 0; k < i; k++)
            ck_assert_str_ne(name, names[k]);
    }
    ck_assert_str_eq(names[0], "app-us-east");
    ck_assert_int_eq(strncmp(names[1], "fraiseql-us-east-", 17), 0);
}
END_TEST

START_TEST(labels_are_identifiers)
{
    char label[RENDER_LABEL_MAX];
    struct region region = {.name = "eu-west_1", .index = 3};
    ck_assert_str_eq(render_label(&region, label), "eu-west_1");
    region.name = "1a";
    ck_assert_str_eq(render_label(&region, label), "region_3");
    region.name = "a${b}";
    ck_assert_str_eq(render_label(&region, label), "region_3");
}
END_TEST

static Suite *render_text_suite(void)
{
    Suite *suite = suite_create("render_text");
    TCase *tcase = tcase_create("render_text");
    tcase_add_test(tcase, templates_become_text);
    tcase_add_test(tcase, indented);
    tcase_add_test(tcase, names_are_short_stable_and_distinct);
    tcase_add_test(tcase, labels_are_identifiers);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(render_text_suite)
