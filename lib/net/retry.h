/* Sending again what has failed in passing: which failures pass, and how long to wait. The pause doubles from
 * half a second to thirty; a random part of up to a quarter more keeps those who failed together from coming
 * back together; Retry-After (RFC 9110, 10.2.3) wins where it asks for more.
 *
 * Threads: any. All but retry_sleep() is pure. */
#ifndef FRAISEQL_NET_RETRY_H
#define FRAISEQL_NET_RETRY_H

#include "lib/core/str.h"

#define RETRY_FIRST_NS     (NS_PER_S / 2)
#define RETRY_LONGEST_NS   (30 * NS_PER_S)
#define RETRY_AFTER_MAX_NS (24 * 3600 * NS_PER_S) /* for whom a deadline ends it */

/* 408, 429, and 5xx but for 501, which says that it never will. */
bool retry_status_passes(int status);
/* Of http_client.h's codes those of a peer that was not reached, cut off, or too slow. */
bool retry_code_passes(int code);
/* The pause after so many tries, 1 after the first. */
int64_t retry_pause_ns(unsigned tries, unsigned char random);
/* The header: seconds, or a date. 0 where there is none, it is malformed, or has passed; what is more than
 * max_ns gives max_ns. Outside bytes. */
int64_t retry_after_ns(struct str header, int64_t now_wall_ns, int64_t max_ns);

/* Blocks for the pause after so many tries, or for `asked_ns` where that is longer. False, at once: another
 * try would come after the deadline. */
bool retry_sleep(unsigned tries, int64_t asked_ns, int64_t deadline_mono_ns);

#endif
