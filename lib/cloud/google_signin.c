#include "lib/cloud/google_signin.h"

#include "lib/cloud/google_key.h"
#include "lib/cloud/jwt.h"
#include "lib/cloud/oauth.h"
#include "lib/core/env.h"
#include "lib/core/file.h"
#include "lib/net/percent.h"
#include "lib/net/retry.h"

#include <ctype.h>
#include <stdlib.h>
#include <unistd.h>

#define METADATA_HOST "metadata.google.internal"
#define ACCOUNT_PATH  "/computeMetadata/v1/instance/service-accounts/default/"
#define HOP_BASE      "https://iamcredentials.googleapis.com/v1/"
#define LIFETIME_S    3600

enum phase { ASK_SUBJECT, ASK_TOKEN, ASK_METADATA, ASK_EMAIL, ASK_HOP };

struct google {
    char *scope;
    char *path;          /* of the only file to be looked at; NULL: wherever credentials may lie */
    struct arena *arena; /* of one run */
    struct google_key key;
    enum phase phase;
    size_t hop;                  /* the next to be asked for */
    struct secret *work, *token; /* being made; made */
    int64_t work_expires, expires;
    const char *source, *identity, *host; /* host of the metadata server */
    const char *url;                      /* of the request under way */
    struct buf body;                      /* the same */
    struct http_header headers[2];
};

/* --- what is asked --- */

static void begin_request(struct google *google, enum phase phase, const char *url)
{
    google->phase = phase;
    google->url = url;
    oauth_form_wipe(&google->body);
}

static void post(struct google *google, const char *content_type, struct http_request *ret_request)
{
    google->headers[0] = (struct http_header){"Content-Type", content_type};
    google->headers[1] = (struct http_header){"Accept", "application/json"};
    *ret_request = (struct http_request){.method = "POST",
                                         .url = google->url,
                                         .headers = google->headers,
                                         .header_count = 2,
                                         .body = buf_str(&google->body),
                                         .max_body_bytes = OAUTH_BODY_BYTES};
}

static int post_form(struct google *google, struct http_request *ret_request, struct error *err)
{
    if (google->body.failed)
        return error_set(err, ERR_LIMIT, "%s: what is to be sent is larger than %lu bytes", google->source,
                         OAUTH_BODY_BYTES);
    post(google, "application/x-www-form-urlencoded", ret_request);
    return 0;
}

/* The first token of a chain must be good for asking for the next one. */
static const char *scope_of(const struct google *google)
{
    return google->key.hop_count ? GOOGLE_SCOPE_ALL : google->scope;
}

static int sign_grant(struct google *google, int64_t wall_ns, struct secret **ret_jwt, struct error *err)
{
    const struct google_key *key = &google->key;
    struct crypto_key *private_key CLEANUP(crypto_key_free_cleanup) = NULL;
    const struct jwt_header header = {.kind = CRYPTO_RS256, .key_id = key->key_id};
    struct buf claims = BUF_INIT(16384);
    struct json_writer json;
    json_init(&json, &claims);
    json_object_begin(&json);
    json_kv_text(&json, "iss", key->client_email);
    json_kv_text(&json, "scope", scope_of(google));
    json_kv_text(&json, "aud", key->token_url);
    json_kv_i64(&json, "iat", wall_ns / NS_PER_S);
    json_kv_i64(&json, "exp", wall_ns / NS_PER_S + LIFETIME_S);
    json_object_end(&json);
    int code = crypto_key_read(secret_reveal(key->secret), NULL, &private_key, err);
    if (!code)
        code = jwt_sign(private_key, &header, buf_str(&claims), ret_jwt, err);
    buf_deinit(&claims);
    return code ? error_prefix(err, "%s: its private key", google->source) : 0;
}

static int ask_with_key(struct google *google, int64_t wall_ns, struct http_request *ret_request,
                        struct error *err)
{
    struct secret *jwt CLEANUP(secret_free_cleanup) = NULL;
    int code = sign_grant(google, wall_ns, &jwt, err);
    if (code)
        return code;
    begin_request(google, ASK_TOKEN, google->key.token_url);
    oauth_form_begin(&google->body);
    oauth_form_add(&google->body, "grant_type", STR("urn:ietf:params:oauth:grant-type:jwt-bearer"));
    oauth_form_add(&google->body, "assertion", secret_reveal(jwt));
    return post_form(google, ret_request, err);
}

static int ask_with_refresh_token(struct google *google, struct http_request *ret_request, struct error *err)
{
    begin_request(google, ASK_TOKEN, google->key.token_url);
    oauth_form_begin(&google->body);
    oauth_form_add(&google->body, "grant_type", STR("refresh_token"));
    oauth_form_add(&google->body, "client_id", str_from(google->key.client_id));
    oauth_form_add(&google->body, "client_secret", secret_reveal(google->key.secret));
    oauth_form_add(&google->body, "refresh_token", secret_reveal(google->key.refresh_token));
    return post_form(google, ret_request, err);
}

static int ask_with_subject(struct google *google, struct str subject, struct http_request *ret_request,
                            struct error *err)
{
    const struct google_key *key = &google->key;
    struct str token_type = STR("urn:ietf:params:oauth:token-type:access_token");
    begin_request(google, ASK_TOKEN, key->token_url);
    oauth_form_begin(&google->body);
    oauth_form_add(&google->body, "grant_type", STR("urn:ietf:params:oauth:grant-type:token-exchange"));
    oauth_form_add(&google->body, "audience", str_from(key->audience));
    oauth_form_add(&google->body, "scope", str_from(scope_of(google)));
    oauth_form_add(&google->body, "requested_token_type", token_type);
    oauth_form_add(&google->body, "subject_token_type", str_from(key->subject_type));
    oauth_form_add(&google->body, "subject_token", subject);
    if (key->user_project && !key->client_id) {
        struct buf options = BUF_INIT(4096);
        struct json_writer json;
        json_init(&json, &options);
        json_object_begin(&json);
        json_kv_text(&json, "userProject", key->user_project);
        json_object_end(&json);
        oauth_form_add(&google->body, "options", buf_str(&options));
        buf_deinit(&options);
    }
    int code = post_form(google, ret_request, err);
    if (key->client_id) {
        ret_request->basic_user = key->client_id;
        ret_request->basic_password = key->secret;
    }
    return code;
}

/* Takes the subject's token out of what a file or a URL held. */
static int use_subject(struct google *google, struct str text, struct http_request *ret_request,
                       struct error *err)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    const struct google_key *key = &google->key;
    struct node *root = NULL;
    struct str subject = str_trim(text);
    if (key->subject_member)
        subject = json_parse(arena, text, &root, NULL) ? STR("") : node_text(root, key->subject_member);
    int code;
    if (subject.len && subject.len <= SECRET_MAX_BYTES / 2)
        code = ask_with_subject(google, subject, ret_request, err);
    else
        code =
            error_set(err, ERR_CONFIG, "%s: no subject token is found in %s%s%s", google->source,
                      key->subject_file ? key->subject_file : key->subject_url,
                      key->subject_member ? " under " : "", key->subject_member ? key->subject_member : "");
    oauth_tree_wipe(root);
    return code;
}

static int ask_external(struct google *google, struct http_request *ret_request, struct error *err)
{
    const struct google_key *key = &google->key;
    if (key->subject_url) {
        begin_request(google, ASK_SUBJECT, key->subject_url);
        *ret_request = (struct http_request){.url = key->subject_url,
                                             .headers = key->subject_headers,
                                             .header_count = key->subject_header_count,
                                             .max_body_bytes = OAUTH_BODY_BYTES};
        return 0;
    }
    struct buf bytes;
    oauth_form_begin(&bytes);
    int code = file_read(key->subject_file, &bytes, err);
    if (code) {
        (void)error_prefix(err, "%s", google->source);
        code = ERR_CONFIG;
        if (err)
            err->code = code;
    } else {
        code = use_subject(google, buf_str(&bytes), ret_request, err);
    }
    oauth_form_wipe(&bytes);
    return code;
}

static int ask_with_file(struct google *google, int64_t wall_ns, struct http_request *ret_request,
                         struct error *err)
{
    if (google->key.kind == GOOGLE_SERVICE_ACCOUNT)
        return ask_with_key(google, wall_ns, ret_request, err);
    if (google->key.kind == GOOGLE_AUTHORIZED_USER)
        return ask_with_refresh_token(google, ret_request, err);
    return ask_external(google, ret_request, err);
}

static int ask_metadata(struct google *google, enum phase phase, struct http_request *ret_request)
{
    struct buf scope = BUF_INIT(8192);
    percent_encode(&scope, str_from(scope_of(google)));
    begin_request(google, phase,
                  phase == ASK_EMAIL
                      ? arena_printf(google->arena, "http://%s" ACCOUNT_PATH "email", google->host)
                      : arena_printf(google->arena, "http://%s" ACCOUNT_PATH "token?scopes=%s", google->host,
                                     buf_text(&scope)));
    google->headers[0] = (struct http_header){"Metadata-Flavor", "Google"};
    *ret_request = (struct http_request){.url = google->url,
                                         .headers = google->headers,
                                         .header_count = 1,
                                         .max_body_bytes = OAUTH_BODY_BYTES};
    buf_deinit(&scope);
    return 0;
}

static void ask_hop(struct google *google, struct http_request *ret_request)
{
    const struct google_hop *hop = &google->key.hops[google->hop++];
    bool last = google->hop == google->key.hop_count;
    struct json_writer json;
    begin_request(google, ASK_HOP, hop->url);
    oauth_form_begin(&google->body);
    json_init(&json, &google->body);
    json_object_begin(&json);
    json_key(&json, "delegates");
    json_raw(&json, str_from(hop->delegates));
    json_key(&json, "scope");
    json_array_begin(&json);
    const char *at = last ? google->scope : GOOGLE_SCOPE_ALL;
    while (*at) {
        size_t length = strcspn(at, " ");
        if (length)
            json_str(&json, (struct str){at, length});
        at += length + (at[length] == ' ');
    }
    json_array_end(&json);
    json_kv_text(&json, "lifetime", arena_printf(google->arena, "%llds", (long long)hop->lifetime_s));
    json_object_end(&json);
    post(google, "application/json", ret_request);
    ret_request->bearer_token = google->work;
    google->identity = hop->account;
}

/* --- where credentials lie --- */

static int read_key(struct google *google, const char *variable, const char *path, struct error *err)
{
    struct buf bytes;
    oauth_form_begin(&bytes);
    google->source = arena_printf(google->arena, "%s (%s)", variable, path);
    int code = file_read(path, &bytes, err);
    if (code) {
        (void)error_prefix(err, "%s", variable);
        error_set_hint(err, "name a file that can be read in %s, or unset it", variable);
        code = ERR_CONFIG;
        if (err)
            err->code = code;
    } else {
        code = google_key_read(google->arena, buf_str(&bytes), path, &google->key, err);
    }
    oauth_form_wipe(&bytes);
    return code;
}

/* gcloud's own file; false when there is none. */
static bool well_known(struct google *google, const char **ret_path)
{
    const char *folder = env_get("CLOUDSDK_CONFIG"), *home = env_get("HOME");
    if (!folder && !home)
        return false;
    const char *name = "application_default_credentials.json";
    *ret_path = folder ? arena_printf(google->arena, "%s/%s", folder, name)
                       : arena_printf(google->arena, "%s/.config/gcloud/%s", home, name);
    return access(*ret_path, F_OK) == 0;
}

static int use_given_token(struct google *google, const char *text, struct error *err)
{
    for (const char *at = text; *at; at++) {
        if (!isgraph((unsigned char)*at))
            return error_set(err, ERR_CONFIG, "GOOGLE_OAUTH_ACCESS_TOKEN holds something that is no token");
    }
    google->source = "GOOGLE_OAUTH_ACCESS_TOKEN";
    google->work = secret_new(str_from(text));
    return 0;
}

static int add_impersonation(struct google *google, struct error *err)
{
    const char *account = env_get("GOOGLE_IMPERSONATE_SERVICE_ACCOUNT");
    const char *base = env_get("GOOGLE_IAM_CREDENTIALS_CUSTOM_ENDPOINT");
    if (!account)
        return 0;
    if (strspn(account, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._@") !=
        strlen(account))
        return error_set(err, ERR_CONFIG, "GOOGLE_IMPERSONATE_SERVICE_ACCOUNT is no e-mail of an account");
    struct str url =
        str_from(arena_printf(google->arena, "%sprojects/-/serviceAccounts/%s:generateAccessToken",
                              base ? base : HOP_BASE, account));
    int code = google_key_add_hop(google->arena, &google->key, url, "[]", LIFETIME_S, err);
    return code ? error_prefix(err, "GOOGLE_IMPERSONATE_SERVICE_ACCOUNT") : 0;
}

/* *ret_file false: none of the files and variables is there. */
static int find_file(struct google *google, bool *ret_file, struct error *err)
{
    static const char *const variables[] = {"GOOGLE_CREDENTIALS", "GOOGLE_CLOUD_KEYFILE_JSON",
                                            "GCLOUD_KEYFILE_JSON"};
    const char *path;
    *ret_file = true;
    for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
        const char *value = env_get(variables[i]);
        if (!value)
            continue;
        if (str_trim(str_from(value)).ptr[0] != '{')
            return read_key(google, variables[i], value, err);
        google->source = variables[i];
        return google_key_read(google->arena, str_from(value), variables[i], &google->key, err);
    }
    if ((path = env_get("GOOGLE_APPLICATION_CREDENTIALS")))
        return read_key(google, "GOOGLE_APPLICATION_CREDENTIALS", path, err);
    if (well_known(google, &path))
        return read_key(google, "gcloud's login", path, err);
    *ret_file = false;
    return 0;
}

static int find_metadata(struct google *google, struct error *err)
{
    const char *host = env_get("GCE_METADATA_HOST");
    google->host = host ? host : METADATA_HOST;
    for (const char *at = google->host; *at; at++) {
        if (!isalnum((unsigned char)*at) && !strchr(".-:[]", *at))
            return error_set(err, ERR_CONFIG, "GCE_METADATA_HOST is no host");
    }
    google->source = arena_printf(google->arena, "metadata server %s", google->host);
    return 0;
}

static int nothing_found(struct google *google, const char *why, struct error *err)
{
    const char *path = NULL;
    (void)well_known(google, &path);
    (void)error_set(
        err, ERR_CONFIG,
        "no Google credentials are found: neither in GOOGLE_OAUTH_ACCESS_TOKEN, GOOGLE_CREDENTIALS "
        "nor GOOGLE_APPLICATION_CREDENTIALS, nor in %s, nor at the metadata server %s (%s)",
        path ? path : "gcloud's folder (HOME is not set)", google->host, why);
    error_set_hint(err, "run gcloud auth application-default login, or name a service account's key in "
                        "GOOGLE_APPLICATION_CREDENTIALS");
    return ERR_CONFIG;
}

/* --- the exchanges --- */

/* A token is there: the next hop, or the end. */
static int go_on(struct google *google, enum signin_step *ret_step, struct http_request *ret_request)
{
    if (google->hop < google->key.hop_count) {
        ask_hop(google, ret_request);
        *ret_step = SIGNIN_SEND;
        return 0;
    }
    secret_free(google->token);
    google->token = TAKE(google->work);
    google->expires = google->work_expires;
    oauth_form_wipe(&google->body);
    google_key_deinit(&google->key); /* a key is read anew each time: it may have been changed */
    *ret_step = SIGNIN_READY;
    return 0;
}

static int begin(struct google *google, int64_t wall_ns, enum signin_step *ret_step,
                 struct http_request *ret_request, struct error *err)
{
    google_key_deinit(&google->key);
    secret_free(google->work);
    google->work = NULL;
    google->work_expires = 0;
    google->hop = 0;
    google->identity = google->host = NULL;
    arena_reset(google->arena);
    const char *given = google->path ? NULL : env_get("GOOGLE_OAUTH_ACCESS_TOKEN");
    bool file = google->path != NULL;
    int code = file    ? read_key(google, "credentials_file", google->path, err)
               : given ? use_given_token(google, given, err)
                       : find_file(google, &file, err);
    if (!code && !given && !file)
        code = find_metadata(google, err);
    if (!code && !google->path)
        code = add_impersonation(google, err);
    if (code)
        return code;
    if (google->work)
        return go_on(google, ret_step, ret_request);
    *ret_step = SIGNIN_SEND;
    if (!file)
        return ask_metadata(google, ASK_METADATA, ret_request);
    google->identity = google->key.client_email;
    return ask_with_file(google, wall_ns, ret_request, err);
}

static void hint_refusal(const struct google *google, struct error *err)
{
    if (google->phase == ASK_HOP)
        error_set_hint(err,
                       "gcloud iam service-accounts add-iam-policy-binding %s --role=roles/"
                       "iam.serviceAccountTokenCreator --member=MEMBER",
                       google->identity ? google->identity : "ACCOUNT");
    else if (google->key.kind == GOOGLE_AUTHORIZED_USER)
        error_set_hint(err, "gcloud auth application-default login");
    else if (google->key.kind == GOOGLE_SERVICE_ACCOUNT)
        error_set_hint(err,
                       "gcloud iam service-accounts keys list --iam-account=%s shows whether the key "
                       "is still valid; the clock must be right, too",
                       google->key.client_email);
}

static int take_token(struct google *google, const struct http_response *answer, int64_t wall_ns,
                      struct error *err)
{
    struct oauth_answer got = {0};
    const char *member = google->phase == ASK_HOP ? "accessToken" : "access_token";
    int code = oauth_answer_read(answer->status, answer->body, member, wall_ns, &got, err);
    if (code) {
        (void)error_prefix(err, "%s: %s", google->source, google->url);
        if (code == ERR_AUTH)
            hint_refusal(google, err);
        return code;
    }
    secret_free(google->work);
    google->work = got.token;
    google->work_expires = got.expires_wall_ns;
    return 0;
}

static int take_metadata(struct google *google, const struct http_response *answer, int64_t wall_ns,
                         struct error *err)
{
    const char *flavor = http_response_header(answer, "Metadata-Flavor");
    bool passing = retry_status_passes(answer->status);
    if (!passing && (!flavor || strcmp(flavor, "Google") != 0))
        return nothing_found(google, "what answers there is not Google's", err);
    if (answer->status == 404)
        return nothing_found(google, "this machine has no service account", err);
    return take_token(google, answer, wall_ns, err);
}

/* Who we are is good to know and no more. */
static void take_email(struct google *google, const struct http_response *answer)
{
    const char *flavor = answer ? http_response_header(answer, "Metadata-Flavor") : NULL;
    struct str text = answer ? str_trim(answer->body) : STR("");
    bool fit = flavor && strcmp(flavor, "Google") == 0 && answer->status == 200 && text.len && text.len < 256;
    for (size_t i = 0; fit && i < text.len; i++)
        fit = isgraph((unsigned char)text.ptr[i]);
    if (fit)
        google->identity = arena_strdup(google->arena, text);
}

static int unsent(struct google *google, const struct error *failure, struct error *err)
{
    if (google->phase == ASK_METADATA)
        return nothing_found(google, failure->message, err);
    return error_set(err, failure->code == ERR_LIMIT ? ERR_PEER : failure->code, "%s: %s: %s", google->source,
                     google->url, failure->message);
}

static int google_next(void *state, const struct http_response *answer, const struct error *failure,
                       int64_t wall_ns, enum signin_step *ret_step, struct http_request *ret_request,
                       struct error *err)
{
    struct google *google = state;
    int code = 0;
    if (!answer && !failure)
        return begin(google, wall_ns, ret_step, ret_request, err);
    if (failure && google->phase != ASK_EMAIL)
        return unsent(google, failure, err);
    *ret_step = SIGNIN_SEND;
    switch (google->phase) {
    case ASK_SUBJECT:
        if (answer->status == 200)
            return use_subject(google, answer->body, ret_request, err);
        (void)oauth_refusal(answer->status, answer->body, err);
        return error_prefix(err, "%s: %s", google->source, google->url);
    case ASK_METADATA:
        code = take_metadata(google, answer, wall_ns, err);
        return code ? code : ask_metadata(google, ASK_EMAIL, ret_request);
    case ASK_EMAIL:
        take_email(google, answer);
        break;
    case ASK_TOKEN:
    case ASK_HOP:
        code = take_token(google, answer, wall_ns, err);
        break;
    }
    return code ? code : go_on(google, ret_step, ret_request);
}

static void google_token(const void *state, struct cloud_token *ret_token)
{
    const struct google *google = state;
    *ret_token = (struct cloud_token){.secret = google->token,
                                      .source = google->source,
                                      .identity = google->identity,
                                      .expires_wall_ns = google->expires};
}

static void google_free(void *state)
{
    struct google *google = state;
    google_key_deinit(&google->key);
    oauth_form_wipe(&google->body);
    secret_free(google->work);
    secret_free(google->token);
    arena_free(google->arena);
    free(google->scope);
    free(google->path);
    free(google);
}

struct signin *google_signin_new(const char *scope)
{
    return google_signin_with_file(scope, NULL);
}

struct signin *google_signin_with_file(const char *scope, const char *path)
{
    static const struct signin_ops ops = {google_next, google_token, google_free};
    struct google *google = xcalloc(1, sizeof *google);
    google->scope = xstrdup(scope);
    google->path = path ? xstrdup(path) : NULL;
    google->arena = arena_new(0);
    return signin_new(&ops, google);
}
