/* Stands in for libFuzzer where it is not: runs every file of a corpus folder through the fuzz target once. A
 * missing or empty folder fails, so that a typo in a path cannot pass for a green test. */
#include "lib/core/file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static int replay(const char *folder, const char *name)
{
    char path[4096];
    struct error err;
    struct buf bytes = BUF_INIT(64UL * 1024 * 1024);
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    int code = file_read(path, &bytes, &err);
    if (code) {
        (void)fprintf(stderr, "%s\n", err.message);
    } else {
        /* A copy of exactly the size, so that the sanitizer sees a read past the end. */
        uint8_t *copy = malloc(bytes.len ? bytes.len : 1);
        if (!copy)
            abort();
        if (bytes.len)
            memcpy(copy, bytes.data, bytes.len);
        (void)LLVMFuzzerTestOneInput(copy, bytes.len);
        free(copy);
    }
    buf_deinit(&bytes);
    return code;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
        return 64;
    }
    DIR *folder = opendir(argv[1]);
    if (!folder) {
        (void)fprintf(stderr, "cannot open the corpus %s\n", argv[1]);
        return 1;
    }
    size_t files = 0, failed = 0;
    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        if (entry->d_name[0] == '.')
            continue;
        files++;
        failed += replay(argv[1], entry->d_name) != 0;
    }
    (void)closedir(folder);
    (void)printf("%zu files replayed\n", files);
    return files && !failed ? 0 : 1;
}
