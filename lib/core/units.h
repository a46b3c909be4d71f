/* Durations, sizes and exact decimals as people write them.
 *
 * Durations: sequences of <number><unit> with units ns us ms s m h d w, e.g. 250ms, 1h30m, 30d, 1.5s; a bare
 * 0 is allowed, any other bare number is not. Sizes: <number><unit> with B, kB, MB, GB, TB (powers of ten)
 * and KiB, MiB, GiB, TiB (powers of two); a bare number is bytes. */
#ifndef FRAISEQL_CORE_UNITS_H
#define FRAISEQL_CORE_UNITS_H

#include "lib/core/error.h"
#include "lib/core/str.h"

int units_parse_duration(struct str text, int64_t *ret_ns, struct error *err) CHECK_RESULT;
int units_parse_size(struct str text, uint64_t *ret_bytes, struct error *err) CHECK_RESULT;

/* Shortest exact text that parses back, e.g. 250ms, 1h30m, 1GiB. */
#define UNITS_TEXT_MAX 48
const char *units_format_duration(int64_t ns, char text[UNITS_TEXT_MAX]);
const char *units_format_size(uint64_t bytes, char text[UNITS_TEXT_MAX]);

/* A decimal such as "99.99" or "14.4" times 10^scale as an exact integer: units_parse_decimal("99.99", 7)
 * is 999900000. Refuses signs, exponents, and digits that 10^scale cannot hold. */
int units_parse_decimal(struct str text, unsigned scale, uint64_t *ret_scaled, struct error *err)
    CHECK_RESULT;
/* The inverse, without trailing zeros: (999900000, 7) is "99.99". */
const char *units_format_decimal(uint64_t scaled, unsigned scale, char text[UNITS_TEXT_MAX]);

#endif
