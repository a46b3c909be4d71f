#include "lib/cloud/signin.h"

#include "lib/core/clock.h"
#include "lib/net/retry.h"

#include <stdlib.h>

/* A chain of a file, a metadata server and a role assumed from another is six exchanges; more is a loop. */
#define EXCHANGES_MAX 16U
/* One unreachable place (a metadata server outside its cloud) must not use up the time of the rest. */
#define EXCHANGE_NS (10 * NS_PER_S)

/* Before what was throttled or broken is asked again: the first pause of retry.h, or Retry-After up to this.
 */
#define PAUSE_MAX_NS (5 * NS_PER_S)

struct signin {
    const struct signin_ops *ops;
    void *state;
};

struct signin *signin_new(const struct signin_ops *ops, void *state)
{
    struct signin *signin = xcalloc(1, sizeof *signin);
    *signin = (struct signin){.ops = ops, .state = state};
    return signin;
}

void signin_free(struct signin *signin)
{
    if (!signin)
        return;
    signin->ops->free(signin->state);
    free(signin);
}

int signin_next(struct signin *signin, const struct http_response *answer, const struct error *failure,
                int64_t wall_ns, enum signin_step *ret_step, struct http_request *ret_request,
                struct error *err)
{
    *ret_request = (struct http_request){0};
    return signin->ops->next(signin->state, answer, failure, wall_ns, ret_step, ret_request, err);
}

void signin_token(const struct signin *signin, struct cloud_token *ret_token)
{
    signin->ops->token(signin->state, ret_token);
}

/* What is asked again at once would be throttled again. */
static void pause_after(const struct http_response *answer, int64_t deadline_mono_ns)
{
    if (!retry_status_passes(answer->status))
        return;
    int64_t wait = retry_after_ns(answer->retry_after, clock_wall_ns(), PAUSE_MAX_NS);
    int64_t rest = deadline_mono_ns - clock_mono_ns();
    if (wait < RETRY_FIRST_NS)
        wait = RETRY_FIRST_NS;
    clock_sleep_ns(wait < rest ? wait : rest);
}

int signin_wait(struct signin *signin, struct http_wait *client, int64_t deadline_mono_ns,
                struct cloud_token *ret_token, struct error *err)
{
    CLEANUP(arena_free_cleanup)
    struct arena *arena = arena_new(0);
    const struct http_response *answer = NULL;
    const struct error *failure = NULL;
    struct http_response response;
    struct error lost;
    for (unsigned i = 0; i < EXCHANGES_MAX; i++) {
        enum signin_step step = SIGNIN_SEND;
        struct http_request request;
        int code = signin_next(signin, answer, failure, clock_wall_ns(), &step, &request, err);
        /* The sign-in has taken what it needs: tokens stay in no other place. */
        if (answer && answer->body.len)
            explicit_bzero((void *)(uintptr_t)answer->body.ptr, answer->body.len);
        if (code)
            return code;
        if (step == SIGNIN_READY) {
            signin_token(signin, ret_token);
            return 0;
        }
        if (answer)
            pause_after(answer, deadline_mono_ns);
        int64_t now = clock_mono_ns();
        if (now >= deadline_mono_ns)
            return error_set(err, ERR_TIMEOUT, "signing in has taken too long");
        int64_t latest = deadline_mono_ns - now > EXCHANGE_NS ? now + EXCHANGE_NS : deadline_mono_ns;
        if (!request.deadline_mono_ns || request.deadline_mono_ns > latest)
            request.deadline_mono_ns = latest;
        error_clear(&lost);
        failure = http_wait_send(client, &request, arena, &response, &lost) ? &lost : NULL;
        answer = failure ? NULL : &response;
    }
    return error_set(err, ERR_PEER, "signing in has taken %u exchanges without an end", EXCHANGES_MAX);
}
