/* All the errors and warnings of a file at once, in the order of their position.
 * Ownership: the list owns its texts. Threads: owned by its caller. */
#ifndef FRAISEQL_CORE_DIAG_H
#define FRAISEQL_CORE_DIAG_H

#include "lib/core/error.h"

enum diag_severity { DIAG_ERROR, DIAG_WARNING };

struct diag_item {
    enum diag_severity severity;
    struct error error;
};

#define DIAG_MAX 200 /* further ones are counted in `dropped` */

struct diag {
    struct diag_item *items;
    size_t count, errors, warnings, dropped;
};

void diag_init(struct diag *diag);
void diag_deinit(struct diag *diag);
/* line 0: no position. */
struct error *diag_add(struct diag *diag, enum diag_severity severity, const char *file, unsigned line,
                       unsigned column, const char *format, ...) PRINTF_LIKE(6, 7);
void diag_add_error(struct diag *diag, enum diag_severity severity, const struct error *err);
void diag_sort(struct diag *diag);
/* One line an item ("file:line:column: error: ..." ), each ended by LF, to a descriptor. */
void diag_print(const struct diag *diag, int fd);

#endif
