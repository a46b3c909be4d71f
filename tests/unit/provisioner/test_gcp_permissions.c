#include "provisioner/gcp/permissions.h"

#include "tests/unit/provisioner/permission_calls.h"

static struct arena *arena;
static const struct gcp_permission *list;
static size_t count;

static void begin(void)
{
    arena = arena_new(0);
}

static void end(void)
{
    arena_free(arena);
}

#define LINKED                                                                                               \
    "  us: {provider: gcp, location: us-central1, instance_type: n2-standard-4,\n"                           \
    "       database: {engine: postgresql, tier: db-custom-4-16384}}\n"                                      \
    "replication: {mode: active-active}\n"

static void list_of(const char *more)
{
    struct deployment *deployment = NULL;
    struct findings findings;
    const char *text =
        arena_printf(arena,
                     "metadata: {name: shop, environment: production}\n"
                     "regions:\n"
                     "  eu: {provider: gcp, location: europe-west1, instance_type: n2-standard-4,\n"
                     "       database: {engine: postgresql, tier: db-custom-4-16384}}\n%s",
                     more);
    findings_init(&findings, arena);
    (void)!deployment_parse(arena, "d.yaml", str_from(text), &deployment, &findings);
    ck_assert_ptr_nonnull(deployment);
    count = gcp_permissions_list(deployment, deployment_region(deployment, 0), arena, &list);
}

static bool asks(const char *begin_with)
{
    for (size_t i = 0; i < count; i++) {
        if (strncmp(list[i].name, begin_with, strlen(begin_with)) == 0)
            return true;
    }
    return false;
}

START_TEST(what_the_provider_calls_is_asked_for)
{
    list_of(LINKED "traffic: {domain: api.example.com}\n");
    const char **names = arena_alloc(arena, count * sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = list[i].name;
    calls_read("google_calls.txt");
    calls_need(names, count);
    ck_assert_uint_gt(count, 150);
    ck_assert_uint_gt(calls_cover("gcp/module/", "google"), 40);
    ck_assert_uint_gt(calls_cover("global/module/links/gcp/", "google"), 2);
}
END_TEST

START_TEST(what_a_deployment_does_not_make_is_not_asked_for)
{
    list_of("backup: {enabled: false}\n");
    ck_assert(!asks("certificatemanager."));
    ck_assert(!asks("cloudsql.backupRuns."));
    ck_assert(!asks("compute.addresses."));
    ck_assert(!asks("compute.instances.delete"));
    ck_assert(asks("compute.instances.create"));
    list_of(LINKED "traffic: {domain: api.example.com}\n");
    ck_assert(asks("certificatemanager.certs.get"));
    ck_assert(asks("cloudsql.backupRuns."));
    ck_assert(asks("compute.instances.delete"));
    ck_assert(!asks("cloudkms.")); /* the module makes no keys */
}
END_TEST

START_TEST(each_has_a_role)
{
    list_of("");
    for (size_t i = 0; i < count; i++)
        ck_assert_msg(strncmp(list[i].role, "roles/", 6) == 0, "%s", list[i].name);
    ck_assert_str_eq(list[0].name, "resourcemanager.projects.get");
    ck_assert_str_eq(list[0].role, "roles/browser");
}
END_TEST

static Suite *permissions_suite(void)
{
    Suite *suite = suite_create("gcp_permissions");
    TCase *tcase = tcase_create("gcp_permissions");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, what_the_provider_calls_is_asked_for);
    tcase_add_test(tcase, what_a_deployment_does_not_make_is_not_asked_for);
    tcase_add_test(tcase, each_has_a_role);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(permissions_suite)
