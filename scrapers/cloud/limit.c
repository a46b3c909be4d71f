#include "scrapers/cloud/limit.h"

#define LEAST_SHARE  (1.0 / 64)
#define REGAIN_SHARE 0.01

void cloud_limit_init(struct cloud_limit *limit, double rate_per_s, double burst, int64_t mono_ns)
{
    *limit = (struct cloud_limit){.rate_per_s = rate_per_s,
                                  .full_rate_per_s = rate_per_s,
                                  .burst = burst < 1 ? 1 : burst,
                                  .tokens = burst < 1 ? 1 : burst,
                                  .refilled_mono_ns = mono_ns};
}

static void refill(struct cloud_limit *limit, int64_t mono_ns)
{
    if (mono_ns <= limit->refilled_mono_ns)
        return;
    limit->tokens += limit->rate_per_s * (double)(mono_ns - limit->refilled_mono_ns) / (double)NS_PER_S;
    if (limit->tokens > limit->burst)
        limit->tokens = limit->burst;
    limit->refilled_mono_ns = mono_ns;
}

int64_t cloud_limit_take(struct cloud_limit *limit, int64_t mono_ns)
{
    refill(limit, mono_ns);
    if (mono_ns < limit->blocked_until_mono_ns)
        return limit->blocked_until_mono_ns;
    if (limit->tokens >= 1) {
        limit->tokens -= 1;
        limit->taken++;
        return 0;
    }
    return mono_ns + (int64_t)((1 - limit->tokens) / limit->rate_per_s * (double)NS_PER_S) + NS_PER_MS;
}

void cloud_limit_answered(struct cloud_limit *limit, int64_t mono_ns)
{
    refill(limit, mono_ns);
    limit->rate_per_s += limit->full_rate_per_s * REGAIN_SHARE;
    if (limit->rate_per_s > limit->full_rate_per_s)
        limit->rate_per_s = limit->full_rate_per_s;
}

void cloud_limit_throttled(struct cloud_limit *limit, int64_t mono_ns, int64_t pause_ns)
{
    refill(limit, mono_ns);
    limit->throttled++;
    /* Calls that were under way together are refused together: they halve it once. */
    if (mono_ns >= limit->blocked_until_mono_ns) {
        limit->rate_per_s /= 2;
        if (limit->rate_per_s < limit->full_rate_per_s * LEAST_SHARE)
            limit->rate_per_s = limit->full_rate_per_s * LEAST_SHARE;
    }
    if (limit->tokens > 1)
        limit->tokens = 1;
    if (mono_ns + pause_ns > limit->blocked_until_mono_ns)
        limit->blocked_until_mono_ns = mono_ns + pause_ns;
}
