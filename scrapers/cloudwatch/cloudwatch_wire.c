#include "scrapers/cloudwatch/cloudwatch_internal.h"

#include "lib/cloud/aws_endpoint.h"
#include "lib/cloud/aws_query.h"
#include "lib/cloud/oauth.h"
#include "lib/cloud/sigv4.h"
#include "lib/core/env.h"
#include "lib/net/http_wait.h"

#define ANSWER_MAX (64UL << 20)

static const struct service {
    const char *name, *service, *target, *content_type;
} services[CW_APIS] = {
    [CW_GET_METRIC_DATA] = {"GetMetricData", "monitoring", "GraniteServiceVersion20100801.GetMetricData",
                            "application/x-amz-json-1.0"},
    [CW_LIST_METRICS] = {"ListMetrics", "monitoring", "GraniteServiceVersion20100801.ListMetrics",
                         "application/x-amz-json-1.0"},
    [CW_GET_RESOURCES] = {"GetResources", "tagging", "ResourceGroupsTaggingAPI_20170126.GetResources",
                          "application/x-amz-json-1.1"},
    [CW_CALLER_IDENTITY] = {"GetCallerIdentity", "sts", NULL,
                            "application/x-www-form-urlencoded; charset=utf-8"},
};

const char *cloudwatch_api_name(enum cloudwatch_api api)
{
    return services[api].name;
}

/* `endpoint` stands for all of AWS where it is this machine: an emulator. A private endpoint is CloudWatch's.
 */
static const char *configured(const struct cloudwatch_config *config, enum cloudwatch_api api)
{
    const char *own = api == CW_GET_RESOURCES     ? config->tagging_endpoint
                      : api == CW_CALLER_IDENTITY ? config->sts_endpoint
                                                  : config->cloud.endpoint;
    bool emulator = config->cloud.endpoint && strncmp(config->cloud.endpoint, "http://", 7) == 0;
    return own ? own : emulator ? config->cloud.endpoint : NULL;
}

static int find_url(const struct cloudwatch_state *state, enum cloudwatch_api api, const char *lane,
                    struct arena *arena, const char **ret_url, struct error *err)
{
    const char *own = configured(state->config, api);
    struct aws_endpoint endpoint;
    if (own) {
        *ret_url = arena_printf(arena, "%s%s", own, own[strlen(own) - 1] == '/' ? "" : "/");
        return 0;
    }
    int code = aws_endpoint_find(services[api].service, lane, env_get, arena, &endpoint, err);
    if (!code)
        *ret_url = endpoint.url;
    return code;
}

int cloudwatch_request(const struct cloudwatch_state *state, enum cloudwatch_api api, const char *lane,
                       struct str body, struct arena *arena, struct cloud_request *ret_request,
                       struct error *err)
{
    const char *url;
    int code = find_url(state, api, lane, arena, &url, err);
    if (code)
        return code;
    struct http_header *headers = arena_alloc(arena, 2 * sizeof *headers);
    headers[0] = (struct http_header){"Content-Type", services[api].content_type};
    headers[1] = (struct http_header){"X-Amz-Target", services[api].target};
    *ret_request = (struct cloud_request){
        .http = {.method = "POST",
                 .url = url,
                 .headers = headers,
                 .header_count = services[api].target ? 2 : 1,
                 .body = {arena_strdup(arena, body), body.len},
                 .max_body_bytes = ANSWER_MAX},
        .api = api,
        .lane = lane,
    };
    return 0;
}

int cloudwatch_authorize(void *state, const struct cloud_token *token, int64_t wall_ns, struct arena *arena,
                         struct cloud_request *request, struct error *err)
{
    (void)state;
    const struct sigv4_key key = {.access_key_id = token->access_key_id,
                                  .secret = token->secret,
                                  .session = token->session,
                                  .region = request->lane,
                                  .service = services[request->api].service};
    const struct http_header *headers;
    size_t count;
    int code = sigv4_sign(&request->http, &key, wall_ns, arena, &headers, &count, err);
    if (code)
        return code;
    request->http.headers = headers;
    request->http.header_count = count;
    return 0;
}

static bool is_one_of(const char *code, const char *const *codes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(code, codes[i]) == 0)
            return true;
    }
    return false;
}

static enum cloud_verdict verdict_of(const struct aws_failure *failure)
{
    static const char *const throttled[] = {"Throttling",
                                            "ThrottlingException",
                                            "ThrottledException",
                                            "RequestThrottled",
                                            "RequestThrottledException",
                                            "RequestLimitExceeded",
                                            "TooManyRequestsException",
                                            "BandwidthLimitExceeded",
                                            "LimitExceededException",
                                            "SlowDown"};
    static const char *const expired[] = {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId",
                                          "UnrecognizedClientException", "RequestExpired"};
    if (failure->status == 429 || is_one_of(failure->code, throttled, ARRAY_LEN(throttled)))
        return CLOUD_THROTTLED;
    if (is_one_of(failure->code, expired, ARRAY_LEN(expired)))
        return CLOUD_EXPIRED;
    if (failure->status == 413)
        return CLOUD_SPLIT;
    return aws_failure_is_passing(failure) ? CLOUD_PASSING : CLOUD_REFUSED;
}

int cloudwatch_failure(const struct http_response *answer, enum cloudwatch_api api, int64_t wall_ns,
                       struct arena *arena, struct cloud_outcome *ret_outcome, struct error *err)
{
    struct aws_failure failure;
    if (services[api].target)
        aws_json_failure(answer, arena, &failure);
    else
        aws_query_failure(answer, arena, &failure);
    if (sigv4_clock_offset(failure.code, failure.message, http_response_header(answer, "Date"), wall_ns,
                           &ret_outcome->clock_offset_ns)) {
        ret_outcome->verdict = CLOUD_SKEWED;
        return 0;
    }
    ret_outcome->verdict = verdict_of(&failure);
    (void)aws_failure_error(&failure, services[api].name, "the target's credentials", err);
    return ret_outcome->verdict == CLOUD_REFUSED ? err->code : 0;
}
