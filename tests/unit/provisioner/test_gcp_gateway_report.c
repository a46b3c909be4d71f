#include "provisioner/gcp/gateway_report.h"

#include "lib/core/clock.h"
#include "tests/support/support.h"

static struct arena *arena;
static struct error err;
static struct str text;

static void begin(void)
{
    arena = arena_new(0);
    err = (struct error){0};
}

static void end(void)
{
    arena_free(arena);
}

static int reads(const char *json)
{
    struct node *root = NULL;
    ck_assert_int_eq(json_parse(arena, str_from(json), &root, NULL), 0);
    return gcp_gateway_report_read(root, &text, &err);
}

START_TEST(the_attributes_value)
{
    ck_assert_int_eq(
        reads("{\"kind\":\"compute#guestAttributes\",\"queryPath\":\"fraiseql/replication\",\"queryValue\":"
              "{\"items\":[{\"namespace\":\"other\",\"key\":\"replication\",\"value\":\"no\"},3,"
              "{\"namespace\":\"fraiseql\",\"key\":\"replication\",\"value\":\"yes\"}]}}"),
        0);
    ck_assert(str_equal(text, STR("yes")));
    ck_assert_int_eq(reads("{}"), ERR_PEER);
    ck_assert_int_eq(reads("{\"queryValue\":{\"items\":{}}}"), ERR_PEER);
    ck_assert_int_eq(reads("{\"queryValue\":{\"items\":[{\"namespace\":\"fraiseql\",\"key\":\"replication\","
                           "\"value\":[]}]}}"),
                     ERR_PEER);
    ck_assert_int_eq(gcp_gateway_report_read(NULL, &text, &err), ERR_PEER);
}
END_TEST

/* It comes from a state, and would be a part of an address that is sent a token. */
START_TEST(what_is_no_machine_is_not_asked)
{
    static const char *const places[] = {"",
                                         "projects/p/zones/z/instances/",
                                         "projects/p/zones/z/instances/i/setMetadata",
                                         "projects/p/zones/../instances/i",
                                         "projects/p/zones/z/instances/i?x=",
                                         "projects/p/zones/z/disks/i",
                                         "https://example.com/projects/p/zones/z/instances/i"};
    struct region region = {.name = "eu"};
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        ck_assert_int_eq(gcp_gateway_report(&region, places[i], clock_mono_ns(), arena, &text, &err),
                         ERR_CONFIG);
        ck_assert_msg(strstr(err.message, "is no machine") != NULL, "%s: %s", places[i], err.message);
    }
}
END_TEST

static Suite *gcp_gateway_report_suite(void)
{
    Suite *suite = suite_create("gcp_gateway_report");
    TCase *tcase = tcase_create("gcp_gateway_report");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, the_attributes_value);
    tcase_add_test(tcase, what_is_no_machine_is_not_asked);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(gcp_gateway_report_suite)
