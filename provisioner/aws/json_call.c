#include "provisioner/aws/json_call.h"

#include "lib/cloud/aws_signin.h"
#include "lib/cloud/cloud_call.h"
#include "lib/core/clock.h"
#include "lib/core/env.h"
#include "version.h"

#define THROTTLES 4U
#define PAUSE_NS  (250 * NS_PER_MS)

int aws_json_open(struct aws_json *json, const char *service, const struct region *region,
                  struct arena *arena)
{
    bool role = region->account && strncmp(region->account, "arn:", 4) == 0;
    const struct aws_signin_options options = {.region = region->location_name,
                                               .role_arn = role ? region->account : NULL};
    int code = aws_endpoint_find(service, region->location_name, env_get, arena, &json->endpoint, json->err);
    if (!code)
        code = http_wait_new("fraiseql/" FRAISEQL_VERSION, &json->client, json->err);
    if (code)
        return code;
    json->signin = aws_signin_new(&options);
    return signin_wait(json->signin, json->client, json->deadline_mono_ns, &json->token, json->err);
}

void aws_json_close(struct aws_json *json)
{
    if (json->signin)
        signin_free(json->signin);
    if (json->client)
        http_wait_free(json->client);
    json->signin = NULL;
    json->client = NULL;
}

static int send_signed(struct aws_json *json, struct str body, struct arena *arena,
                       struct http_response *ret_answer)
{
    const struct http_header headers[] = {{"Content-Type", "application/x-amz-json-1.1"},
                                          {"X-Amz-Target", json->target}};
    const struct sigv4_key key = {.access_key_id = json->token.access_key_id,
                                  .secret = json->token.secret,
                                  .session = json->token.session,
                                  .region = json->endpoint.region,
                                  .service = json->endpoint.service};
    struct http_request request = {.method = "POST",
                                   .url = json->endpoint.url,
                                   .headers = headers,
                                   .header_count = ARRAY_LEN(headers),
                                   .body = body,
                                   .tls = {.ca_file = json->endpoint.ca_file},
                                   .max_body_bytes = json->max_answer_bytes};
    const struct http_header *all;
    size_t count;
    int code = sigv4_sign(&request, &key, clock_wall_ns() + json->offset_ns, arena, &all, &count, json->err);
    if (code)
        return code;
    request.headers = all;
    request.header_count = count;
    code = cloud_call(json->client, &request, json->deadline_mono_ns, arena, ret_answer, json->err);
    return code ? error_prefix(json->err, "%s", json->action) : 0;
}

/* Throttling is answered 400 here, so it is nothing that cloud_call() tries again. */
static bool paused(const struct aws_json *json, unsigned number)
{
    int64_t pause = PAUSE_NS << number;
    if (number == THROTTLES || clock_mono_ns() + pause >= json->deadline_mono_ns)
        return false;
    clock_sleep_ns(pause);
    return true;
}

int aws_json_call(struct aws_json *json, struct str body, struct arena *arena,
                  struct http_response *ret_answer, struct aws_failure *ret_failure)
{
    bool corrected = false;
    for (unsigned throttled = 0;;) {
        *ret_failure = (struct aws_failure){.code = "", .message = ""};
        int code = send_signed(json, body, arena, ret_answer);
        if (code || ret_answer->status == 200)
            return code;
        aws_json_failure(ret_answer, arena, ret_failure);
        if (!corrected &&
            sigv4_clock_offset(ret_failure->code, ret_failure->message,
                               http_response_header(ret_answer, "Date"), clock_wall_ns(), &json->offset_ns)) {
            corrected = true;
            continue;
        }
        if (ret_failure->status == 400 && aws_failure_is_passing(ret_failure) && paused(json, throttled)) {
            throttled++;
            continue;
        }
        return aws_failure_error(ret_failure, json->action, json->token.source, json->err);
    }
}
