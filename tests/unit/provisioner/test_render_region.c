#include "lib/core/json.h"
#include "provisioner/render/render_internal.h"
#include "tests/support/support.h"

static const char file_text[] = "metadata: {name: shop, environment: test}\n"
                                "regions:\n"
                                "  us: {provider: aws, location: us-east-1, size: small}\n"
                                "  eu: {provider: aws, location: eu-west-1, size: small}\n"
                                "replication: {mode: active-active}\n";

static struct deployment *parsed(struct arena *arena)
{
    struct findings findings;
    struct deployment *deployment = NULL;
    findings_init(&findings, arena);
    int code = deployment_parse(arena, "shop.yaml", str_from(file_text), &deployment, &findings);
    ck_assert_msg(code == 0, "%s", findings.count ? findings.items[0].message : "");
    return deployment;
}

static const struct node *at(const struct node *node, const char *const *path)
{
    for (; *path; path++) {
        const struct node_pair *pair = node_find(node, *path);
        ck_assert_msg(pair != NULL, "%s", *path);
        node = pair->value;
    }
    return node;
}

#define AT(node, ...) at(node, (const char *const[]){__VA_ARGS__, NULL})

static const struct node *rendered(struct arena *arena, const struct deployment *deployment, size_t region)
{
    static const struct render_identity identity = {"01a214e4-0000-7000-8000-000000000000"};
    struct buf out = BUF_INIT(RENDER_MAX_BYTES);
    struct error err = {0};
    struct node *root = NULL;
    render_region(deployment, deployment_region(deployment, region), &identity, &out);
    ck_assert_msg(json_parse(arena, buf_str(&out), &root, &err) == 0, "%s", err.message);
    buf_deinit(&out);
    return root;
}

START_TEST(text_of_the_user_is_never_code)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct deployment *deployment = parsed(arena);
    struct string_pair labels[] = {{"${owner}", "%{ if x }"}, {"plain", "a\nb"}, {"quote\"d", "\\"}};
    deployment->metadata.labels = (struct string_map){ARRAY_LEN(labels), labels};
    deployment->metadata.environment = "${e}";
    deployment->service.image = "x:${tag}";
    const struct node *root = rendered(arena, deployment, 0);
    const struct node *made = AT(root, "module", "region", "labels");
    ck_assert_uint_eq(made->count, 3);
    ck_assert_str_eq(made->pairs[0].key.ptr, "$${owner}");
    ck_assert_str_eq(made->pairs[0].value->scalar.ptr, "%%{ if x }");
    ck_assert_str_eq(made->pairs[1].value->scalar.ptr, "a\nb");
    ck_assert_str_eq(made->pairs[2].key.ptr, "quote\"d");
    ck_assert_str_eq(AT(root, "module", "region", "environment")->scalar.ptr, "$${e}");
    ck_assert_str_eq(AT(root, "module", "region", "service", "image")->scalar.ptr, "x:$${tag}");
}
END_TEST

START_TEST(a_region_overrides_labels)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct deployment *deployment = parsed(arena);
    struct string_pair common[] = {{"team", "a"}, {"tier", "1"}}, own[] = {{"team", "b"}};
    deployment->metadata.labels = (struct string_map){2, common};
    ((struct region *)deployment->region_list.items)[1].labels = (struct string_map){1, own};
    const struct node *made = AT(rendered(arena, deployment, 1), "module", "region", "labels");
    ck_assert_uint_eq(made->count, 2);
    ck_assert_str_eq(AT(made, "team")->scalar.ptr, "b");
    ck_assert_str_eq(AT(made, "tier")->scalar.ptr, "1");
}
END_TEST

START_TEST(every_output_is_given_on)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    const struct node *root = rendered(arena, parsed(arena), 1);
    for (size_t i = 0; render_outputs[i]; i++)
        ck_assert_ptr_nonnull(AT(root, "output", render_outputs[i], "value"));
    ck_assert_str_eq(AT(root, "module", "region", "node", "index")->scalar.ptr, "1");
    ck_assert_str_eq(AT(root, "module", "region", "node", "count")->scalar.ptr, "2");
    ck_assert_str_eq(AT(root, "module", "region", "links")->scalar.ptr, "tls");
    ck_assert_str_eq(AT(root, "module", "region", "source")->scalar.ptr, "../../modules/aws");
}
END_TEST

static Suite *render_region_suite(void)
{
    Suite *suite = suite_create("render_region");
    TCase *tcase = tcase_create("render_region");
    tcase_add_test(tcase, text_of_the_user_is_never_code);
    tcase_add_test(tcase, a_region_overrides_labels);
    tcase_add_test(tcase, every_output_is_given_on);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(render_region_suite)
