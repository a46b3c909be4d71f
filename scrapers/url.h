/* The few things scrapers ask of an http(s) URL that was checked by the option table.
 * Pure. Threads: any. */
#ifndef FRAISEQL_SCRAPERS_URL_H
#define FRAISEQL_SCRAPERS_URL_H

#include "lib/core/str.h"

/* "host:port" with the scheme's default port when none is written, without credentials; truncated to size. */
void url_target(const char *url, char *text, size_t size);
bool url_has_credentials(const char *url);

#endif
