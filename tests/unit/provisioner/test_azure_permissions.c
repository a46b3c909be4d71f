#include "provisioner/azure/permissions.h"

#include "lib/core/json.h"
#include "tests/unit/provisioner/permission_calls.h"

START_TEST(a_star_stands_for_any_text)
{
    static const char *const covered[][2] = {
        {"*", "Microsoft.Compute/disks/write"},
        {"*", ""},
        {"Microsoft.Compute/*", "Microsoft.Compute/disks/write"},
        {"microsoft.compute/DISKS/write", "Microsoft.Compute/disks/write"},
        {"*/write", "Microsoft.Compute/disks/write"},
        {"*/disks/*", "Microsoft.Compute/disks/write"},
        {"**a**", "xxa"},
        {"*ab*ab", "abxabab"},
        {"a*", "a"}};
    static const char *const other[][2] = {{"", "a"},
                                           {"Microsoft.Compute/disks", "Microsoft.Compute/disks/write"},
                                           {"Microsoft.Compute/disks/write", "Microsoft.Compute/disks"},
                                           {"*/read", "Microsoft.Compute/disks/write"},
                                           {"Microsoft.Computes/*", "Microsoft.Compute/disks/write"},
                                           {"a*b", "abc"},
                                           {"*a", "b"}};
    for (size_t i = 0; i < ARRAY_LEN(covered); i++)
        ck_assert_msg(azure_pattern_covers(str_from(covered[i][0]), covered[i][1]), "%s", covered[i][0]);
    for (size_t i = 0; i < ARRAY_LEN(other); i++)
        ck_assert_msg(!azure_pattern_covers(str_from(other[i][0]), other[i][1]), "%s", other[i][0]);
}
END_TEST

/* An expression of "aaaa...ab" against many stars is no work for a day. */
START_TEST(many_stars_cost_little)
{
    char action[4097], pattern[2001];
    memset(action, 'a', sizeof action - 1);
    action[sizeof action - 1] = '\0';
    for (size_t i = 0; i < sizeof pattern - 1; i++)
        pattern[i] = i % 2 ? 'a' : '*';
    pattern[sizeof pattern - 1] = 'b';
    ck_assert(!azure_pattern_covers((struct str){pattern, sizeof pattern}, action));
}
END_TEST

static bool allowed(const char *roles, const char *action)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct node *root;
    ck_assert_int_eq(json_parse(arena, str_from(roles), &root, NULL), 0);
    return azure_action_allowed(root, action);
}

START_TEST(a_role_takes_back_what_it_gave_and_no_other_role_does)
{
    const char *contributor = "[{\"actions\":[\"*\"],\"notActions\":[\"Microsoft.Authorization/*/Write\"]}]";
    const char *both = "[{\"actions\":[\"*\"],\"notActions\":[\"Microsoft.Authorization/*/Write\"]},"
                       "{\"actions\":[\"Microsoft.Authorization/roleAssignments/*\"],\"notActions\":[]}]";
    ck_assert(allowed(contributor, "Microsoft.Compute/disks/write"));
    ck_assert(!allowed(contributor, "Microsoft.Authorization/roleAssignments/write"));
    ck_assert(allowed(both, "Microsoft.Authorization/roleAssignments/write"));
    ck_assert(!allowed(both, "Microsoft.Authorization/locks/write"));
    ck_assert(!allowed("[]", "a"));
    ck_assert(!allowed("{}", "a"));
    ck_assert(!allowed("[{\"notActions\":[]},{\"actions\":\"*\"},{\"actions\":[[\"*\"]]},7]", "a"));
}
END_TEST

START_TEST(what_the_provider_calls_is_asked_for)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    const char *text = "metadata: {name: shop, environment: production}\n"
                       "regions:\n"
                       "  eu: {provider: azure, location: westeurope, size: small}\n"
                       "  us: {provider: azure, location: eastus, size: small}\n"
                       "  alone: {provider: azure, location: northeurope, size: small,\n"
                       "          database: {deletion-protection: false}}\n"
                       "replication: {mode: active-active, regions: [eu, us]}\n";
    struct deployment *deployment = NULL;
    struct findings findings;
    struct string_list actions;
    findings_init(&findings, arena);
    (void)!deployment_parse(arena, "d.yaml", str_from(text), &deployment, &findings);
    ck_assert_ptr_nonnull(deployment);
    calls_read("azure_calls.txt");
    azure_permissions_list(deployment, deployment_region(deployment, 0), arena, &actions);
    calls_need(actions.items, actions.count);
    ck_assert_uint_gt(actions.count, 90);
    ck_assert_uint_gt(calls_cover("azure/module/", "azurerm"), 40);
    ck_assert_uint_gt(calls_cover("global/module/links/azure/", "azurerm"), 3);
    azure_permissions_list(deployment, deployment_region(deployment, 2), arena, &actions);
    for (size_t i = 0; i < actions.count; i++)
        ck_assert(!strstr(actions.items[i], "/locks/") && !strstr(actions.items[i], "/virtualMachines/"));
    ck_assert_uint_gt(actions.count, 75);
}
END_TEST

static Suite *permissions_suite(void)
{
    Suite *suite = suite_create("azure_permissions");
    TCase *tcase = tcase_create("azure_permissions");
    tcase_add_test(tcase, a_star_stands_for_any_text);
    tcase_add_test(tcase, many_stars_cost_little);
    tcase_add_test(tcase, a_role_takes_back_what_it_gave_and_no_other_role_does);
    tcase_add_test(tcase, what_the_provider_calls_is_asked_for);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(permissions_suite)
