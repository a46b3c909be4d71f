/* Helpers of the tests: temporary folders, files, free ports, a main function. They abort with a message when
 * the machine does not give what they ask for, as a test that cannot start has failed. */
#ifndef FRAISEQL_TESTS_SUPPORT_H
#define FRAISEQL_TESTS_SUPPORT_H

#include "lib/core/arena.h"
#include "lib/core/buf.h"
#include "lib/core/diag.h"

#include <check.h>
#include <stdio.h>

/* A new folder under $TMPDIR or /tmp; malloc'd path. test_folder_remove() removes it with all its contents
 * and frees the path. */
char *test_folder_new(void);
void test_folder_remove(char *folder);

/* "folder/name", malloc'd. */
char *test_path(const char *folder, const char *name);
void test_file_write(const char *path, struct str bytes);
/* The whole file, terminated, malloc'd. */
char *test_file_read(const char *path);

/* A TCP port of 127.0.0.1 that was free a moment ago. */
uint16_t test_free_port(void);

/* What diag_print() prints, malloc'd. */
char *test_diag_text(const struct diag *diag);

/* Root of the source tree, for fixtures. */
const char *test_source_dir(void);

/* Runs a suite; CK_NOFORK unless CK_FORK says otherwise, so that sanitizers and debuggers see one process. */
int test_run_suite(Suite *suite);

#define TEST_MAIN(suite_fn)                                                                                  \
    int main(void)                                                                                           \
    {                                                                                                        \
        return test_run_suite(suite_fn());                                                                   \
    }

/* Fails unless `text` contains `part`, and shows the text. */
#define ck_assert_contains(text, part)                                                                       \
    ck_assert_msg(strstr((text), (part)) != NULL, "\"%s\" does not contain \"%s\"", (text), (part))

#endif
