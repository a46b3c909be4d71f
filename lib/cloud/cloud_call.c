#include "lib/cloud/cloud_call.h"

#include "lib/core/clock.h"
#include "lib/net/retry.h"

#define TRY_NS (20 * NS_PER_S)

int cloud_call(struct http_wait *client, const struct http_request *request, int64_t deadline_mono_ns,
               struct arena *arena, struct http_response *ret_response, struct error *err)
{
    struct http_request each = *request;
    for (unsigned tries = 1;; tries++) {
        int64_t now = clock_mono_ns(), asked = 0;
        each.deadline_mono_ns = deadline_mono_ns - now > TRY_NS ? now + TRY_NS : deadline_mono_ns;
        int code = http_wait_send(client, &each, arena, ret_response, err);
        if (code ? !retry_code_passes(code) : !retry_status_passes(ret_response->status))
            return code;
        if (!code)
            asked = retry_after_ns(ret_response->retry_after, clock_wall_ns(), RETRY_AFTER_MAX_NS);
        if (tries == CLOUD_CALL_TRIES || !retry_sleep(tries, asked, deadline_mono_ns))
            return code;
        error_clear(err);
    }
}

int cloud_signin(struct signin *signin, struct http_wait *client, int64_t deadline_mono_ns,
                 struct cloud_token *ret_token, struct error *err)
{
    for (unsigned tries = 1;; tries++) {
        int code = signin_wait(signin, client, deadline_mono_ns, ret_token, err);
        if (!retry_code_passes(code) || tries == CLOUD_CALL_TRIES || !retry_sleep(tries, 0, deadline_mono_ns))
            return code;
        error_clear(err);
    }
}
