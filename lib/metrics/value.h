/* One number of a series, and numbers as text.
 *
 * Integers stay integers (exact to 64 bits) from the source to the page; doubles are written in the shortest
 * form that reads back to the same bits. */
#ifndef FRAISEQL_METRICS_VALUE_H
#define FRAISEQL_METRICS_VALUE_H

#include "lib/core/str.h"

enum value_kind { VALUE_ABSENT, VALUE_U64, VALUE_I64, VALUE_F64 };

struct value {
    enum value_kind kind;
    union {
        uint64_t u64;
        int64_t i64;
        double f64;
        uint64_t bits;
    };
};

#define VALUE_OF_U64(n)  ((struct value){.kind = VALUE_U64, .u64 = (uint64_t)(n)})
#define VALUE_OF_I64(n)  ((struct value){.kind = VALUE_I64, .i64 = (int64_t)(n)})
#define VALUE_OF_F64(n)  ((struct value){.kind = VALUE_F64, .f64 = (n)})
#define VALUE_OF_BOOL(b) VALUE_OF_U64((b) ? 1 : 0)

double value_to_double(struct value value); /* NaN when absent */

/* All write at most NUMBER_TEXT_MAX bytes, unterminated, and return the end. */
#define NUMBER_TEXT_MAX 32
char *number_write_u64(char *out, uint64_t number);
char *number_write_i64(char *out, int64_t number);
/* Shortest decimal that reads back to the same double, formatted as Go's %v does (exponent below -4 or from
 * 21 up, so that counts stay plain digits): 0.1, 1e-07, 1e+21, NaN, +Inf, -Inf. */
char *number_write_f64(char *out, double number);
/* le and quantile labels, as Prometheus 3 and client_golang write them (Go's strconv 'g': exponent from 6 up,
 * ".0" when it would read as an integer): 0.5, 1.0, 100000.0, 1e+06. The same text in both formats, so that
 * Prometheus 2, which does not normalise it, sees one series. */
char *number_write_bound(char *out, double number);
char *number_write_value(char *out, struct value value);

#endif
