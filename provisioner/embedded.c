#include "provisioner/embedded.h"

const struct embedded_file *embedded_find(const char *path)
{
    size_t low = 0, high = embedded_file_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(embedded_files[middle].path, path);
        if (order == 0)
            return &embedded_files[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

size_t embedded_under(const char *prefix, const struct embedded_file **ret_first)
{
    size_t count = 0, length = strlen(prefix);
    *ret_first = NULL;
    for (size_t i = 0; i < embedded_file_count; i++) {
        if (strncmp(embedded_files[i].path, prefix, length) != 0)
            continue;
        if (!count)
            *ret_first = &embedded_files[i];
        count++;
    }
    return count;
}
