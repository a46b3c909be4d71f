/* Token bucket of one quota (account, lane, API), which learns: a throttled call halves the rate, down to a
 * sixty-fourth, and stops everybody for the pause; every call that was answered gives back a hundredth of the
 * cloud's own rate.
 *
 * Pure: times are arguments. Threads: the scrape loop. */
#ifndef FRAISEQL_SCRAPERS_CLOUD_LIMIT_H
#define FRAISEQL_SCRAPERS_CLOUD_LIMIT_H

#include "lib/core/compiler.h"

struct cloud_limit {
    double rate_per_s, full_rate_per_s, burst, tokens;
    int64_t refilled_mono_ns, blocked_until_mono_ns;
    uint64_t taken, throttled;
};

void cloud_limit_init(struct cloud_limit *limit, double rate_per_s, double burst, int64_t mono_ns);
/* 0 and one call is taken, or when to try again. */
int64_t cloud_limit_take(struct cloud_limit *limit, int64_t mono_ns);
void cloud_limit_answered(struct cloud_limit *limit, int64_t mono_ns);
void cloud_limit_throttled(struct cloud_limit *limit, int64_t mono_ns, int64_t pause_ns);

#endif
