/* For tests of the readers of price lists: what was found, as text. */
#ifndef FRAISEQL_TESTS_PRICES_RIG_H
#define FRAISEQL_TESTS_PRICES_RIG_H

#include "provisioner/prices/found.h"
#include "tests/support/support.h"

#include <stdlib.h>

/* The list without its first line, dates and sources ("a,lb,2,hour\n"), malloc'd. */
static inline char *rig_list(const struct found *found)
{
    char *folder = test_folder_new(), *path = test_path(folder, "list.csv");
    struct error err = {0};
    ck_assert_msg(found_save(found, path, false, &err) == 0, "%s", err.message);
    char *text = test_file_read(path);
    struct buf list = BUF_INIT(1024UL * 1024);
    for (const char *line = strchr(text, '\n') + 1; *line; line = strchr(line, '\n') + 1) {
        size_t length = 0;
        for (int commas = 0; line[length] && (line[length] != ',' || ++commas < 4); length++)
            continue;
        buf_append(&list, line, length);
        buf_append_byte(&list, '\n');
    }
    free(text);
    free(path);
    test_folder_remove(folder);
    (void)buf_text(&list);
    return list.data ? list.data : strdup("");
}

#define ck_assert_list(found, expected)                                                                      \
    do {                                                                                                     \
        char *list_ = rig_list(found);                                                                       \
        ck_assert_str_eq(list_, (expected));                                                                 \
        free(list_);                                                                                         \
    } while (0)

#endif
