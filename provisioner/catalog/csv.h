/* The catalog's tables: lines of fields between commas, without quotes; empty lines and lines that start with
 * # are comments. Pure. */
#ifndef FRAISEQL_PROVISIONER_CSV_H
#define FRAISEQL_PROVISIONER_CSV_H

#include "lib/core/str.h"

#define CSV_MAX_FIELDS 16

/* Fields are trimmed; those past CSV_MAX_FIELDS make the row one with CSV_MAX_FIELDS + 1 fields. */
typedef void csv_row_fn(void *ctx, const struct str *fields, size_t count);

void csv_each(struct str bytes, csv_row_fn *fn, void *ctx);

#endif
