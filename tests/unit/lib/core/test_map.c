#include "lib/core/hash.h"
#include "lib/core/map.h"
#include "tests/support/support.h"

#include <stdlib.h>

#define KEYS 700

/* The model: an array indexed by the number of the key. */
START_TEST(random_operations_match_a_model)
{
    static char names[KEYS][16];
    static int values[2];
    void *model[KEYS] = {0};
    size_t count = 0;
    unsigned seed = 9;
    struct map map;
    map_init(&map);
    for (size_t i = 0; i < KEYS; i++)
        (void)snprintf(names[i], sizeof names[i], "key%zu", i);
    for (int step = 0; step < 60000; step++) {
        /* Phases of growing and shrinking, so that long probe runs build up and are cut. */
        size_t i = (size_t)rand_r(&seed) % KEYS;
        bool put = rand_r(&seed) % 10 < ((step / 5000) % 2 ? 3 : 7);
        if (put) {
            void *value = &values[rand_r(&seed) % 2];
            ck_assert_ptr_eq(map_put(&map, str_from(names[i]), value), model[i]);
            count += model[i] ? 0 : 1;
            model[i] = value;
        } else {
            ck_assert_ptr_eq(map_remove(&map, str_from(names[i])), model[i]);
            count -= model[i] ? 1 : 0;
            model[i] = NULL;
        }
        ck_assert_uint_eq(map.count, count);
        size_t other = (size_t)rand_r(&seed) % KEYS;
        ck_assert_ptr_eq(map_get(&map, str_from(names[other])), model[other]);
    }
    for (size_t i = 0; i < KEYS; i++)
        ck_assert_ptr_eq(map_get(&map, str_from(names[i])), model[i]);
    size_t seen = 0;
    MAP_EACH (entry, &map) {
        seen++;
        ck_assert_uint_eq(entry->hash, hash_str(entry->key));
    }
    ck_assert_uint_eq(seen, count);
    map_deinit(&map);
}
END_TEST

START_TEST(an_empty_map)
{
    struct map map;
    map_init(&map);
    ck_assert_ptr_null(map_get(&map, STR("a")));
    ck_assert_ptr_null(map_remove(&map, STR("a")));
    MAP_EACH (entry, &map)
        ck_abort_msg("an entry in an empty map: %p", (void *)entry);
    int value;
    ck_assert_ptr_null(map_put(&map, (struct str){NULL, 0}, &value));
    ck_assert_ptr_eq(map_get(&map, STR("")), &value);
    map_deinit(&map);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("map");
    TCase *tests = tcase_create("map");
    tcase_add_test(tests, random_operations_match_a_model);
    tcase_add_test(tests, an_empty_map);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
