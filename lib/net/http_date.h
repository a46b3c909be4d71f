/* Dates of HTTP (RFC 9110, 5.6.7) in the one form that is still written: "Sun, 06 Nov 1994 08:49:37 GMT".
 * Outside bytes. Threads: pure. */
#ifndef FRAISEQL_NET_HTTP_DATE_H
#define FRAISEQL_NET_HTTP_DATE_H

#include "lib/core/str.h"

/* Seconds since 1970, as the year 9999 does not fit nanoseconds. False: it is no such date, or lies before
 * 1970. The weekday is not looked at. */
bool http_date_parse(struct str text, int64_t *ret_wall_s);

#endif
