#include "provisioner/cloud_json.h"

#include "lib/cloud/cloud_call.h"
#include "lib/cloud/oauth.h"
#include "lib/core/clock.h"
#include "lib/core/env.h"
#include "lib/net/retry.h"
#include "version.h"

#include <ctype.h>

#define ANSWER_BYTES (8UL * 1024 * 1024)
#define ONCE_NS      (60 * NS_PER_S)

int cloud_json_open(struct cloud_json *cloud, struct signin *signin)
{
    cloud->signin = signin;
    int code = http_wait_new("fraiseql/" FRAISEQL_VERSION, &cloud->client, cloud->err);
    return code ? code
                : cloud_signin(signin, cloud->client, cloud->deadline_mono_ns, &cloud->token, cloud->err);
}

void cloud_json_close(struct cloud_json *cloud)
{
    signin_free(cloud->signin);
    http_wait_free(cloud->client);
    cloud->signin = NULL;
    cloud->client = NULL;
}

static const char *who(const struct cloud_json *cloud)
{
    return cloud->token.identity ? cloud->token.identity : cloud->token.source;
}

int cloud_json_refusal(struct cloud_json *cloud, const struct cloud_json_answer *answer)
{
    int code = oauth_refusal(answer->status, answer->response.body, cloud->err);
    if (answer->status == 409)
        code = ERR_CONFLICT;
    else if (answer->status == 429 || answer->status >= 500)
        code = ERR_UNAVAILABLE;
    (void)error_prefix(cloud->err, "%s, asked by %s", cloud->service, who(cloud));
    if (cloud->err)
        cloud->err->code = code;
    return code;
}

static int read_body(struct cloud_json *cloud, struct cloud_json_answer *answer)
{
    struct node *root = NULL;
    if (!str_trim(answer->response.body).len)
        return 0;
    if (json_parse(cloud->arena, answer->response.body, &root, NULL) || root->kind != NODE_MAPPING)
        return error_set(cloud->err, ERR_PEER, "%s answered with something else than a JSON object",
                         cloud->service);
    answer->root = root;
    return 0;
}

int cloud_json_call(struct cloud_json *cloud, const char *method, const char *url, struct str body, bool once,
                    struct cloud_json_answer *ret_answer)
{
    static const struct http_header headers[] = {{"Content-Type", "application/json"}};
    struct http_request request = {.method = method,
                                   .url = url,
                                   .headers = headers,
                                   .header_count = body.len ? ARRAY_LEN(headers) : 0,
                                   .body = body,
                                   .bearer_token = cloud->token.secret,
                                   .max_body_bytes = ANSWER_BYTES};
    int64_t now = clock_mono_ns();
    *ret_answer = (struct cloud_json_answer){0};
    request.deadline_mono_ns =
        cloud->deadline_mono_ns - now > ONCE_NS ? now + ONCE_NS : cloud->deadline_mono_ns;
    int code = once ? http_wait_send(cloud->client, &request, cloud->arena, &ret_answer->response, cloud->err)
                    : cloud_call(cloud->client, &request, cloud->deadline_mono_ns, cloud->arena,
                                 &ret_answer->response, cloud->err);
    if (code)
        return error_prefix(cloud->err, "%s", cloud->service);
    ret_answer->status = ret_answer->response.status;
    if (ret_answer->status == 404 || ret_answer->status == 409)
        return 0;
    if (ret_answer->status < 200 || ret_answer->status > 299)
        return cloud_json_refusal(cloud, ret_answer);
    return read_body(cloud, ret_answer);
}

int cloud_json_must(struct cloud_json *cloud, const char *method, const char *url, struct str body,
                    struct cloud_json_answer *ret_answer)
{
    int code = cloud_json_call(cloud, method, url, body, false, ret_answer);
    if (!code && (ret_answer->status == 404 || ret_answer->status == 409))
        code = cloud_json_refusal(cloud, ret_answer);
    return code;
}

const char *cloud_json_escape(const char *text, struct arena *arena)
{
    struct buf out = BUF_INIT(64UL * 1024);
    for (const char *c = text; *c; c++) {
        if (isalnum((unsigned char)*c) || strchr("-._~", *c))
            buf_append_byte(&out, *c);
        else
            buf_printf(&out, "%%%02X", (unsigned)(unsigned char)*c);
    }
    const char *copy = arena_strdup(arena, buf_str(&out));
    buf_deinit(&out);
    return copy;
}

int cloud_json_base(const char *name, const char *otherwise, struct arena *arena, const char **ret_url,
                    struct error *err)
{
    const char *given = env_get(name);
    struct str url = str_from(given ? given : otherwise);
    if (!oauth_url_is_private(url.ptr))
        return error_set(err, ERR_CONFIG, "%s is not https, and a token would be sent to it", name);
    while (str_ends(url, STR("/")))
        url.len--;
    *ret_url = arena_strdup(arena, url);
    return 0;
}
