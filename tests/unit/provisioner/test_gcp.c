#include "lib/core/json.h"
#include "provisioner/gcp/gcp.h"
#include "tests/support/support.h"

static const char *id_of(struct arena *arena, const char *type, const char *values)
{
    struct node *root;
    ck_assert_int_eq(json_parse(arena, str_from(values), &root, NULL), 0);
    return provider_gcp.import_id(type, root, arena);
}

START_TEST(ids_are_made_of_project_place_and_name)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    ck_assert_str_eq(id_of(arena, "google_sql_database_instance", "{\"project\":\"p\",\"name\":\"fq-eu\"}"),
                     "projects/p/instances/fq-eu");
    ck_assert_str_eq(id_of(arena, "google_compute_subnetwork",
                           "{\"project\":\"p\",\"region\":\"europe-west1\",\"name\":\"N\"}"),
                     "projects/p/regions/europe-west1/subnetworks/N");
    ck_assert_ptr_null(id_of(arena, "google_compute_subnetwork", "{\"project\":\"p\",\"name\":\"x\"}"));
    ck_assert_str_eq(id_of(arena, "google_compute_router_nat",
                           "{\"project\":\"p\",\"region\":\"r\",\"router\":\"t\",\"name\":\"n\"}"),
                     "p/r/t/n");
    ck_assert_str_eq(id_of(arena, "google_service_account", "{\"project\":\"p\",\"account_id\":\"fq-svc\"}"),
                     "projects/p/serviceAccounts/fq-svc@p.iam.gserviceaccount.com");
    ck_assert_ptr_null(
        id_of(arena, "google_service_account", "{\"project\":\"example.com:p\",\"account_id\":\"fq-svc\"}"));
    ck_assert_str_eq(id_of(arena, "google_compute_region_instance_template",
                           "{\"project\":\"p\",\"region\":\"r\",\"name\":\"fq-0123\"}"),
                     "projects/p/regions/r/instanceTemplates/fq-0123");
    ck_assert_ptr_null(id_of(arena, "google_project_iam_member", "{\"project\":\"p\"}"));
}
END_TEST

static size_t findings_of(const char *database, const char *more, const char *rule)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct findings findings;
    struct deployment *deployment;
    findings_init(&findings, arena);
    const char *text =
        arena_printf(arena,
                     "metadata: {name: shop, environment: production}\n"
                     "regions:\n"
                     "  eu: {provider: gcp, location: europe-west1, instance_type: n2-standard-4,\n"
                     "       database: {engine: postgresql, %s}}\n%s\n",
                     database, more);
    (void)!deployment_parse(arena, "d.yaml", str_from(text), &deployment, &findings);
    size_t count = 0;
    for (size_t i = 0; i < findings.count; i++)
        count += strcmp(findings.items[i].rule, rule) == 0;
    return count;
}

static size_t tier_errors(const char *tier)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    return findings_of(arena_printf(arena, "tier: %s", tier), "", "gcp-database-tier");
}

static size_t key_errors(const char *key)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    return findings_of(arena_printf(arena, "encryption-key: %s", key), "", "gcp-encryption-key");
}

START_TEST(keys_and_secrets_are_named_as_in_the_cloud)
{
    ck_assert_uint_eq(key_errors("projects/p/locations/europe-west1/keyRings/r/cryptoKeys/k"), 0);
    ck_assert_uint_eq(key_errors("projects/p/locations/europe-west1/keyRings/r/cryptoKeys/"), 1);
    ck_assert_uint_eq(key_errors("projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1"), 1);
    ck_assert_uint_eq(key_errors("alias/x"), 1);
    const char *secrets =
        "service: {secret-environment: {A: some-secret, B: projects/p/secrets/b, C: some/secret, "
        "D: projects/p/b}}";
    ck_assert_uint_eq(findings_of("tier: db-custom-4-16384", secrets, "gcp-secret-name"), 2);
}
END_TEST

START_TEST(custom_tiers_follow_cloud_sqls_rules)
{
    ck_assert_uint_eq(tier_errors("db-custom-4-16384"), 0);
    ck_assert_uint_eq(tier_errors("db-custom-3-16384"), 1);
    ck_assert_uint_eq(tier_errors("db-custom-4-16000"), 1);
    ck_assert_uint_eq(tier_errors("db-custom-2-65536"), 1);
    ck_assert_uint_eq(tier_errors("db-custom-1-1024"), 1);
}
END_TEST

static Suite *gcp_suite(void)
{
    Suite *suite = suite_create("gcp");
    TCase *tcase = tcase_create("gcp");
    tcase_add_test(tcase, ids_are_made_of_project_place_and_name);
    tcase_add_test(tcase, custom_tiers_follow_cloud_sqls_rules);
    tcase_add_test(tcase, keys_and_secrets_are_named_as_in_the_cloud);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(gcp_suite)
