#include "lib/cloud/google_key.h"

#include "lib/cloud/oauth.h"

#include <ctype.h>
#include <errno.h>

#define TOKEN_URL  "https://oauth2.googleapis.com/token"
#define LIFETIME_S 3600

/* Reading of one file: its name for messages, and where texts are kept. */
struct reading {
    struct arena *arena;
    const char *path;
    struct google_key *key;
    unsigned depth; /* credentials inside credentials */
    struct error *err;
};

static int refuse(const struct reading *reading, const char *sentence)
{
    return error_set(reading->err, ERR_CONFIG, "%s %s", reading->path, sentence);
}

/* What Google's own programs could use. */
static int cannot(const struct reading *reading, const char *sentence)
{
    return error_set(reading->err, -ENOTSUP, "%s %s", reading->path, sentence);
}

/* A text that must be there. */
static int need(const struct reading *reading, const struct node *node, const char *member,
                const char **ret_text)
{
    struct str text = node_text(node, member);
    if (!text.len)
        return error_set(reading->err, ERR_CONFIG, "%s lacks \"%s\"", reading->path, member);
    *ret_text = arena_strdup(reading->arena, text);
    return 0;
}

static const char *text_or(const struct reading *reading, const struct node *node, const char *member,
                           const char *otherwise)
{
    struct str text = node_text(node, member);
    return text.len ? arena_strdup(reading->arena, text) : otherwise;
}

static int need_secret(const struct reading *reading, const struct node *node, const char *member,
                       struct secret **ret_secret)
{
    struct str text = node_text(node, member);
    if (!text.len)
        return error_set(reading->err, ERR_CONFIG, "%s lacks \"%s\"", reading->path, member);
    secret_free(*ret_secret);
    *ret_secret = secret_new(text);
    return 0;
}

static int need_private_url(const struct reading *reading, const char *member, const char *url)
{
    if (oauth_url_is_private(url))
        return 0;
    return error_set(reading->err, ERR_CONFIG,
                     "%s: \"%s\" is not an https address, and a secret would be sent "
                     "to it",
                     reading->path, member);
}

/* Of Google, or of this machine. A file that others wrote must not name where to another file's content, or a
 * token got with it, is sent. */
static int need_google_url(const struct reading *reading, const char *member, const char *url)
{
    int code = need_private_url(reading, member, url);
    if (code || oauth_url_is_google(url))
        return code;
    return error_set(reading->err, ERR_CONFIG,
                     "%s: \"%s\" is not an address of googleapis.com, and a token would be sent to it",
                     reading->path, member);
}

/* An account's e-mail is shown, and becomes part of commands that are. */
static bool is_account(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!isalnum((unsigned char)text.ptr[i]) && !strchr("-._@+", text.ptr[i]))
            return false;
    }
    return text.len > 0 && text.len < 256;
}

/* "https://.../serviceAccounts/NAME:generateAccessToken" */
static const char *account_of(struct arena *arena, struct str url)
{
    static const char before[] = "/serviceAccounts/";
    const char *at = memmem(url.ptr, url.len, before, sizeof before - 1);
    if (!at)
        return NULL;
    at += sizeof before - 1;
    size_t length = 0, left = url.len - (size_t)(at - url.ptr);
    while (length < left && !strchr(":/?#", at[length]))
        length++;
    return is_account((struct str){at, length}) ? arena_strdup(arena, (struct str){at, length}) : NULL;
}

int google_key_add_hop(struct arena *arena, struct google_key *key, struct str url, const char *delegates,
                       int64_t lifetime_s, struct error *err)
{
    if (key->hop_count == GOOGLE_HOPS_MAX)
        return error_set(err, ERR_CONFIG, "more than %d service accounts are impersonated one after another",
                         GOOGLE_HOPS_MAX);
    struct google_hop *hop = &key->hops[key->hop_count];
    *hop = (struct google_hop){.url = arena_strdup(arena, url),
                               .account = account_of(arena, url),
                               .delegates = delegates,
                               .lifetime_s = lifetime_s};
    if (!oauth_url_is_private(hop->url))
        return error_set(err, ERR_CONFIG, "the address of a service account to impersonate is not https");
    key->hop_count++;
    return 0;
}

static int add_hop(const struct reading *reading, const struct node *node, const struct node *delegates,
                   int64_t lifetime_s)
{
    struct buf list = BUF_INIT(GOOGLE_KEY_BYTES);
    struct json_writer json;
    int code = need_google_url(reading, "service_account_impersonation_url",
                               text_or(reading, node, "service_account_impersonation_url", ""));
    if (code)
        return code;
    json_init(&json, &list);
    json_array_begin(&json);
    for (size_t i = 0; delegates && delegates->kind == NODE_SEQUENCE && i < delegates->count; i++)
        json_str(&json, delegates->items[i]->scalar);
    json_array_end(&json);
    code =
        google_key_add_hop(reading->arena, reading->key, node_text(node, "service_account_impersonation_url"),
                           arena_strdup(reading->arena, buf_str(&list)), lifetime_s, reading->err);
    buf_deinit(&list);
    return code ? error_prefix(reading->err, "%s", reading->path) : 0;
}

static int read_service_account(const struct reading *reading, const struct node *node)
{
    struct google_key *key = reading->key;
    key->kind = GOOGLE_SERVICE_ACCOUNT;
    key->token_url = text_or(reading, node, "token_uri", TOKEN_URL);
    key->key_id = text_or(reading, node, "private_key_id", NULL);
    int code = need(reading, node, "client_email", &key->client_email);
    if (!code && !is_account(str_from(key->client_email)))
        code = refuse(reading, "has a \"client_email\" that is none");
    if (!code)
        code = need_secret(reading, node, "private_key", &key->secret);
    return code ? code : need_private_url(reading, "token_uri", key->token_url);
}

static int read_user(const struct reading *reading, const struct node *node)
{
    struct google_key *key = reading->key;
    key->kind = GOOGLE_AUTHORIZED_USER;
    key->token_url = text_or(reading, node, "token_uri", TOKEN_URL);
    int code = need(reading, node, "client_id", &key->client_id);
    if (!code)
        code = need_secret(reading, node, "client_secret", &key->secret);
    if (!code)
        code = need_secret(reading, node, "refresh_token", &key->refresh_token);
    return code ? code : need_private_url(reading, "token_uri", key->token_url);
}

static bool is_header_text(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < 32 || text.ptr[i] > 126)
            return false;
    }
    return true;
}

static int read_headers(const struct reading *reading, const struct node *headers)
{
    struct google_key *key = reading->key;
    key->subject_header_count = 0;
    if (!headers)
        return 0;
    if (headers->kind != NODE_MAPPING || headers->count > GOOGLE_HEADERS_MAX)
        return refuse(reading, "has a \"credential_source\" with headers that cannot be sent");
    for (size_t i = 0; i < headers->count; i++) {
        const struct node_pair *pair = &headers->pairs[i];
        if (!pair->key.len || pair->value->kind != NODE_SCALAR || !is_header_text(pair->key) ||
            memchr(pair->key.ptr, ':', pair->key.len) || !is_header_text(pair->value->scalar))
            return refuse(reading, "has a \"credential_source\" with headers that cannot be sent");
        key->subject_headers[key->subject_header_count++] = (struct http_header){
            arena_strdup(reading->arena, pair->key), arena_strdup(reading->arena, pair->value->scalar)};
    }
    return 0;
}

static int read_source(const struct reading *reading, const struct node *source)
{
    struct google_key *key = reading->key;
    if (node_find(source, "executable"))
        return cannot(reading, "takes its subject token from an executable, which is not supported: let it "
                               "write a file, or use a service account");
    if (node_text(source, "environment_id").len)
        return cannot(reading,
                      "takes its subject token from AWS, which is not supported: use a file or a URL as "
                      "its source, or a service account");
    if (node_find(source, "certificate"))
        return cannot(reading, "takes its subject token from a certificate, which is not supported");
    key->subject_file = text_or(reading, source, "file", NULL);
    key->subject_url = text_or(reading, source, "url", NULL);
    if (!key->subject_file == !key->subject_url)
        return refuse(reading, "has a \"credential_source\" that names neither a file nor a URL, or both");
    if (key->subject_url && !oauth_url_is_local(key->subject_url))
        return refuse(reading, "has a \"credential_source\" whose URL is neither https nor of this machine");
    const struct node *format = node_member(source, "format");
    struct str type = node_text(format, "type");
    key->subject_member = NULL;
    if (str_equal(type, STR("json"))) {
        int code = need(reading, format, "subject_token_field_name", &key->subject_member);
        if (code)
            return code;
    } else if (type.len && !str_equal(type, STR("text"))) {
        return refuse(reading, "has a \"credential_source\" with a format that is neither text nor json");
    }
    return read_headers(reading, node_member(source, "headers"));
}

static int read_external(const struct reading *reading, const struct node *node)
{
    struct google_key *key = reading->key;
    uint64_t lifetime = LIFETIME_S;
    key->kind = GOOGLE_EXTERNAL_ACCOUNT;
    key->client_id = text_or(reading, node, "client_id", NULL);
    key->user_project = text_or(reading, node, "workforce_pool_user_project", NULL);
    int code = need(reading, node, "audience", &key->audience);
    if (!code)
        code = need(reading, node, "subject_token_type", &key->subject_type);
    if (!code)
        code = need(reading, node, "token_url", &key->token_url);
    if (!code)
        code = need_google_url(reading, "token_url", key->token_url);
    if (!code && key->client_id)
        code = need_secret(reading, node, "client_secret", &key->secret);
    if (!code)
        code = read_source(reading, node_member(node, "credential_source"));
    if (code || !node_text(node, "service_account_impersonation_url").len)
        return code;
    struct str text = node_text(node_member(node, "service_account_impersonation"), "token_lifetime_seconds");
    if (text.len && (!str_to_u64(text, &lifetime) || lifetime < 600 || lifetime > 43200))
        return refuse(reading, "asks for a token that lives less than 600 or more than 43200 seconds");
    return add_hop(reading, node, NULL, (int64_t)lifetime);
}

static int read_credentials(struct reading *reading, const struct node *node);

static int read_impersonated(struct reading *reading, const struct node *node)
{
    const struct node *source = node_member(node, "source_credentials");
    if (!source || source->kind != NODE_MAPPING)
        return refuse(reading, "lacks \"source_credentials\"");
    if (!node_text(node, "service_account_impersonation_url").len)
        return refuse(reading, "lacks \"service_account_impersonation_url\"");
    if (++reading->depth > GOOGLE_HOPS_MAX)
        return refuse(reading, "nests credentials deeper than can be followed");
    int code = read_credentials(reading, source);
    return code ? code : add_hop(reading, node, node_member(node, "delegates"), LIFETIME_S);
}

static int read_credentials(struct reading *reading, const struct node *node)
{
    struct str type = node_text(node, "type"), universe = node_text(node, "universe_domain");
    if (universe.len && !str_equal(universe, STR("googleapis.com")))
        return cannot(reading, "belongs to a universe other than googleapis.com, which is not supported");
    if (str_equal(type, STR("service_account")))
        return read_service_account(reading, node);
    if (str_equal(type, STR("authorized_user")))
        return read_user(reading, node);
    if (str_equal(type, STR("external_account")))
        return read_external(reading, node);
    if (str_equal(type, STR("impersonated_service_account")))
        return read_impersonated(reading, node);
    if (str_equal(type, STR("external_account_authorized_user")))
        return cannot(reading, "is a workforce login, which is not supported: use gcloud auth "
                               "application-default login --impersonate-service-account, or a key");
    if (!type.len)
        return refuse(reading, "lacks \"type\": it is no credential file of Google's");
    return cannot(reading, "is of a type that is not supported: service_account, authorized_user, "
                           "external_account and impersonated_service_account are");
}

int google_key_read(struct arena *arena, struct str bytes, const char *path, struct google_key *ret_key,
                    struct error *err)
{
    struct arena *scratch CLEANUP(arena_free_cleanup) = arena_new(0);
    struct node *root = NULL;
    *ret_key = (struct google_key){0};
    /* The parser's own message may quote the file. */
    if (bytes.len > GOOGLE_KEY_BYTES || json_parse(scratch, bytes, &root, NULL) ||
        root->kind != NODE_MAPPING) {
        oauth_tree_wipe(root);
        return error_set(err, ERR_CONFIG, "%s is no JSON object of at most %lu bytes", path,
                         GOOGLE_KEY_BYTES);
    }
    struct reading reading = {.arena = arena, .path = path, .key = ret_key, .err = err};
    int code = read_credentials(&reading, root);
    oauth_tree_wipe(root);
    if (code)
        google_key_deinit(ret_key);
    return code;
}

void google_key_deinit(struct google_key *key)
{
    secret_free(key->secret);
    secret_free(key->refresh_token);
    for (size_t i = 0; i < key->subject_header_count; i++) {
        const char *value = key->subject_headers[i].value;
        explicit_bzero((void *)(uintptr_t)value, strlen(value));
    }
    *key = (struct google_key){0};
}
