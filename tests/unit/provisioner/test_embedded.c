#include "provisioner/embedded.h"
#include "tests/support/support.h"

#include <stdlib.h>

START_TEST(files_are_found_by_path_and_by_folder)
{
    const struct embedded_file *file = embedded_find("aws/module/main.tf"), *first;
    ck_assert_ptr_nonnull(file);
    char *path = test_path(test_source_dir(), "provisioner/aws/module/main.tf"), *text = test_file_read(path);
    ck_assert(str_equal_text(file->bytes, text));
    free(text);
    free(path);
    ck_assert_ptr_null(embedded_find("aws/module/main.t"));
    size_t count = embedded_under("aws/module/", &first);
    ck_assert_uint_gt(count, 5);
    for (size_t i = 0; i < count; i++)
        ck_assert(strncmp(first[i].path, "aws/module/", 11) == 0);
    ck_assert_uint_eq(embedded_under("nowhere/", &first), 0);
}
END_TEST

START_TEST(sorted_so_that_a_search_finds_them)
{
    for (size_t i = 1; i < embedded_file_count; i++)
        ck_assert_int_lt(strcmp(embedded_files[i - 1].path, embedded_files[i].path), 0);
    for (size_t i = 0; i < embedded_file_count; i++)
        ck_assert_ptr_eq(embedded_find(embedded_files[i].path), &embedded_files[i]);
}
END_TEST

static Suite *embedded_suite(void)
{
    Suite *suite = suite_create("embedded");
    TCase *tcase = tcase_create("embedded");
    tcase_add_test(tcase, files_are_found_by_path_and_by_folder);
    tcase_add_test(tcase, sorted_so_that_a_search_finds_them);
    suite_add_tcase(suite, tcase);
    return suite;
}

TEST_MAIN(embedded_suite)
