/* The policies that are shipped grant every call of the sources' tables, and no more. A call that is added to
 * a table fails here until somebody says which permission it wants. */
#include "lib/core/json.h"
#include "scrapers/azure/azure_internal.h"
#include "scrapers/cloudflare/cloudflare_internal.h"
#include "scrapers/cloudwatch/cloudwatch_internal.h"
#include "scrapers/google/google_internal.h"
#include "scrapers/kubernetes/kube_kind.h"
#include "tests/support/support.h"

#include <stdio.h>

#define GRANTS_MAX 64U

static struct arena *arena;
static const char *granted[GRANTS_MAX];
static bool used[GRANTS_MAX];
static size_t grant_count;

/* What the calls of a table want; both NULL: nothing. `too`: a second one. */
struct want {
    const char *api, *permission, *too;
};

static void begin(void)
{
    arena = arena_new(0);
    grant_count = 0;
    memset(used, 0, sizeof used);
}

static void end(void)
{
    arena_free(arena);
}

static struct str file(const char *path)
{
    char *text = arena_alloc(arena, 65536);
    FILE *stream = fopen(arena_printf(arena, TEST_SOURCE_DIR "/%s", path), "re");
    ck_assert_ptr_nonnull(stream);
    size_t len = fread(text, 1, 65535, stream);
    ck_assert_int_eq(fclose(stream), 0);
    text[len] = '\0';
    return (struct str){text, len};
}

static struct node *policy(const char *path)
{
    struct node *root = NULL;
    struct error err = {0};
    ck_assert_int_eq(json_parse(arena, file(path), &root, &err), 0);
    return root;
}

/* One text, or a list of them. */
static void grant(const struct node *node)
{
    ck_assert_ptr_nonnull(node);
    if (node->kind == NODE_SCALAR) {
        ck_assert_uint_lt(grant_count, GRANTS_MAX);
        granted[grant_count++] = arena_strdup(arena, node->scalar);
    }
    for (size_t i = 0; node->kind == NODE_SEQUENCE && i < node->count; i++)
        grant(node->items[i]);
}

static void check(const char *permission)
{
    size_t at = 0;
    while (at < grant_count && strcmp(granted[at], permission) != 0)
        at++;
    ck_assert_msg(at < grant_count, "%s is not granted", permission);
    used[at] = true;
}

static void check_table(const struct cloud_source *source, const struct want *wants, size_t count)
{
    for (size_t i = 0; i < source->api_count; i++) {
        size_t at = 0;
        while (at < count && strcmp(wants[at].api, source->apis[i].name) != 0)
            at++;
        ck_assert_msg(at < count, "what permission does %s want?", source->apis[i].name);
        if (wants[at].permission)
            check(wants[at].permission);
        if (wants[at].too)
            check(wants[at].too);
    }
}

static void check_all_used(void)
{
    for (size_t i = 0; i < grant_count; i++)
        ck_assert_msg(used[i], "%s is granted, and nothing wants it", granted[i]);
}

START_TEST(aws)
{
    static const struct want wants[] = {{"GetMetricData", "cloudwatch:GetMetricData", NULL},
                                        {"ListMetrics", "cloudwatch:ListMetrics", NULL},
                                        {"GetResources", "tag:GetResources", NULL},
                                        {"GetCallerIdentity", NULL, NULL}}; /* everybody may */
    const struct node *statements = node_member(policy("provisioner/aws/policies/metrics.json"), "Statement");
    for (size_t i = 0; i < statements->count; i++) {
        ck_assert(str_equal_text(node_text(statements->items[i], "Effect"), "Allow"));
        grant(node_member(statements->items[i], "Action"));
    }
    check_table(&cloudwatch_source, wants, ARRAY_LEN(wants));
    check_all_used();
}
END_TEST

START_TEST(google)
{
    static const struct want wants[] = {{"timeSeries.list", "monitoring.timeSeries.list", NULL},
                                        {"metricDescriptors.get", "monitoring.metricDescriptors.get", NULL}};
    grant(node_member(policy("provisioner/gcp/policies/metrics.json"), "includedPermissions"));
    check_table(&google_source, wants, ARRAY_LEN(wants));
    check_all_used();
}
END_TEST

START_TEST(azure)
{
    static const struct want wants[] = {{"getBatch", "Microsoft.Insights/metrics/read", NULL},
                                        {"metrics", "Microsoft.Insights/metrics/read", NULL},
                                        {"resources", "Microsoft.Resources/subscriptions/resources/read",
                                         "Microsoft.Resources/subscriptions/resourceGroups/resources/read"}};
    grant(node_member(policy("provisioner/azure/policies/metrics.json"), "Actions"));
    check_table(&azure_source, wants, ARRAY_LEN(wants));
    for (const struct azure_set *set = azure_sets; set->profile; set++)
        check(arena_printf(arena, "%s/read", set->type));
    check_all_used();
}
END_TEST

START_TEST(cloudflare)
{
    static const struct want wants[] = {{"graphql", "Analytics Read", NULL},
                                        {"rest", "Zone Read", "Load Balancing: Monitors and Pools Read"}};
    const struct node *policies =
        node_member(policy("provisioner/global/policies/cloudflare-metrics.json"), "policies");
    for (size_t i = 0; i < policies->count; i++) {
        const struct node *groups = node_member(policies->items[i], "permission_groups");
        for (size_t k = 0; k < groups->count; k++)
            grant(node_member(groups->items[k], "name"));
    }
    check_table(&cloudflare_source, wants, ARRAY_LEN(wants));
    check_all_used();
}
END_TEST

/* The rules of the manifest's ClusterRole, one line a key: `apiGroups: [apps]`, `resources: [a, b]`. */
START_TEST(kubernetes)
{
    struct str text = file("packaging/kubernetes/rbac.yaml");
    size_t kinds = 0;
    for (; kube_kinds[kinds]; kinds++) {
        const struct kube_kind *kind = kube_kinds[kinds];
        const char *group = kind->group[0] ? kind->group : "\"\"";
        const char *rule = strstr(text.ptr, arena_printf(arena, "- apiGroups: [%s]\n", group));
        ck_assert_msg(rule, "no rule for the group %s", group);
        const char *resources = strstr(rule, "resources: ["), *end_of_list = strchr(resources, ']');
        const char *name = strstr(resources, kind->name);
        ck_assert_msg(name && name < end_of_list, "%s of %s is not granted", kind->name, group);
    }
    ck_assert_uint_gt(kinds, 0);
}
END_TEST

static Suite *cloud_policies_suite(void)
{
    Suite *suite = suite_create("cloud_policies");
    TCase *tcase = tcase_create("cloud_policies");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, aws);
    tcase_add_test(tcase, google);
    tcase_add_test(tcase, azure);
    tcase_add_test(tcase, cloudflare);
    tcase_add_test(tcase, kubernetes);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(cloud_policies_suite)
