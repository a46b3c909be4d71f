/* The two clocks, replaceable for tests. Nothing else in the project reads time; pure modules take it as an
 * argument. Durations and deadlines use the monotonic clock, buckets and records the wall clock. */
#ifndef FRAISEQL_CORE_CLOCK_H
#define FRAISEQL_CORE_CLOCK_H

#include "lib/core/str.h"

int64_t clock_mono_ns(void); /* CLOCK_MONOTONIC */
int64_t clock_wall_ns(void); /* nanoseconds since 1970 UTC */

/* Tests: both clocks stand still at these values until set again. clock_use_real() goes back. */
void clock_set_virtual(int64_t mono_ns, int64_t wall_ns);
void clock_use_real(void);

/* RFC 3339 UTC with milliseconds, e.g. 2026-11-23T20:41:00.123Z. */
#define CLOCK_RFC3339_SIZE 32
const char *clock_format_rfc3339(int64_t wall_ns, char text[CLOCK_RFC3339_SIZE]);
/* "2026-11-26T04:20:32Z", also with a fraction of a second, which is dropped, or +00:00. False for anything
 * else, and for years before 1970 and after 2200. Outside bytes. */
bool clock_parse_rfc3339(struct str text, int64_t *ret_wall_ns);

/* Blocks so long by the real clock, whatever signals come. */
void clock_sleep_ns(int64_t ns);

#endif
