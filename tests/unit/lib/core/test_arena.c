#include "lib/core/arena.h"
#include "tests/support/support.h"

#include <stdlib.h>

START_TEST(objects_are_aligned_and_apart)
{
    struct arena *arena = arena_new(0);
    struct {
        unsigned char *bytes;
        size_t size;
    } objects[2000];
    unsigned seed = 3;
    for (size_t i = 0; i < ARRAY_LEN(objects); i++) {
        objects[i].size = (size_t)(rand_r(&seed) % 500) * (i % 100 == 0 ? 100 : 1);
        objects[i].bytes = arena_alloc(arena, objects[i].size);
        ck_assert_uint_eq((uintptr_t)objects[i].bytes % _Alignof(max_align_t), 0);
        memset(objects[i].bytes, (int)(i % 251), objects[i].size);
    }
    for (size_t i = 0; i < ARRAY_LEN(objects); i++) {
        size_t wrong = 0;
        for (size_t j = 0; j < objects[i].size; j++)
            wrong += objects[i].bytes[j] != i % 251;
        ck_assert_uint_eq(wrong, 0);
    }
    ck_assert(!arena_failed(arena));
    arena_free(arena);
    arena_free(NULL);
}
END_TEST

START_TEST(zeroed_and_copied)
{
    struct arena *arena = arena_new(0);
    memset(arena_alloc(arena, 4096), 0xAA, 4096);
    arena_reset(arena);
    const unsigned char *zeroed = arena_zalloc(arena, 4096);
    size_t wrong = 0;
    for (size_t i = 0; i < 4096; i++)
        wrong += zeroed[i] != 0;
    ck_assert_uint_eq(wrong, 0);
    ck_assert_str_eq(arena_strdup(arena, (struct str){"abcdef", 3}), "abc");
    ck_assert_str_eq(arena_strdup(arena, (struct str){NULL, 0}), "");
    ck_assert_str_eq(arena_printf(arena, "%s-%d", "x", 7), "x-7");
    arena_free(arena);
}
END_TEST

START_TEST(a_maximum_fails_and_is_remembered)
{
    struct arena *arena = arena_new(100000);
    size_t given = 0;
    while (arena_alloc(arena, 1000))
        given += 1000;
    ck_assert(arena_failed(arena));
    ck_assert_uint_le(arena_bytes(arena), 100000);
    ck_assert_uint_ge(given, 50000);
    ck_assert_ptr_null(arena_strdup(arena, (struct str){"x", 100000000}));
    ck_assert_ptr_null(arena_printf(arena, "%200000d", 1));
    ck_assert_ptr_null(arena_alloc(arena, SIZE_MAX));
    arena_reset(arena);
    ck_assert(!arena_failed(arena));
    ck_assert_ptr_nonnull(arena_alloc(arena, 1000));
    arena_free(arena);
}
END_TEST

START_TEST(reset_does_not_grow_for_ever)
{
    struct arena *arena = arena_new(0);
    size_t high = 0;
    for (int i = 0; i < 100; i++) {
        arena_reset(arena);
        for (int j = 0; j < 100; j++)
            memset(arena_alloc(arena, 1000), 1, 1000);
        if (i == 1)
            high = arena_bytes(arena);
        if (i > 1)
            ck_assert_uint_le(arena_bytes(arena), high);
    }
    arena_free(arena);
}
END_TEST

START_TEST(malloc_family)
{
    char *copy = xstrndup((struct str){"abc", 2});
    ck_assert_str_eq(copy, "ab");
    copy = xrealloc(copy, 10);
    ck_assert_str_eq(copy, "ab");
    free(copy);
    copy = xstrdup("x");
    ck_assert_str_eq(copy, "x");
    free(copy);
    int *zeroed = xcalloc(10, sizeof *zeroed);
    ck_assert_int_eq(zeroed[9], 0);
    free(zeroed);
    free(xmalloc(0));
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("arena");
    TCase *tests = tcase_create("arena");
    tcase_add_test(tests, objects_are_aligned_and_apart);
    tcase_add_test(tests, zeroed_and_copied);
    tcase_add_test(tests, a_maximum_fails_and_is_remembered);
    tcase_add_test(tests, reset_does_not_grow_for_ever);
    tcase_add_test(tests, malloc_family);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(suite)
