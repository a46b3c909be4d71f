#include "provisioner/prices/scope.h"

#include "tests/support/support.h"

static const char file[] = "metadata: { name: shop, environment: production }\n"
                           "regions:\n"
                           "  us: { provider: aws, location: us-east-1, instance_type: m7i.2xlarge }\n"
                           "  ie: { provider: aws, location: eu-west-1, size: medium }\n"
                           "  us2: { provider: aws, location: us-east-1, size: large }\n"
                           "  eu: { provider: gcp, location: europe-west1, size: small }\n";

static bool has_type(const struct prices_scope *scope, const char *name)
{
    return prices_scope_type(scope, str_from(name)) != NULL;
}

START_TEST(all_that_is_known)
{
    struct arena *arena = arena_new(0);
    struct prices_scope scope;
    prices_scope_all(&scope, "aws", arena);
    ck_assert(scope.whole);
    ck_assert_uint_eq(scope.locations.count, 32);
    ck_assert_uint_eq(scope.peers.count, 32);
    ck_assert(scope.dns && !prices_scope_is_empty(&scope));
    ck_assert(has_type(&scope, "c8g.16xlarge") && has_type(&scope, "db.r7i.16xlarge"));
    ck_assert(!has_type(&scope, "x9.unheard") && !has_type(&scope, "n2-standard-4"));
    prices_scope_deinit(&scope);
    arena_free(arena);
}
END_TEST

START_TEST(what_a_deployment_uses)
{
    struct arena *arena = arena_new(0);
    struct findings findings;
    struct deployment *deployment;
    struct prices_scope scope;
    const char *name = "ie";
    const struct string_list none = {0}, one = {1, &name};
    findings_init(&findings, arena);
    ck_assert_int_eq(deployment_parse(arena, "shop.yaml", str_from(file), &deployment, &findings), 0);
    prices_scope_of(&scope, "aws", deployment, &none, arena);
    ck_assert(!scope.whole);
    ck_assert_uint_eq(scope.locations.count, 2);
    ck_assert(prices_scope_has_location(&scope, STR("us-east-1")));
    ck_assert(!prices_scope_has_location(&scope, STR("europe-west1")));
    ck_assert(has_type(&scope, "m7i.2xlarge") && has_type(&scope, "t4g.small") &&
              has_type(&scope, "db.m6i.large"));
    ck_assert(!has_type(&scope, "c8g.16xlarge"));
    prices_scope_deinit(&scope);
    prices_scope_of(&scope, "aws", deployment, &one, arena);
    ck_assert_uint_eq(scope.locations.count, 1);
    ck_assert_str_eq(scope.locations.items[0], "eu-west-1");
    ck_assert_uint_eq(scope.peers.count, 3); /* traffic goes to those that are not asked for as well */
    ck_assert(!scope.dns);
    prices_scope_deinit(&scope);
    prices_scope_of(&scope, "azure", deployment, &none, arena);
    ck_assert_uint_eq(scope.locations.count, 0);
    ck_assert(prices_scope_is_empty(&scope));
    prices_scope_deinit(&scope);
    arena_free(arena);
}
END_TEST

static bool asks_for_names(const char *provider, const char *traffic, const char *region)
{
    struct arena *arena = arena_new(0);
    struct findings findings;
    struct deployment *deployment;
    struct prices_scope scope;
    const struct string_list names = {region ? 1 : 0, &region};
    const char *text =
        arena_printf(arena,
                     "metadata: { name: shop, environment: production }\n"
                     "regions:\n  eu: { provider: gcp, location: europe-west1, size: small }\n%s",
                     traffic);
    findings_init(&findings, arena);
    ck_assert_int_eq(deployment_parse(arena, "shop.yaml", str_from(text), &deployment, &findings), 0);
    prices_scope_of(&scope, provider, deployment, &names, arena);
    bool dns = scope.dns;
    ck_assert(prices_scope_is_empty(&scope) == (!dns && strcmp(provider, "gcp") != 0));
    prices_scope_deinit(&scope);
    arena_free(arena);
    return dns;
}

START_TEST(names_are_sold_to_a_deployment_elsewhere)
{
    static const char route53[] = "traffic: { domain: shop.example, dns: route53, dns-zone: Z01 }\n",
                      cloudflare[] = "traffic: { domain: shop.example, dns: cloudflare, cloudflare-zone: "
                                     "0123456789abcdef0123456789abcdef, "
                                     "cloudflare-account: 0123456789abcdef0123456789abcdef }\n";
    ck_assert(asks_for_names("aws", route53, NULL));
    ck_assert(!asks_for_names("gcp", route53, NULL));
    ck_assert(!asks_for_names("aws", cloudflare, NULL));
    ck_assert(!asks_for_names("aws", "", NULL));
    ck_assert(!asks_for_names("aws", route53, "eu"));
}
END_TEST

static Suite *scope_suite(void)
{
    Suite *suite = suite_create("prices_scope");
    TCase *tcase = tcase_create("scope");
    tcase_add_test(tcase, all_that_is_known);
    tcase_add_test(tcase, what_a_deployment_uses);
    tcase_add_test(tcase, names_are_sold_to_a_deployment_elsewhere);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(scope_suite)
