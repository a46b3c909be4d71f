/* Files that are part of the program: Terraform modules and catalog data, by their path below provisioner/.
 */
#ifndef FRAISEQL_PROVISIONER_EMBEDDED_H
#define FRAISEQL_PROVISIONER_EMBEDDED_H

#include "lib/core/str.h"

struct embedded_file {
    const char *path; /* "aws/module/main.tf" */
    struct str bytes;
};

/* Sorted by path. */
extern const struct embedded_file embedded_files[];
extern const size_t embedded_file_count;

/* NULL when there is no such file. */
const struct embedded_file *embedded_find(const char *path);
/* Files whose path starts with `prefix`: the first, and how many follow each other. */
size_t embedded_under(const char *prefix, const struct embedded_file **ret_first);

#endif
