#include "lib/core/json.h"
#include "provisioner/catalog/catalog.h"
#include "provisioner/provider.h"
#include "tests/support/support.h"

#include <math.h>

START_TEST(locations_know_where_they_are)
{
    const struct location *belgium = catalog_location("gcp", "europe-west1");
    ck_assert_ptr_nonnull(belgium);
    ck_assert_str_eq(belgium->country, "BE");
    ck_assert(belgium->eu && belgium->eea);
    const struct location *london = catalog_location("aws", "eu-west-2"),
                          *oslo = catalog_location("azure", "norwayeast");
    ck_assert(!london->eu && !london->eea);
    ck_assert(!oslo->eu && oslo->eea);
    ck_assert_str_eq(catalog_location("azure", "southeastasia")->backup_pair, "eastasia");
    ck_assert_ptr_null(catalog_location("aws", "europe-west1"));
    ck_assert_ptr_null(catalog_location("nowhere", "x"));
}
END_TEST

/* "38.95" is read, and no nearest neighbour of it is written. */
START_TEST(coordinates_are_written_as_they_were_read)
{
    static const char *const clouds[] = {"aws", "gcp", "azure"};
    for (size_t i = 0; i < ARRAY_LEN(clouds); i++) {
        const struct location *const *locations;
        size_t count = catalog_locations(clouds[i], &locations);
        ck_assert_uint_gt(count, 30);
        for (size_t j = 0; j < count; j++) {
            struct buf out = BUF_INIT(64);
            struct json_writer json;
            json_init(&json, &out);
            json_array_begin(&json);
            json_f64(&json, locations[j]->latitude);
            json_f64(&json, locations[j]->longitude);
            json_array_end(&json);
            ck_assert_msg(out.len <= sizeof "[-12.34,-123.45]" - 1, "%s", buf_text(&out));
            buf_deinit(&out);
        }
    }
}
END_TEST

START_TEST(distances_are_great_circles)
{
    const struct location *virginia = catalog_location("aws", "us-east-1"),
                          *dublin = catalog_location("aws", "eu-west-1");
    double km = location_distance_km(virginia, dublin);
    ck_assert_msg(fabs(km - 5440) < 60, "%f", km); /* an airline's figure for Washington to Dublin */
    ck_assert_double_eq_tol(location_min_rtt_ms(virginia, dublin), km / 100, 1e-9);
    ck_assert_double_eq_tol(location_distance_km(dublin, dublin), 0, 1e-9);
}
END_TEST

START_TEST(types_in_all_their_spellings)
{
    ck_assert_double_eq(catalog_instance("aws", "t3.2xlarge", false)->memory_gib, 32);
    ck_assert_double_eq(catalog_instance("gcp", "db-custom-4-16384", true)->memory_gib, 16);
    ck_assert_str_eq(catalog_instance("azure", "Standard_D4s_v3", true)->name, "GP_Standard_D4s_v3");
    ck_assert_ptr_null(catalog_instance("gcp", "db-custom-four-1", true));
    ck_assert_ptr_null(catalog_instance("aws", "db.t3.xlarge", false));
}
END_TEST

START_TEST(every_size_is_a_type_that_exists)
{
    static const char *const clouds[] = {"aws", "gcp", "azure"};
    for (size_t i = 0; i < ARRAY_LEN(clouds); i++) {
        for (enum region_size size = SIZE_SMALL; size <= SIZE_LARGE; size++) {
            ck_assert_ptr_nonnull(catalog_instance(clouds[i], catalog_sized(clouds[i], size, false), false));
            ck_assert_ptr_nonnull(catalog_instance(clouds[i], catalog_sized(clouds[i], size, true), true));
        }
        const struct location *const *list;
        size_t count = catalog_locations(clouds[i], &list);
        ck_assert_uint_gt(count, 20);
        for (size_t j = 0; j < count; j++) {
            ck_assert_ptr_nonnull(catalog_location("aws", list[j]->nearest_aws));
            ck_assert(!list[j]->backup_pair || catalog_location(clouds[i], list[j]->backup_pair));
        }
    }
    ck_assert_ptr_null(catalog_sized("aws", SIZE_UNSET, false));
}
END_TEST

static Suite *catalog_suite(void)
{
    Suite *suite = suite_create("catalog");
    TCase *tcase = tcase_create("catalog");
    tcase_add_test(tcase, locations_know_where_they_are);
    tcase_add_test(tcase, coordinates_are_written_as_they_were_read);
    tcase_add_test(tcase, distances_are_great_circles);
    tcase_add_test(tcase, types_in_all_their_spellings);
    tcase_add_test(tcase, every_size_is_a_type_that_exists);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(catalog_suite)
