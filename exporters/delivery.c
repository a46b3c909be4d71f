#include "exporters/delivery.h"

#include "lib/core/hash.h"
#include "lib/net/retry.h"

#include <stdio.h>

#define JITTER_STEPS 1024U

int64_t delivery_backoff_ns(const char *id, uint32_t attempts)
{
    int64_t wait_ns = DELIVERY_FIRST_WAIT_NS;
    for (uint32_t i = 1; i < attempts && wait_ns < DELIVERY_MAX_WAIT_NS; i++)
        wait_ns += wait_ns / 2;
    if (wait_ns > DELIVERY_MAX_WAIT_NS)
        wait_ns = DELIVERY_MAX_WAIT_NS;
    uint64_t spread = hash_mix(hash_stable(str_from(id)), attempts) % JITTER_STEPS;
    return wait_ns - wait_ns / 10 * (int64_t)spread / JITTER_STEPS;
}

static void describe(const struct delivery_outcome *outcome, char *reason, size_t size)
{
    if (outcome->status == 0)
        (void)snprintf(reason, size, "%s", outcome->error ? outcome->error->message : "no answer");
    else if (outcome->status >= 300 && outcome->status < 400)
        (void)snprintf(reason, size, "HTTP status %d: redirects are not followed", outcome->status);
    else
        (void)snprintf(reason, size, "HTTP status %d", outcome->status);
}

void delivery_decide(const char *id, uint32_t attempts, int64_t created_wall_ns, int64_t now_wall_ns,
                     int64_t max_age_ns, const struct delivery_outcome *outcome,
                     struct delivery_decision *ret_decision)
{
    struct delivery_decision decision = {.verdict = DELIVERY_RETRY};
    if (outcome->status >= 200 && outcome->status < 300) {
        decision.verdict = DELIVERY_DONE;
        *ret_decision = decision;
        return;
    }
    describe(outcome, decision.reason, sizeof decision.reason);
    decision.wait_ns = delivery_backoff_ns(id, attempts);
    int64_t asked_ns = retry_after_ns(outcome->retry_after, now_wall_ns, DELIVERY_RETRY_AFTER_MAX_NS);
    if (asked_ns > decision.wait_ns)
        decision.wait_ns = asked_ns;
    if (outcome->status == 410 || now_wall_ns - created_wall_ns >= max_age_ns)
        decision.verdict = DELIVERY_GIVE_UP;
    *ret_decision = decision;
}
