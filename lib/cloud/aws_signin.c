#include "lib/cloud/aws_signin.h"

#include "lib/cloud/aws_chain.h"
#include "lib/cloud/aws_query.h"
#include "lib/core/clock.h"
#include "lib/core/env.h"

#include <stdio.h>
#include <stdlib.h>

#define STS_VERSION      "2011-06-15"
#define TRIES            3U
#define PATIENCE_NS      (2 * NS_PER_S) /* for a metadata or container server, which is near or not there */
#define METADATA_MAX     (64UL * 1024)
#define ROLES_PATH       "/latest/meta-data/iam/security-credentials/"
#define METADATA_TTL_S   "21600"
#define SKEW_CORRECTIONS 1U

enum stage { STAGE_TOKEN, STAGE_ROLE_NAME, STAGE_KEYS, STAGE_ASSUME, STAGE_READY };

struct aws_signin {
    char *region, *role_arn, *external_id, *profile, *credentials_file, *config_file, *sts_url;
    aws_env_fn *env;

    /* Of one run. */
    struct arena *arena;
    struct aws_plan plan;
    struct aws_credentials keys; /* those of the last step that gave some */
    enum stage stage;
    size_t role; /* the next one to assume */
    struct secret *metadata_token;
    const char *role_name; /* of the instance */
    struct aws_form form;
    struct http_header headers[2];
    unsigned tries, corrections;
    int64_t offset_ns; /* of the server's clock */
    char *source;
};

static void forget_run(struct aws_signin *signin)
{
    aws_plan_deinit(&signin->plan);
    aws_credentials_clear(&signin->keys);
    secret_free(signin->metadata_token);
    aws_form_deinit(&signin->form);
    free(signin->source);
    signin->plan = (struct aws_plan){0};
    signin->metadata_token = NULL;
    signin->source = NULL;
    signin->role_name = NULL;
    signin->role = 0;
    signin->tries = signin->corrections = 0;
    signin->offset_ns = 0;
    arena_reset(signin->arena);
}

/* --- asking -------------------------------------------------------------------------------------------- */

/* A server beside us: short of time and of words. */
static void near_request(struct aws_signin *signin, const char *method, const char *url, size_t headers,
                         struct http_request *ret_request)
{
    *ret_request = (struct http_request){
        .method = method,
        .url = url,
        .headers = signin->headers,
        .header_count = headers,
        .max_body_bytes = METADATA_MAX,
        .deadline_mono_ns = clock_mono_ns() + PATIENCE_NS,
    };
}

static int ask_instance(struct aws_signin *signin, struct http_request *ret_request)
{
    const char *url = signin->plan.url;
    struct arena *arena = signin->arena;
    if (signin->stage == STAGE_TOKEN) {
        signin->headers[0] = (struct http_header){"X-aws-ec2-metadata-token-ttl-seconds", METADATA_TTL_S};
        near_request(signin, "PUT", arena_printf(arena, "%s/latest/api/token", url), 1, ret_request);
        return 0;
    }
    signin->headers[0] =
        (struct http_header){"X-aws-ec2-metadata-token", secret_reveal(signin->metadata_token).ptr};
    near_request(signin, "GET",
                 arena_printf(arena, "%s" ROLES_PATH "%s", url, signin->role_name ? signin->role_name : ""),
                 1, ret_request);
    return 0;
}

static int ask_container(struct aws_signin *signin, struct http_request *ret_request, struct error *err)
{
    struct aws_plan *plan = &signin->plan;
    if (plan->token_file) { /* read anew each time: EKS rotates it */
        secret_free(plan->token);
        plan->token = NULL;
        if (secret_read_file(plan->token_file, &plan->token, NULL, err)) {
            if (err)
                err->code = ERR_CONFIG;
            return error_prefix(err, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
        }
    }
    if (plan->token)
        signin->headers[0] = (struct http_header){"Authorization", secret_reveal(plan->token).ptr};
    near_request(signin, "GET", plan->url, plan->token ? 1 : 0, ret_request);
    return 0;
}

static int begin_role(struct aws_signin *signin, const char *action, const struct aws_role *role,
                      struct aws_endpoint *ret_endpoint, struct error *err)
{
    int code = aws_endpoint_find("sts", signin->region, signin->env, signin->arena, ret_endpoint, err);
    if (code)
        return code;
    if (signin->sts_url)
        ret_endpoint->url = signin->sts_url;
    aws_form_deinit(&signin->form);
    aws_form_init(&signin->form, action, STS_VERSION);
    aws_form_add(&signin->form, "RoleArn", str_from(role->arn));
    aws_form_add(&signin->form, "RoleSessionName", str_from(role->session_name));
    if (role->duration_s)
        aws_form_add(&signin->form, "DurationSeconds", str_from(role->duration_s));
    if (role->external_id)
        aws_form_add(&signin->form, "ExternalId", str_from(role->external_id));
    return 0;
}

static int ask_web_identity(struct aws_signin *signin, int64_t wall_ns, struct http_request *ret_request,
                            struct error *err)
{
    struct aws_endpoint endpoint;
    struct secret *token = NULL;
    int code = secret_read_file(signin->plan.token_file, &token, NULL, err);
    if (code) {
        if (err)
            err->code = ERR_CONFIG;
        return error_prefix(err, "web identity");
    }
    code = begin_role(signin, "AssumeRoleWithWebIdentity", &signin->plan.web, &endpoint, err);
    if (!code) {
        aws_form_add(&signin->form, "WebIdentityToken", secret_reveal(token));
        code = aws_query_request(&endpoint, &signin->form, NULL, wall_ns, signin->arena, ret_request, err);
    }
    secret_free(token);
    return code;
}

static int ask_role(struct aws_signin *signin, int64_t wall_ns, struct http_request *ret_request,
                    struct error *err)
{
    struct aws_endpoint endpoint;
    int code = begin_role(signin, "AssumeRole", &signin->plan.roles[signin->role], &endpoint, err);
    const struct sigv4_key key = {.access_key_id = signin->keys.access_key_id,
                                  .secret = signin->keys.secret,
                                  .session = signin->keys.session};
    if (!code)
        code = aws_query_request(&endpoint, &signin->form, &key, wall_ns + signin->offset_ns, signin->arena,
                                 ret_request, err);
    return code;
}

/* The request of the stage we are at. */
static int ask(struct aws_signin *signin, int64_t wall_ns, enum signin_step *ret_step,
               struct http_request *ret_request, struct error *err)
{
    *ret_step = SIGNIN_SEND;
    if (signin->stage == STAGE_KEYS && signin->plan.source == AWS_FROM_KEYS)
        signin->stage = signin->plan.role_count ? STAGE_ASSUME : STAGE_READY;
    if (signin->stage == STAGE_READY) {
        *ret_step = SIGNIN_READY;
        return 0;
    }
    if (signin->stage == STAGE_ASSUME)
        return ask_role(signin, wall_ns, ret_request, err);
    if (signin->plan.source == AWS_FROM_WEB_IDENTITY)
        return ask_web_identity(signin, wall_ns, ret_request, err);
    if (signin->plan.source == AWS_FROM_CONTAINER)
        return ask_container(signin, ret_request, err);
    return ask_instance(signin, ret_request);
}

/* --- reading ------------------------------------------------------------------------------------------- */

static bool is_role_name(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                     memchr("_+=,.@-", c, 7);
        if (!plain)
            return false;
    }
    return text.len > 0 && text.len <= 128;
}

static bool is_token(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
            return false;
    }
    return text.len > 0 && text.len <= 4096;
}

static int read_instance(struct aws_signin *signin, const struct http_response *answer, struct error *err)
{
    struct aws_plan *plan = &signin->plan;
    struct str line = str_trim(answer->body);
    const char *end = line.len ? memchr(line.ptr, '\n', line.len) : NULL;
    line.len = end ? (size_t)(end - line.ptr) : line.len;
    if (answer->status == 404 && signin->stage == STAGE_ROLE_NAME && !plan->sure)
        return aws_chain_nothing(plan, "the metadata server knows no role of this machine", err);
    if (answer->status == 404 && signin->stage == STAGE_ROLE_NAME)
        return error_set(err, ERR_CONFIG, "the metadata server knows no role of this machine");
    if (answer->status != 200 && !plan->sure)
        return aws_chain_nothing(
            plan, arena_printf(signin->arena, "the metadata server answered %d", answer->status), err);
    if (answer->status != 200)
        return error_set(err, ERR_PEER, "the metadata server answered %d", answer->status);
    if (signin->stage == STAGE_TOKEN) {
        if (!is_token(line))
            return error_set(err, ERR_PEER, "the metadata server gave a token that is none");
        signin->metadata_token = secret_new(line);
        aws_wipe_answer(answer);
        signin->stage = STAGE_ROLE_NAME;
        return 0;
    }
    if (signin->stage == STAGE_ROLE_NAME) {
        if (!is_role_name(line))
            return error_set(err, ERR_PEER, "the metadata server names a role that cannot be one");
        signin->role_name = arena_strdup(signin->arena, line);
        signin->stage = STAGE_KEYS;
        return 0;
    }
    int code = aws_credentials_read_json(&signin->keys, answer, "the metadata server", err);
    aws_wipe_answer(answer);
    return code;
}

static int read_container(struct aws_signin *signin, const struct http_response *answer, struct error *err)
{
    if (answer->status != 200)
        return error_set(err, answer->status == 401 || answer->status == 403 ? ERR_AUTH : ERR_PEER,
                         "the container's credential server answered %d", answer->status);
    int code = aws_credentials_read_json(&signin->keys, answer, "the container's credential server", err);
    aws_wipe_answer(answer);
    return code;
}

/* A refusal of STS: 0 when it is to be asked again. */
static int read_refusal(struct aws_signin *signin, const struct http_response *answer, const char *action,
                        const char *why, int64_t wall_ns, struct error *err)
{
    struct aws_failure failure;
    int64_t offset;
    aws_query_failure(answer, signin->arena, &failure);
    if (signin->corrections < SKEW_CORRECTIONS &&
        sigv4_clock_offset(failure.code, failure.message, http_response_header(answer, "Date"), wall_ns,
                           &offset)) {
        signin->corrections++;
        signin->offset_ns = offset;
        return 0;
    }
    if (aws_failure_is_passing(&failure) && ++signin->tries < TRIES)
        return 0;
    (void)aws_failure_error(&failure, action, signin->plan.name, err);
    if (strcmp(failure.code, "AccessDenied") == 0)
        error_set_hint(err, "The role must trust this identity, and a policy of it allow sts:%s", action);
    return error_prefix(err, "%s", why);
}

static int read_role(struct aws_signin *signin, const struct http_response *answer, int64_t wall_ns,
                     struct error *err)
{
    bool web = signin->stage != STAGE_ASSUME;
    const char *action = web ? "AssumeRoleWithWebIdentity" : "AssumeRole";
    const struct aws_role *role = web ? &signin->plan.web : &signin->plan.roles[signin->role];
    const char *why = arena_printf(signin->arena, "%s: role %.120s", role->why, role->arn);
    const struct xml *result = NULL;
    if (answer->status < 200 || answer->status > 299)
        return read_refusal(signin, answer, action, why, wall_ns, err);
    int code = aws_query_result(answer, action, signin->arena, &result, err);
    if (!code)
        code = aws_credentials_read_xml(&signin->keys, xml_child(result, "Credentials"), err);
    aws_wipe_answer(answer);
    if (code)
        return error_prefix(err, "%s", why);
    signin->tries = 0;
    signin->role += web ? 0 : 1;
    char *source = NULL;
    if (asprintf(&source, "%s, role %s", signin->plan.name, role->arn) < 0)
        return error_set(err, ERR_LIMIT, "out of memory");
    free(signin->source);
    signin->source = source;
    return 0;
}

/* What a request that was not answered means. */
static int not_answered(struct aws_signin *signin, const struct error *failure, struct error *err)
{
    bool near = signin->stage != STAGE_ASSUME && signin->plan.source != AWS_FROM_WEB_IDENTITY;
    if (near && signin->plan.source == AWS_FROM_INSTANCE && !signin->plan.sure)
        return aws_chain_nothing(&signin->plan, "no metadata server answers", err);
    if (!near && failure->code != ERR_CONFIG && ++signin->tries < TRIES)
        return 0;
    if (err)
        *err = *failure;
    return error_prefix(err, near ? "%s" : "STS, for %s", signin->plan.name);
}

static int take_answer(struct aws_signin *signin, const struct http_response *answer, int64_t wall_ns,
                       struct error *err)
{
    bool sts = signin->stage == STAGE_ASSUME || signin->plan.source == AWS_FROM_WEB_IDENTITY;
    bool had_keys = signin->keys.access_key_id && signin->stage != STAGE_ASSUME;
    size_t role = signin->role;
    int code = sts                                         ? read_role(signin, answer, wall_ns, err)
               : signin->plan.source == AWS_FROM_CONTAINER ? read_container(signin, answer, err)
                                                           : read_instance(signin, answer, err);
    bool got =
        signin->stage == STAGE_ASSUME ? signin->role > role : !had_keys && signin->keys.access_key_id != NULL;
    if (!code && got)
        signin->stage = signin->role < signin->plan.role_count ? STAGE_ASSUME : STAGE_READY;
    return code;
}

/* --- the sign-in --------------------------------------------------------------------------------------- */

static int begin(struct aws_signin *signin, struct error *err)
{
    const struct aws_chain_options options = {.env = signin->env,
                                              .role_arn = signin->role_arn,
                                              .external_id = signin->external_id,
                                              .profile = signin->profile,
                                              .credentials_file = signin->credentials_file,
                                              .config_file = signin->config_file};
    forget_run(signin);
    int code = aws_chain_find(&options, signin->arena, &signin->plan, err);
    if (code)
        return code;
    signin->source = xstrdup(signin->plan.name);
    signin->stage = signin->plan.source == AWS_FROM_INSTANCE ? STAGE_TOKEN : STAGE_KEYS;
    if (signin->plan.source == AWS_FROM_KEYS) { /* the plan's become ours */
        signin->keys = signin->plan.keys;
        signin->plan.keys = (struct aws_credentials){0};
    }
    return 0;
}

static int next(void *state, const struct http_response *answer, const struct error *failure, int64_t wall_ns,
                enum signin_step *ret_step, struct http_request *ret_request, struct error *err)
{
    struct aws_signin *signin = state;
    int code = failure  ? not_answered(signin, failure, err)
               : answer ? take_answer(signin, answer, wall_ns, err)
                        : begin(signin, err);
    return code ? code : ask(signin, wall_ns, ret_step, ret_request, err);
}

static void token(const void *state, struct cloud_token *ret_token)
{
    const struct aws_signin *signin = state;
    *ret_token = (struct cloud_token){
        .secret = signin->keys.secret,
        .access_key_id = signin->keys.access_key_id,
        .session = signin->keys.session,
        .source = signin->source,
        .expires_wall_ns = signin->keys.expires_wall_ns,
    };
}

static void destroy(void *state)
{
    struct aws_signin *signin = state;
    forget_run(signin);
    arena_free(signin->arena);
    free(signin->region);
    free(signin->role_arn);
    free(signin->external_id);
    free(signin->profile);
    free(signin->credentials_file);
    free(signin->config_file);
    free(signin->sts_url);
    free(signin);
}

static char *copy(const char *text)
{
    return text ? xstrdup(text) : NULL;
}

struct signin *aws_signin_new(const struct aws_signin_options *options)
{
    static const struct signin_ops ops = {.next = next, .token = token, .free = destroy};
    struct aws_signin *signin = xcalloc(1, sizeof *signin);
    signin->region = xstrdup(options->region);
    signin->role_arn = copy(options->role_arn);
    signin->external_id = copy(options->external_id);
    signin->profile = copy(options->profile);
    signin->credentials_file = copy(options->credentials_file);
    signin->config_file = copy(options->config_file);
    signin->sts_url = copy(options->sts_url);
    signin->env = options->env ? options->env : env_get;
    signin->arena = arena_new(0);
    return signin_new(&ops, signin);
}
