/* AWS's price list files in their CSV form, line by line as the bytes come: five lines about the file, one
 * that names the columns, then a line a price, every field between double quotes or bare. What is kept is one
 * line, whatever the size of the file (EC2's has hundreds of MB a region).
 *
 * Columns are found by name, blanks and case apart ("usageType" is "Usage Type"). Doubled quotes within a
 * field stay doubled: no field that is looked at has any.
 *
 * Ownership: rows point into the bytes given, until the callback returns. Threads: owned by the caller. */
#ifndef FRAISEQL_PROVISIONER_PRICES_AWS_CSV_H
#define FRAISEQL_PROVISIONER_PRICES_AWS_CSV_H

#include "lib/core/buf.h"
#include "lib/core/error.h"

#define AWS_CSV_MAX_LINE    (256UL * 1024)
#define AWS_CSV_MAX_COLUMNS 256

enum aws_column {
    AWS_TERM_TYPE,
    AWS_STARTING_RANGE,
    AWS_UNIT,
    AWS_PRICE,
    AWS_CURRENCY,
    AWS_FAMILY,
    AWS_USAGE_TYPE,
    AWS_REGION,
    AWS_LOCATION_TYPE,
    AWS_INSTANCE_TYPE,
    AWS_OPERATING_SYSTEM,
    AWS_TENANCY,
    AWS_SOFTWARE,
    AWS_CAPACITY_STATUS,
    AWS_LICENSE,
    AWS_MARKET_OPTION,
    AWS_VOLUME_API_NAME,
    AWS_VOLUME_TYPE,
    AWS_ENGINE,
    AWS_DEPLOYMENT,
    AWS_TRANSFER_TYPE,
    AWS_FROM_REGION,
    AWS_TO_REGION,
    AWS_TO_LOCATION_TYPE,
    AWS_COLUMNS
};

/* Fields of columns that the file does not have are empty. A negative code ends the reading. */
typedef int aws_row_fn(void *ctx, const struct str fields[AWS_COLUMNS], struct error *err);

struct aws_csv {
    const char *offer; /* "AmazonEC2": the file must be of this one */
    aws_row_fn *fn;
    void *ctx;
    struct buf pending; /* the beginning of a line */
    uint64_t line, rows;
    size_t columns;                       /* of a row; 0 before the line that names them */
    size_t last_wanted;                   /* no column after this one is looked at */
    signed short at[AWS_CSV_MAX_COLUMNS]; /* enum aws_column, -1: not looked at */
    char published[11];                   /* YYYY-MM-DD; empty before that line */
};

void aws_csv_init(struct aws_csv *csv, const char *offer, aws_row_fn *fn, void *ctx);
void aws_csv_deinit(struct aws_csv *csv);
/* Errors: ERR_PARSE with the line, ERR_LIMIT, the callback's. */
int aws_csv_feed(struct aws_csv *csv, struct str chunk, struct error *err) CHECK_RESULT;
/* ERR_PARSE when the file ends within a line or before its first price. */
int aws_csv_end(struct aws_csv *csv, struct error *err) CHECK_RESULT;

#endif
