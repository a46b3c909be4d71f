/* What cloud targets of one process share: tokens of the same credentials, and quotas of the same account.
 *
 * A token is asked for once however many targets wait for it, and again early (a tenth of its life, at most
 * ten minutes before its end) while the old one goes on being used. A clock that is found to be wrong is
 * corrected for everybody with these credentials.
 *
 * Ownership: made by the collector on the scrape loop and freed there after the last target. Threads: the
 * scrape loop. */
#ifndef FRAISEQL_SCRAPERS_CLOUD_SHARED_H
#define FRAISEQL_SCRAPERS_CLOUD_SHARED_H

#include "lib/cloud/signin.h"
#include "lib/net/http_client.h"
#include "scrapers/cloud/limit.h"

struct cloud_shared;
struct cloud_identity;

/* Which credentials: equal keys are the same ones. The key holds no secret. */
struct cloud_credential {
    const char *key;
    struct signin *(*open)(const void *arg); /* called once a key, when it is first used */
    const void *arg;                         /* valid as long as the target */
};

struct cloud_shared *cloud_shared_new(struct loop *loop, struct http_client *http);
/* Every identity has been released. freed(ctx) comes when the last refresh under way has ended. */
void cloud_shared_free(struct cloud_shared *shared, loop_fn *freed, void *ctx);

/* A reference to the identity of those credentials. */
struct cloud_identity *cloud_identity_open(struct cloud_shared *shared,
                                           const struct cloud_credential *credential);
void cloud_identity_release(struct cloud_identity *identity); /* accepts NULL */

/* token NULL: err says why. The token is valid during the call. */
typedef void cloud_token_fn(void *ctx, const struct cloud_token *token, const struct error *err);
struct cloud_waiter {
    cloud_token_fn *fn; /* NULL: not waiting */
    void *ctx;
    struct cloud_waiter *next;
};
/* Calls fn at once when there is a token that is good for another minute, else when there is one. The waiter
 * is the caller's and may be withdrawn until it was called. */
void cloud_identity_token(struct cloud_identity *identity, struct cloud_waiter *waiter, cloud_token_fn *fn,
                          void *ctx);
void cloud_identity_withdraw(struct cloud_identity *identity, struct cloud_waiter *waiter);
/* The token was refused: the next one who asks gets a new one. No-op when it was renewed since `generation`.
 */
void cloud_identity_refused(struct cloud_identity *identity, uint64_t generation);
uint64_t cloud_identity_generation(const struct cloud_identity *identity);
/* How far the cloud's clock is ahead of ours. */
int64_t cloud_identity_offset_ns(const struct cloud_identity *identity);
void cloud_identity_set_offset(struct cloud_identity *identity, int64_t offset_ns);

struct cloud_identity_stats {
    uint64_t refreshes, failures;
    int64_t expires_wall_ns; /* 0: never, or there is none yet */
    const char *source;      /* NULL: none yet */
};
void cloud_identity_stats(const struct cloud_identity *identity, struct cloud_identity_stats *ret_stats);

/* The quota of that name, made at first use with this rate. Lives as long as `shared`. */
struct cloud_limit *cloud_shared_limit(struct cloud_shared *shared, const char *name, double rate_per_s,
                                       double burst);

#endif
