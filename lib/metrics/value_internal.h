/* Inside of the shortest-decimal algorithm in value_f64.c. */
#ifndef FRAISEQL_METRICS_VALUE_INTERNAL_H
#define FRAISEQL_METRICS_VALUE_INTERNAL_H

#include "lib/core/compiler.h"

#define POW10_MIN (-292)
#define POW10_MAX 324

struct pow10 {
    uint64_t high, low;
};

/* 10^k times a power of two so that it lies in [2^127, 2^128), rounded up to an integer. Computed exactly at
 * the first call of the process; k is POW10_MIN to POW10_MAX. */
const struct pow10 *value_pow10_table(void);

/* number_write_f64() with an exponent from 10^exponent_from up. */
char *value_write_f64(char *out, double number, int exponent_from);

#endif
