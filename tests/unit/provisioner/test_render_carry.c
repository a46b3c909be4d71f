#include "lib/core/yaml.h"
#include "provisioner/render/render_internal.h"
#include "tests/support/support.h"

static const char *carried(struct arena *arena, const char *before, const char *now)
{
    char *folder = test_folder_new();
    const char *path = arena_printf(arena, "%s/main.tf.json", folder);
    struct buf document = BUF_INIT(RENDER_MAX_BYTES);
    if (before)
        test_file_write(path, str_from(before));
    buf_append_text(&document, now);
    render_carry(arena, path, &document);
    const char *text = arena_strdup(arena, buf_str(&document));
    buf_deinit(&document);
    test_folder_remove(folder);
    return text;
}

#define TWO                                                                                                  \
    "{\"provider\":{\"aws\":[{\"alias\":\"one\",\"region\":\"us-east-1\"},{\"alias\":\"two\",\"region\":"    \
    "\"us-west-2\"}]}}"

START_TEST(what_lacks_nothing_stays_as_it_is)
{
    struct arena *arena = arena_new(0);
    ck_assert_str_eq(carried(arena, NULL, TWO), TWO);
    ck_assert_str_eq(carried(arena, "not JSON", TWO), TWO);
    ck_assert_str_eq(carried(arena, TWO, TWO), TWO);
    ck_assert_str_eq(
        carried(arena, "{\"provider\":{\"aws\":{\"alias\":\"one\",\"region\":\"elsewhere\"}}}", TWO), TWO);
    arena_free(arena);
}
END_TEST

START_TEST(a_provider_that_is_gone_is_kept_with_its_source)
{
    struct arena *arena = arena_new(0);
    const char *text =
        carried(arena,
                "{\"terraform\":{\"required_providers\":{\"google\":{\"source\":\"hashicorp/google\"}}},"
                "\"provider\":{\"aws\":[{\"alias\":\"one\",\"region\":\"old\"},{\"region\":\"plain\"}],"
                "\"google\":{\"alias\":\"three\",\"project\":\"p${x}\"}}}",
                "{\"terraform\":{\"required_version\":\">= 1.6\",\"required_providers\":{}},"
                "\"provider\":{\"aws\":{\"alias\":\"one\",\"region\":\"new\"}},\"output\":{\"n\":1}}");
    struct node *root = NULL;
    ck_assert_int_eq(json_parse(arena, str_from(text), &root, NULL), 0);
    const struct node *providers = node_member(root, "provider"), *aws = node_member(providers, "aws");
    ck_assert_uint_eq(aws->count, 2);
    ck_assert_str_eq(node_text(aws->items[0], "region").ptr, "new");
    ck_assert_str_eq(node_text(aws->items[1], "region").ptr, "plain");
    ck_assert_str_eq(node_text(node_member(providers, "google"), "project").ptr, "p${x}");
    const struct node *terraform = node_member(root, "terraform");
    ck_assert_str_eq(node_text(terraform, "required_version").ptr, ">= 1.6");
    ck_assert_str_eq(
        node_text(node_member(node_member(terraform, "required_providers"), "google"), "source").ptr,
        "hashicorp/google");
    ck_assert_str_eq(node_text(node_member(root, "output"), "n").ptr, "1");
    /* Rendered once more over itself, it is the same. */
    ck_assert_str_eq(carried(arena, text, text), text);
    arena_free(arena);
}
END_TEST

START_TEST(the_last_provider_is_kept_too)
{
    struct arena *arena = arena_new(0);
    const char *text = carried(arena, TWO, "{\"output\":{}}");
    struct node *root = NULL;
    ck_assert_int_eq(json_parse(arena, str_from(text), &root, NULL), 0);
    ck_assert_uint_eq(node_member(node_member(root, "provider"), "aws")->count, 2);
    arena_free(arena);
}
END_TEST

static Suite *carry_suite(void)
{
    Suite *suite = suite_create("carry");
    TCase *tcase = tcase_create("carry");
    tcase_add_test(tcase, what_lacks_nothing_stays_as_it_is);
    tcase_add_test(tcase, a_provider_that_is_gone_is_kept_with_its_source);
    tcase_add_test(tcase, the_last_provider_is_kept_too);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(carry_suite)
