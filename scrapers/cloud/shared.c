#include "scrapers/cloud/shared.h"

#include "lib/core/clock.h"
#include "lib/core/log.h"
#include "lib/core/map.h"
#include "lib/net/loop.h"
#include "lib/net/retry.h"

#include <assert.h>
#include <stdlib.h>

#define ANSWER_NS (15 * NS_PER_S)
#define GOOD_FOR_NS                                                                                          \
    (60 * NS_PER_S) /* a token that ends sooner is not handed out while a new one can be had */
#define EARLY_MAX_NS (600 * NS_PER_S)

/* Copies: a sign-in that is run again forgets the token that it gave. */
struct held_token {
    struct secret *secret, *session;
    char *access_key_id, *source, *identity;
    int64_t expires_wall_ns, got_wall_ns;
};

struct cloud_identity {
    struct cloud_shared *shared;
    char *key;
    struct signin *signin;
    unsigned refs;
    struct held_token token; /* secret NULL: none */
    uint64_t generation;     /* of the token */
    bool refused;            /* the token was */
    struct http_call *call;  /* of the refresh under way */
    bool refreshing;
    unsigned failures_in_row;
    int64_t not_before_mono_ns; /* after a failure */
    struct error error;         /* of the last refresh; code 0: none */
    int64_t offset_ns;
    struct cloud_waiter *waiters;
    struct cloud_identity_stats stats;
};

struct named_limit {
    struct cloud_limit limit;
    char name[];
};

struct cloud_shared {
    struct loop *loop;
    struct http_client *http;
    struct map identities, limits;
    size_t identity_count; /* closing ones included */
    loop_fn *freed;
    void *freed_ctx;
};

/* --- life ---------------------------------------------------------------------------------------------- */

struct cloud_shared *cloud_shared_new(struct loop *loop, struct http_client *http)
{
    struct cloud_shared *shared = xcalloc(1, sizeof *shared);
    *shared = (struct cloud_shared){.loop = loop, .http = http};
    return shared;
}

static void free_if_done(struct cloud_shared *shared)
{
    if (!shared->freed || shared->identity_count > 0)
        return;
    loop_fn *freed = shared->freed;
    void *ctx = shared->freed_ctx;
    MAP_EACH (entry, &shared->limits) {
        free(entry->value);
    }
    map_deinit(&shared->limits);
    map_deinit(&shared->identities);
    free(shared);
    freed(ctx);
}

void cloud_shared_free(struct cloud_shared *shared, loop_fn *freed, void *ctx)
{
    shared->freed = freed;
    shared->freed_ctx = ctx;
    free_if_done(shared);
}

static void forget_token(struct held_token *token)
{
    secret_free(token->secret);
    secret_free(token->session);
    free(token->access_key_id);
    free(token->source);
    free(token->identity);
    *token = (struct held_token){0};
}

static void free_identity(struct cloud_identity *identity)
{
    struct cloud_shared *shared = identity->shared;
    forget_token(&identity->token);
    signin_free(identity->signin);
    free(identity->key);
    free(identity);
    shared->identity_count--;
    free_if_done(shared);
}

struct cloud_identity *cloud_identity_open(struct cloud_shared *shared,
                                           const struct cloud_credential *credential)
{
    struct cloud_identity *identity = map_get(&shared->identities, str_from(credential->key));
    if (!identity) {
        identity = xcalloc(1, sizeof *identity);
        identity->shared = shared;
        identity->key = xstrdup(credential->key);
        identity->signin = credential->open(credential->arg);
        (void)map_put(&shared->identities, str_from(identity->key), identity);
        shared->identity_count++;
    }
    identity->refs++;
    return identity;
}

void cloud_identity_release(struct cloud_identity *identity)
{
    if (!identity || --identity->refs > 0)
        return;
    assert(!identity->waiters);
    (void)map_remove(&identity->shared->identities, str_from(identity->key));
    if (!identity->refreshing)
        free_identity(identity);
    else if (identity->call)
        http_call_cancel(identity->call); /* its answer frees the identity */
}

/* --- signing in ---------------------------------------------------------------------------------------- */

static struct cloud_token view(const struct held_token *token)
{
    return (struct cloud_token){.secret = token->secret,
                                .access_key_id = token->access_key_id,
                                .session = token->session,
                                .source = token->source,
                                .identity = token->identity,
                                .expires_wall_ns = token->expires_wall_ns};
}

/* One by one, since whom we call may withdraw others. Who asks again is answered at once, or waits for the
 * next refresh. */
static void wake(struct cloud_identity *identity, const struct error *err)
{
    identity->refs++; /* a waiter may release the last reference */
    while (identity->waiters && !identity->refreshing) {
        struct cloud_waiter *waiter = identity->waiters;
        const struct cloud_token token = view(&identity->token);
        identity->waiters = waiter->next;
        cloud_token_fn *fn = TAKE(waiter->fn);
        fn(waiter->ctx, err ? NULL : &token, err);
    }
    cloud_identity_release(identity);
}

static int64_t cloud_now(const struct cloud_identity *identity)
{
    return clock_wall_ns() + identity->offset_ns;
}

static bool is_good_for(const struct cloud_identity *identity, int64_t ns)
{
    const struct held_token *token = &identity->token;
    return token->secret && !identity->refused &&
           (token->expires_wall_ns == 0 || token->expires_wall_ns - cloud_now(identity) > ns);
}

static void take_token(struct cloud_identity *identity)
{
    struct cloud_token token;
    signin_token(identity->signin, &token);
    forget_token(&identity->token);
    identity->token = (struct held_token){
        .secret = secret_new(secret_reveal(token.secret)),
        .session = token.session ? secret_new(secret_reveal(token.session)) : NULL,
        .access_key_id = token.access_key_id ? xstrdup(token.access_key_id) : NULL,
        .source = token.source ? xstrdup(token.source) : NULL,
        .identity = token.identity ? xstrdup(token.identity) : NULL,
        .expires_wall_ns = token.expires_wall_ns,
        .got_wall_ns = cloud_now(identity),
    };
    identity->generation++;
    identity->refused = false;
    identity->failures_in_row = 0;
    identity->error.code = 0;
    identity->stats.refreshes++;
}

static void end_refresh(struct cloud_identity *identity, const struct error *err)
{
    identity->refreshing = false;
    if (identity->refs == 0) {
        free_identity(identity);
        return;
    }
    if (!err) {
        take_token(identity);
        wake(identity, NULL);
        return;
    }
    identity->stats.failures++;
    identity->error = *err;
    identity->not_before_mono_ns = clock_mono_ns() + retry_pause_ns(++identity->failures_in_row, 0);
    LOG_EVENT(LOG_DEBUG, "cloud.signin_failed", LF_TEXT("credentials", identity->key), LF_ERROR(err));
    /* The old one is used to its very end. */
    wake(identity, is_good_for(identity, 0) ? NULL : err);
}

static void drive(struct cloud_identity *identity, const struct http_response *answer,
                  const struct error *failure);

static void on_answer(void *ctx, const struct http_response *response, const struct error *err)
{
    struct cloud_identity *identity = ctx;
    identity->call = NULL;
    if (identity->refs == 0)
        end_refresh(identity, NULL);
    else
        drive(identity, err ? NULL : response, err);
}

static void drive(struct cloud_identity *identity, const struct http_response *answer,
                  const struct error *failure)
{
    enum signin_step step = SIGNIN_SEND;
    struct http_request request = {0};
    struct error err = {0};
    int code = signin_next(identity->signin, answer, failure, cloud_now(identity), &step, &request, &err);
    if (!code && step == SIGNIN_SEND) {
        int64_t deadline = clock_mono_ns() + ANSWER_NS;
        if (request.deadline_mono_ns == 0 || request.deadline_mono_ns > deadline)
            request.deadline_mono_ns = deadline;
        code = http_client_send(identity->shared->http, &request, on_answer, identity, &identity->call, &err);
        if (!code)
            return;
    }
    end_refresh(identity, code ? &err : NULL);
}

static void refresh(struct cloud_identity *identity)
{
    if (identity->refreshing || clock_mono_ns() < identity->not_before_mono_ns)
        return;
    identity->refreshing = true;
    drive(identity, NULL, NULL);
}

static bool is_time(const struct cloud_identity *identity)
{
    const struct held_token *token = &identity->token;
    if (token->expires_wall_ns == 0)
        return false;
    int64_t early_ns = (token->expires_wall_ns - token->got_wall_ns) / 10;
    early_ns = early_ns > EARLY_MAX_NS ? EARLY_MAX_NS : early_ns;
    return token->expires_wall_ns - cloud_now(identity) < early_ns;
}

void cloud_identity_token(struct cloud_identity *identity, struct cloud_waiter *waiter, cloud_token_fn *fn,
                          void *ctx)
{
    int64_t good_for_ns = GOOD_FOR_NS;
    if (identity->token.secret && identity->token.expires_wall_ns) {
        int64_t half_ns = (identity->token.expires_wall_ns - identity->token.got_wall_ns) / 2;
        good_for_ns = half_ns < good_for_ns ? half_ns : good_for_ns; /* of a token that lives shortly */
    }
    bool waits_for_retry = !identity->refreshing && clock_mono_ns() < identity->not_before_mono_ns;
    if (is_good_for(identity, waits_for_retry ? 0 : good_for_ns)) {
        struct cloud_token token = view(&identity->token);
        identity->refs++;
        fn(ctx, &token, NULL);
        if (identity->refs > 1 && is_time(identity))
            refresh(identity);
        cloud_identity_release(identity);
        return;
    }
    if (waits_for_retry && identity->error.code) {
        struct error err = identity->error;
        fn(ctx, NULL, &err);
        return;
    }
    *waiter = (struct cloud_waiter){.fn = fn, .ctx = ctx, .next = identity->waiters};
    identity->waiters = waiter;
    refresh(identity);
}

void cloud_identity_withdraw(struct cloud_identity *identity, struct cloud_waiter *waiter)
{
    for (struct cloud_waiter **link = &identity->waiters; *link; link = &(*link)->next) {
        if (*link == waiter) {
            *link = waiter->next;
            break;
        }
    }
    *waiter = (struct cloud_waiter){0};
}

void cloud_identity_refused(struct cloud_identity *identity, uint64_t generation)
{
    if (identity->generation == generation)
        identity->refused = true;
}

uint64_t cloud_identity_generation(const struct cloud_identity *identity)
{
    return identity->generation;
}

int64_t cloud_identity_offset_ns(const struct cloud_identity *identity)
{
    return identity->offset_ns;
}

void cloud_identity_set_offset(struct cloud_identity *identity, int64_t offset_ns)
{
    identity->offset_ns = offset_ns;
}

void cloud_identity_stats(const struct cloud_identity *identity, struct cloud_identity_stats *ret_stats)
{
    *ret_stats = identity->stats;
    ret_stats->expires_wall_ns = identity->token.expires_wall_ns;
    ret_stats->source = identity->token.source;
}

/* --- quotas -------------------------------------------------------------------------------------------- */

struct cloud_limit *cloud_shared_limit(struct cloud_shared *shared, const char *name, double rate_per_s,
                                       double burst)
{
    struct named_limit *named = map_get(&shared->limits, str_from(name));
    if (!named) {
        size_t length = strlen(name);
        named = xmalloc(sizeof *named + length + 1);
        memcpy(named->name, name, length + 1);
        cloud_limit_init(&named->limit, rate_per_s, burst, clock_mono_ns());
        (void)map_put(&shared->limits, (struct str){named->name, length}, named);
    }
    return &named->limit;
}
