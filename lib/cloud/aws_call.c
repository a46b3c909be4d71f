#include "lib/cloud/aws_call.h"

#include "lib/core/clock.h"
#include "lib/net/retry.h"

#define ANSWER_NS (10 * NS_PER_S)

struct attempt {
    const char *action;
    struct aws_endpoint endpoint;
    const struct aws_form *form;
    unsigned tries; /* that failed in passing */
    bool corrected; /* by the server's clock */
};

static bool may_try_again(const struct aws_caller *caller, struct attempt *attempt, int64_t asked_ns)
{
    unsigned tries = caller->tries ? caller->tries : AWS_CALL_TRIES;
    return ++attempt->tries < tries && retry_sleep(attempt->tries, asked_ns, caller->deadline_mono_ns);
}

static int send_once(struct aws_caller *caller, const struct attempt *attempt, struct arena *arena,
                     struct http_response *ret_answer, struct error *err)
{
    const struct sigv4_key key = {.access_key_id = caller->token.access_key_id,
                                  .secret = caller->token.secret,
                                  .session = caller->token.session};
    struct http_request request;
    int code = aws_query_request(&attempt->endpoint, attempt->form, &key, clock_wall_ns() + caller->offset_ns,
                                 arena, &request, err);
    int64_t now = clock_mono_ns();
    if (code)
        return code;
    request.deadline_mono_ns =
        caller->deadline_mono_ns - now > ANSWER_NS ? now + ANSWER_NS : caller->deadline_mono_ns;
    return http_wait_send(caller->client, &request, arena, ret_answer, err);
}

/* A request that got no answer. True: again. */
static bool lost(const struct aws_caller *caller, struct attempt *attempt, int code, struct error *err)
{
    if (retry_code_passes(code) && may_try_again(caller, attempt, 0))
        return true;
    (void)error_prefix(err, "%s", attempt->action);
    return false;
}

/* A refusal. True: again. */
static bool refused(struct aws_caller *caller, struct attempt *attempt, const struct http_response *answer,
                    const struct aws_failure *failure, struct error *err)
{
    int64_t offset;
    if (!attempt->corrected &&
        sigv4_clock_offset(failure->code, failure->message, http_response_header(answer, "Date"),
                           clock_wall_ns(), &offset)) {
        caller->offset_ns = offset;
        attempt->corrected = true;
        return true;
    }
    if (aws_failure_is_passing(failure) &&
        may_try_again(caller, attempt,
                      retry_after_ns(answer->retry_after, clock_wall_ns(), RETRY_AFTER_MAX_NS)))
        return true;
    (void)aws_failure_error(failure, attempt->action, caller->token.source, err);
    if (attempt->corrected &&
        sigv4_clock_offset(failure->code, failure->message, http_response_header(answer, "Date"),
                           clock_wall_ns(), &offset))
        error_set_hint(err, "This machine's clock is wrong by %lld s: set it (timedatectl)",
                       (long long)((offset < 0 ? -offset : offset) / NS_PER_S));
    return false;
}

int aws_call(struct aws_caller *caller, const char *service, const char *action, const struct aws_form *form,
             struct arena *arena, const struct xml **ret_result, struct aws_failure *ret_failure,
             struct error *err)
{
    struct attempt attempt = {.action = action, .form = form};
    struct aws_failure failure = {.code = "", .message = ""};
    int code = aws_endpoint_find(service, caller->region, caller->env, arena, &attempt.endpoint, err);
    if (ret_failure)
        *ret_failure = failure;
    if (code)
        return code;
    for (;;) {
        struct http_response answer;
        struct error reason = {0};
        code = send_once(caller, &attempt, arena, &answer, &reason);
        if (code) {
            if (lost(caller, &attempt, code, &reason))
                continue;
            if (err)
                *err = reason;
            return code;
        }
        if (answer.status >= 200 && answer.status <= 299)
            return aws_query_result(&answer, action, arena, ret_result, err);
        aws_query_failure(&answer, arena, &failure);
        if (ret_failure)
            *ret_failure = failure;
        if (!refused(caller, &attempt, &answer, &failure, &reason)) {
            if (err)
                *err = reason;
            return reason.code;
        }
    }
}
