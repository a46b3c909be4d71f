#include "lib/cloud/azure_signin.h"

#include "lib/cloud/jwt.h"
#include "lib/cloud/oauth.h"
#include "lib/core/crypto.h"
#include "lib/core/env.h"
#include "lib/core/file.h"
#include "lib/net/percent.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#define MACHINE_URL "http://169.254.169.254/metadata/identity/oauth2/token"
#define ASSERTION_S 600

enum phase { ASK_ISSUER, ASK_TOKEN, ASK_IDENTITY };

struct azure {
    char *scope;
    bool machine;
    struct azure_given given; /* in given_arena */
    struct arena *given_arena;
    struct arena *arena; /* of one run */
    enum phase phase;
    const char *tenant, *client, *token_url;
    const char *source, *identity;
    struct secret *token, *request_token; /* the second is what GitHub gave the job */
    int64_t expires;
    const char *url; /* of the request under way */
    struct buf body; /* the same */
    struct http_header headers[2];
};

int azure_cloud(const struct azure_cloud **ret_cloud, struct error *err)
{
    static const struct azure_cloud clouds[] = {
        {"public", "https://login.microsoftonline.com", "https://management.azure.com"},
        {"usgovernment", "https://login.microsoftonline.us", "https://management.usgovcloudapi.net"},
        {"china", "https://login.chinacloudapi.cn", "https://management.chinacloudapi.cn"},
    };
    const char *name = env_get("ARM_ENVIRONMENT");
    for (size_t i = 0; i < ARRAY_LEN(clouds); i++) {
        if (!name || strcasecmp(name, clouds[i].name) == 0) {
            *ret_cloud = &clouds[i];
            return 0;
        }
    }
    return error_set(err, ERR_CONFIG, "ARM_ENVIRONMENT is none of public, usgovernment and china");
}

/* The first of two variables that is set, and its name. */
static const char *either(const char *first, const char *second, const char **ret_name)
{
    const char *value = env_get(first);
    *ret_name = value ? first : second;
    return value ? value : env_get(second);
}

static bool is_on(const char *name)
{
    const char *value = env_get(name);
    return value && (strcasecmp(value, "true") == 0 || strcmp(value, "1") == 0);
}

/* A file that holds one line: a secret, an id, a token of another issuer. */
static int read_line(const char *variable, const char *path, struct secret **ret_secret, struct error *err)
{
    int code = secret_read_file(path, ret_secret, NULL, err);
    if (!code)
        return 0;
    (void)error_prefix(err, "%s", variable);
    if (err)
        err->code = ERR_CONFIG;
    return ERR_CONFIG;
}

/* --- what is asked --- */

static void begin_request(struct azure *azure, enum phase phase, const char *url)
{
    azure->phase = phase;
    azure->url = url;
    oauth_form_wipe(&azure->body);
}

static void begin_form(struct azure *azure)
{
    begin_request(azure, ASK_TOKEN, azure->token_url);
    oauth_form_begin(&azure->body);
    oauth_form_add(&azure->body, "grant_type", STR("client_credentials"));
    oauth_form_add(&azure->body, "client_id", str_from(azure->client));
    oauth_form_add(&azure->body, "scope", str_from(azure->scope));
}

static int end_form(struct azure *azure, struct http_request *ret_request, struct error *err)
{
    if (azure->body.failed)
        return error_set(err, ERR_LIMIT, "%s: what is to be sent is larger than %lu bytes", azure->source,
                         OAUTH_BODY_BYTES);
    azure->headers[0] = (struct http_header){"Content-Type", "application/x-www-form-urlencoded"};
    azure->headers[1] = (struct http_header){"Accept", "application/json"};
    *ret_request = (struct http_request){.method = "POST",
                                         .url = azure->url,
                                         .headers = azure->headers,
                                         .header_count = 2,
                                         .body = buf_str(&azure->body),
                                         .max_body_bytes = OAUTH_BODY_BYTES};
    return 0;
}

static int ask_with_assertion(struct azure *azure, struct str assertion, struct http_request *ret_request,
                              struct error *err)
{
    begin_form(azure);
    oauth_form_add(&azure->body, "client_assertion_type",
                   STR("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
    oauth_form_add(&azure->body, "client_assertion", assertion);
    return end_form(azure, ret_request, err);
}

static int sign_assertion(const struct azure *azure, const struct crypto_key *key, int64_t wall_ns,
                          struct secret **ret_jwt, struct error *err)
{
    /* Servers of the customer's own (AD FS) know the older form only. */
    bool adfs = strcmp(azure->tenant, "adfs") == 0;
    const struct jwt_header header = {.kind = adfs ? CRYPTO_RS256 : CRYPTO_PS256, .thumbprint = true};
    struct buf claims = BUF_INIT(8192);
    struct json_writer json;
    char id[CRYPTO_UUID_SIZE];
    crypto_uuid7(wall_ns, id);
    json_init(&json, &claims);
    json_object_begin(&json);
    json_kv_text(&json, "aud", azure->token_url);
    json_kv_text(&json, "iss", azure->client);
    json_kv_text(&json, "sub", azure->client);
    json_kv_text(&json, "jti", id);
    json_kv_i64(&json, "iat", wall_ns / NS_PER_S);
    json_kv_i64(&json, "nbf", wall_ns / NS_PER_S);
    json_kv_i64(&json, "exp", wall_ns / NS_PER_S + ASSERTION_S);
    json_object_end(&json);
    int code = jwt_sign(key, &header, buf_str(&claims), ret_jwt, err);
    buf_deinit(&claims);
    return code;
}

/* The certificate's bytes: a file's, or base64 in a variable. */
static int load_certificate(const char *variable, const char *value, bool is_path, struct buf *bytes,
                            struct error *err)
{
    if (is_path) {
        int code = file_read(value, bytes, err);
        if (!code)
            return 0;
        (void)error_prefix(err, "%s", variable);
        if (err)
            err->code = ERR_CONFIG;
        return ERR_CONFIG;
    }
    return crypto_base64_decode(str_from(value), bytes)
               ? 0
               : error_set(err, ERR_CONFIG, "%s is not base64", variable);
}

static int ask_with_certificate(struct azure *azure, const char *variable, const char *value, bool is_path,
                                int64_t wall_ns, struct http_request *ret_request, struct error *err)
{
    struct crypto_key *key CLEANUP(crypto_key_free_cleanup) = NULL;
    struct secret *jwt CLEANUP(secret_free_cleanup) = NULL;
    const char *name;
    const char *password =
        either("ARM_CLIENT_CERTIFICATE_PASSWORD", "AZURE_CLIENT_CERTIFICATE_PASSWORD", &name);
    struct buf bytes;
    azure->source = is_path ? arena_printf(azure->arena, "%s (%s)", variable, value) : variable;
    oauth_form_begin(&bytes);
    int code = load_certificate(variable, value, is_path, &bytes, err);
    if (!code && is_path && memmem(bytes.data, bytes.len, "-----BEGIN ", 11))
        azure->source = arena_printf(azure->arena, "%s (%s, PEM)", variable, value);
    if (!code) {
        code = crypto_key_read(buf_str(&bytes), password, &key, err);
        if (!code && crypto_key_not_after_s(key) && crypto_key_not_after_s(key) < wall_ns / NS_PER_S)
            code = error_set(err, ERR_CONFIG, "holds a certificate that has ended");
        if (!code)
            code = sign_assertion(azure, key, wall_ns, &jwt, err);
        if (code)
            (void)error_prefix(err, "%s: the certificate's file", azure->source);
    }
    oauth_form_wipe(&bytes);
    return code ? code : ask_with_assertion(azure, secret_reveal(jwt), ret_request, err);
}

static int ask_with_secret(struct azure *azure, const char *variable, struct str secret,
                           struct http_request *ret_request, struct error *err)
{
    azure->source = variable;
    begin_form(azure);
    oauth_form_add(&azure->body, "client_secret", secret);
    return end_form(azure, ret_request, err);
}

static int ask_with_secret_file(struct azure *azure, const char *name, const char *path,
                                struct http_request *ret_request, struct error *err)
{
    struct secret *secret CLEANUP(secret_free_cleanup) = NULL;
    int code = read_line(name, path, &secret, err);
    return code ? code : ask_with_secret(azure, name, secret_reveal(secret), ret_request, err);
}

static int ask_with_token_file(struct azure *azure, const char *name, const char *path,
                               struct http_request *ret_request, struct error *err)
{
    struct secret *line CLEANUP(secret_free_cleanup) = NULL;
    azure->source = arena_printf(azure->arena, "%s (%s)", name, path);
    int code = read_line(name, path, &line, err);
    return code ? code : ask_with_assertion(azure, secret_reveal(line), ret_request, err);
}

static int ask_issuer(struct azure *azure, const char *variable, const char *url, const char *token,
                      struct http_request *ret_request, struct error *err)
{
    if (!oauth_url_is_private(url))
        return error_set(err, ERR_CONFIG, "%s is not an https address, and a secret would be sent to it",
                         variable);
    azure->source = variable;
    azure->request_token = secret_new(str_from(token));
    begin_request(azure, ASK_ISSUER,
                  arena_printf(azure->arena, "%s%saudience=api%%3A%%2F%%2FAzureADTokenExchange", url,
                               strchr(url, '?') ? "&" : "?"));
    azure->headers[0] = (struct http_header){"Accept", "application/json"};
    *ret_request = (struct http_request){.url = azure->url,
                                         .headers = azure->headers,
                                         .header_count = 1,
                                         .bearer_token = azure->request_token,
                                         .max_body_bytes = OAUTH_BODY_BYTES};
    return 0;
}

static int ask_with_foreign_token(struct azure *azure, struct http_request *ret_request, struct error *err)
{
    const char *name, *url_name, *path, *url, *token;
    if ((token = env_get("ARM_OIDC_TOKEN"))) {
        azure->source = "ARM_OIDC_TOKEN";
        return ask_with_assertion(azure, str_from(token), ret_request, err);
    }
    if ((path = either("ARM_OIDC_TOKEN_FILE_PATH", "AZURE_FEDERATED_TOKEN_FILE", &name)))
        return ask_with_token_file(azure, name, path, ret_request, err);
    token = either("ARM_OIDC_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", &name);
    url = either("ARM_OIDC_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_URL", &url_name);
    if (token && url)
        return ask_issuer(azure, url_name, url, token, ret_request, err);
    if (env_get("SYSTEM_OIDCREQUESTURI"))
        return error_set(err, -ENOTSUP,
                         "the token of an Azure DevOps job is not supported: set ARM_OIDC_TOKEN, or "
                         "ARM_CLIENT_SECRET");
    (void)error_set(err, ERR_CONFIG,
                    "ARM_USE_OIDC is set, and neither ARM_OIDC_TOKEN, ARM_OIDC_TOKEN_FILE_PATH, "
                    "AZURE_FEDERATED_TOKEN_FILE nor the request of a GitHub job is");
    error_set_hint(err, "in a GitHub job: permissions: {id-token: write}");
    return ERR_CONFIG;
}

/* "https://management.azure.com/.default" is "https://management.azure.com" to a managed identity. */
static int ask_identity(struct azure *azure, const char *base, const char *version, const char *name,
                        const char *value, struct http_request *ret_request, struct error *err)
{
    struct str resource = str_from(azure->scope);
    struct buf url = BUF_INIT(8192);
    if (!oauth_url_is_local(base))
        return error_set(err, ERR_CONFIG,
                         "%s: the endpoint of the managed identity is neither https nor of "
                         "this machine",
                         azure->source);
    if (str_ends(resource, STR("/.default")))
        resource.len -= sizeof "/.default" - 1;
    buf_printf(&url, "%s%sapi-version=%s&resource=", base, strchr(base, '?') ? "&" : "?", version);
    percent_encode(&url, resource);
    if (azure->client) {
        buf_append_text(&url, "&client_id=");
        percent_encode(&url, str_from(azure->client));
    }
    begin_request(azure, ASK_IDENTITY, arena_strdup(azure->arena, buf_str(&url)));
    buf_deinit(&url);
    azure->headers[0] = (struct http_header){name, value};
    *ret_request = (struct http_request){
        .url = azure->url, .headers = azure->headers, .header_count = 1, .max_body_bytes = OAUTH_BODY_BYTES};
    return 0;
}

/* --- where credentials lie --- */

static bool is_id(const char *text)
{
    size_t length = 0;
    while (isalnum((unsigned char)text[length]) || (text[length] && strchr("-._", text[length])))
        length++;
    return length && !text[length] && strcmp(text, "..") != 0 && strcmp(text, ".") != 0;
}

static int find_client(struct azure *azure, struct error *err)
{
    const char *name, *path = env_get("ARM_CLIENT_ID_FILE_PATH");
    azure->client = either("ARM_CLIENT_ID", "AZURE_CLIENT_ID", &name);
    if (path && !env_get("ARM_CLIENT_ID")) {
        struct secret *line CLEANUP(secret_free_cleanup) = NULL;
        int code = read_line("ARM_CLIENT_ID_FILE_PATH", path, &line, err);
        if (code)
            return code;
        azure->client = arena_strdup(azure->arena, secret_reveal(line));
    }
    if (azure->client && !is_id(azure->client))
        return error_set(err, ERR_CONFIG, "%s is no client's id", name);
    return 0;
}

static int find_authority(struct azure *azure, struct error *err)
{
    const struct azure_cloud *cloud = NULL;
    int code = azure_cloud(&cloud, err);
    if (code)
        return code;
    const char *given = azure->given.authority;
    const char *host = given ? given : env_get("AZURE_AUTHORITY_HOST");
    const char *authority = host ? host : cloud->authority;
    if (!oauth_url_is_private(authority))
        return error_set(err, ERR_CONFIG, "%s is not an https address, and a secret would be sent to it",
                         given ? "the authority" : "AZURE_AUTHORITY_HOST");
    struct str base = str_from(authority);
    while (str_ends(base, STR("/")))
        base.len--;
    azure->token_url = arena_printf(azure->arena, "%.*s/%s/oauth2/v2.0/token", STR_ARGS(base), azure->tenant);
    return 0;
}

/* What a client needs beside its secret, its certificate or its foreign token. */
static int need_client(struct azure *azure, const char *what, struct error *err)
{
    const char *name;
    azure->tenant = either("ARM_TENANT_ID", "AZURE_TENANT_ID", &name);
    if (!azure->tenant || !azure->client)
        return error_set(err, ERR_CONFIG, "%s is set, and %s is not", what,
                         azure->tenant ? "ARM_CLIENT_ID" : "ARM_TENANT_ID");
    if (!is_id(azure->tenant))
        return error_set(err, ERR_CONFIG, "%s is neither a tenant's id nor its domain", name);
    return find_authority(azure, err);
}

/* Where the Azure CLI keeps its login; NULL when there is none. */
static const char *cli_login(const struct azure *azure)
{
    const char *home = env_get("HOME"), *folder = env_get("AZURE_CONFIG_DIR");
    if (!folder && !home)
        return NULL;
    const char *profile = folder ? arena_printf(azure->arena, "%s/azureProfile.json", folder)
                                 : arena_printf(azure->arena, "%s/.azure/azureProfile.json", home);
    return access(profile, F_OK) == 0 ? profile : NULL;
}

static int nothing_found(const struct azure *azure, const char *why, struct error *err)
{
    const char *cli = cli_login(azure);
    if (cli)
        (void)error_set(err, -ENOTSUP,
                        "the login of the Azure CLI (%s) can be read by the CLI only, and no other Azure "
                        "credentials are found",
                        cli);
    else
        (void)error_set(
            err, ERR_CONFIG,
            "no Azure credentials are found: neither a certificate (ARM_CLIENT_CERTIFICATE_PATH), a "
            "secret (ARM_CLIENT_SECRET), a token of another issuer (ARM_USE_OIDC, "
            "AZURE_FEDERATED_TOKEN_FILE) nor a managed identity (ARM_USE_MSI, IDENTITY_ENDPOINT%s%s)",
            why[0] ? ": " : "", why);
    error_set_hint(err, "az ad sp create-for-rbac --role Contributor --scopes /subscriptions/ID prints what "
                        "ARM_CLIENT_ID, ARM_CLIENT_SECRET and ARM_TENANT_ID are set to");
    return cli ? -ENOTSUP : ERR_CONFIG;
}

static int ask_managed(struct azure *azure, struct http_request *ret_request, struct error *err)
{
    const char *endpoint = env_get("IDENTITY_ENDPOINT"), *header = env_get("IDENTITY_HEADER");
    const char *machine = env_get("ARM_MSI_ENDPOINT");
    if (endpoint && env_get("IDENTITY_SERVER_THUMBPRINT"))
        return error_set(err, -ENOTSUP,
                         "the managed identity of Service Fabric is not supported: set "
                         "ARM_CLIENT_ID, ARM_CLIENT_SECRET and ARM_TENANT_ID");
    if (endpoint && !header && env_get("IMDS_ENDPOINT"))
        return error_set(err, -ENOTSUP,
                         "the managed identity of Azure Arc is not supported: set "
                         "ARM_CLIENT_ID, ARM_CLIENT_SECRET and ARM_TENANT_ID");
    if (endpoint && header) {
        azure->source = "managed identity (IDENTITY_ENDPOINT)";
        return ask_identity(azure, endpoint, "2019-08-01", "X-IDENTITY-HEADER", header, ret_request, err);
    }
    if (!is_on("ARM_USE_MSI") && !azure->machine)
        return nothing_found(azure, "", err);
    azure->source = "managed identity (metadata service)";
    return ask_identity(azure, machine ? machine : MACHINE_URL, "2018-02-01", "Metadata", "true", ret_request,
                        err);
}

/* What a configuration names goes before the environment, and instead of it. */
static int begin_given(struct azure *azure, int64_t wall_ns, struct http_request *ret_request,
                       struct error *err)
{
    const struct azure_given *given = &azure->given;
    azure->client = given->client;
    azure->tenant = given->tenant;
    if (!is_id(given->client))
        return error_set(err, ERR_CONFIG, "credentials.client is no client's id");
    if (!given->secret_file && !given->certificate_file && !given->token_file)
        return ask_managed(azure, ret_request, err);
    if (!given->tenant || !is_id(given->tenant))
        return error_set(err, ERR_CONFIG, "credentials.tenant is neither a tenant's id nor its domain");
    int code = find_authority(azure, err);
    if (code)
        return code;
    if (given->certificate_file)
        return ask_with_certificate(azure, "certificate_file", given->certificate_file, true, wall_ns,
                                    ret_request, err);
    if (given->secret_file)
        return ask_with_secret_file(azure, "secret_file", given->secret_file, ret_request, err);
    return ask_with_token_file(azure, "token_file", given->token_file, ret_request, err);
}

static int begin(struct azure *azure, int64_t wall_ns, struct http_request *ret_request, struct error *err)
{
    const char *name, *value;
    arena_reset(azure->arena);
    azure->identity = azure->tenant = NULL;
    secret_free(azure->request_token);
    azure->request_token = NULL;
    if (azure->given.client)
        return begin_given(azure, wall_ns, ret_request, err);
    int code = find_client(azure, err);
    if (code)
        return code;
    value = either("ARM_CLIENT_CERTIFICATE_PATH", "AZURE_CLIENT_CERTIFICATE_PATH", &name);
    bool is_path = value != NULL;
    if (value || (value = env_get("ARM_CLIENT_CERTIFICATE"))) {
        name = is_path ? name : "ARM_CLIENT_CERTIFICATE";
        code = need_client(azure, name, err);
        return code ? code : ask_with_certificate(azure, name, value, is_path, wall_ns, ret_request, err);
    }
    if ((value = either("ARM_CLIENT_SECRET", "AZURE_CLIENT_SECRET", &name))) {
        code = need_client(azure, name, err);
        return code ? code : ask_with_secret(azure, name, str_from(value), ret_request, err);
    }
    if ((value = env_get("ARM_CLIENT_SECRET_FILE_PATH"))) {
        code = need_client(azure, "ARM_CLIENT_SECRET_FILE_PATH", err);
        return code ? code
                    : ask_with_secret_file(azure, "ARM_CLIENT_SECRET_FILE_PATH", value, ret_request, err);
    }
    if (is_on("ARM_USE_OIDC") || is_on("ARM_USE_AKS_WORKLOAD_IDENTITY") ||
        env_get("AZURE_FEDERATED_TOKEN_FILE")) {
        code = need_client(azure, "a token of another issuer", err);
        return code ? code : ask_with_foreign_token(azure, ret_request, err);
    }
    return ask_managed(azure, ret_request, err);
}

/* --- the exchanges --- */

/* What the token says of itself. */
static const char *identity_of(const struct azure *azure, struct str token)
{
    static const char *const members[] = {"upn", "unique_name", "appid", "azp", "oid"};
    const struct node *claims = NULL;
    if (!jwt_claims(azure->arena, token, &claims))
        return azure->client ? arena_strdup(azure->arena, str_from(azure->client)) : NULL;
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        struct str text = node_text(claims, members[i]);
        bool fit = text.len > 0 && text.len < 200;
        for (size_t j = 0; fit && j < text.len; j++)
            fit = text.ptr[j] > 32 && text.ptr[j] < 127;
        if (fit)
            return arena_strdup(azure->arena, text);
    }
    return azure->client ? arena_strdup(azure->arena, str_from(azure->client)) : NULL;
}

static void hint_refusal(const struct azure *azure, struct error *err)
{
    if (!err)
        return;
    if (azure->phase == ASK_IDENTITY)
        error_set_hint(err, "az vm identity assign gives a machine its identity; ARM_CLIENT_ID chooses among "
                            "several");
    else if (strstr(err->message, "AADSTS7000222"))
        error_set_hint(err, "az ad app credential reset --id %s makes a new secret", azure->client);
    else if (strstr(err->message, "AADSTS7000215"))
        error_set_hint(err, "set ARM_CLIENT_SECRET to the secret's value, not to its id");
    else if (strstr(err->message, "AADSTS700016"))
        error_set_hint(err, "ARM_CLIENT_ID or ARM_TENANT_ID is another's: az ad app show --id %s",
                       azure->client);
    else if (strstr(err->message, "AADSTS9000") || strstr(err->message, "AADSTS90002"))
        error_set_hint(err, "az account show --query tenantId prints what ARM_TENANT_ID is");
    else
        error_set_hint(err, "az ad sp show --id %s shows whether it is there and enabled", azure->client);
}

static int take_issuer(struct azure *azure, const struct http_response *answer, int64_t wall_ns,
                       struct http_request *ret_request, struct error *err)
{
    struct oauth_answer got = {0};
    int code = oauth_answer_read(answer->status, answer->body, "value", wall_ns, &got, err);
    if (code)
        return error_prefix(err, "%s: the issuer of the job's token", azure->source);
    code = ask_with_assertion(azure, secret_reveal(got.token), ret_request, err);
    secret_free(got.token);
    return code;
}

static int azure_next(void *state, const struct http_response *answer, const struct error *failure,
                      int64_t wall_ns, enum signin_step *ret_step, struct http_request *ret_request,
                      struct error *err)
{
    struct azure *azure = state;
    struct oauth_answer got = {0};
    *ret_step = SIGNIN_SEND;
    if (!answer && !failure)
        return begin(azure, wall_ns, ret_request, err);
    if (failure && azure->phase == ASK_IDENTITY && !is_on("ARM_USE_MSI") && !env_get("IDENTITY_ENDPOINT"))
        return nothing_found(azure, failure->message, err);
    if (failure)
        return error_set(err, failure->code == ERR_LIMIT ? ERR_PEER : failure->code, "%s: %s: %s",
                         azure->source, azure->url, failure->message);
    if (azure->phase == ASK_ISSUER)
        return take_issuer(azure, answer, wall_ns, ret_request, err);
    /* 404 is what the metadata service answers while an identity is being attached. */
    int code = oauth_answer_read(answer->status, answer->body, "access_token", wall_ns, &got, err);
    if (code) {
        (void)error_prefix(err, "%s: %s", azure->source,
                           azure->phase == ASK_IDENTITY ? "its endpoint" : azure->url);
        if (code == ERR_AUTH)
            hint_refusal(azure, err);
        return code;
    }
    secret_free(azure->token);
    azure->token = got.token;
    azure->expires = got.expires_wall_ns;
    azure->identity = identity_of(azure, secret_reveal(got.token));
    oauth_form_wipe(&azure->body);
    *ret_step = SIGNIN_READY;
    return 0;
}

static void azure_token(const void *state, struct cloud_token *ret_token)
{
    const struct azure *azure = state;
    *ret_token = (struct cloud_token){.secret = azure->token,
                                      .source = azure->source,
                                      .identity = azure->identity,
                                      .expires_wall_ns = azure->expires};
}

static void azure_free(void *state)
{
    struct azure *azure = state;
    oauth_form_wipe(&azure->body);
    secret_free(azure->token);
    secret_free(azure->request_token);
    arena_free(azure->arena);
    arena_free(azure->given_arena);
    free(azure->scope);
    free(azure);
}

static const char *copy(struct azure *azure, const char *text)
{
    return text ? arena_strdup(azure->given_arena, str_from(text)) : NULL;
}

struct signin *azure_signin_given(const char *scope, const struct azure_given *given)
{
    static const struct signin_ops ops = {azure_next, azure_token, azure_free};
    struct azure *azure = xcalloc(1, sizeof *azure);
    azure->scope = xstrdup(scope);
    azure->machine = given->machine;
    azure->arena = arena_new(0);
    azure->given_arena = arena_new(0);
    azure->given = (struct azure_given){.authority = copy(azure, given->authority),
                                        .tenant = copy(azure, given->tenant),
                                        .client = copy(azure, given->client),
                                        .secret_file = copy(azure, given->secret_file),
                                        .certificate_file = copy(azure, given->certificate_file),
                                        .token_file = copy(azure, given->token_file)};
    return signin_new(&ops, azure);
}

struct signin *azure_signin_new(const char *scope, bool machine)
{
    return azure_signin_given(scope, &(struct azure_given){.machine = machine});
}
