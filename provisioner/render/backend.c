/* Where state lives. One state a root, so that regions apply at the same time and a dead cloud blocks nobody.
 * Secrets never get here: each backend takes its own from the environment. */
#include "provisioner/render/render_internal.h"

#define DEFAULT_PREFIX "fraiseql"

static bool is_global(const char *root)
{
    return strcmp(root, "global") == 0;
}

/* "PREFIX/DEPLOYMENT/regions/NAME", the key in an object store. */
static void key_of(const struct deployment *deployment, const char *root, const char *suffix, struct buf *out)
{
    const char *prefix = deployment->state.prefix ? deployment->state.prefix : DEFAULT_PREFIX;
    size_t length = strlen(prefix);
    while (length && prefix[length - 1] == '/')
        length--;
    buf_append(out, prefix, length);
    buf_printf(out, "%s%s/%s%s%s", length ? "/" : "", deployment->metadata.name,
               is_global(root) ? "" : "regions/", root, suffix);
}

static void kv_key(const struct deployment *deployment, const char *member, const char *root,
                   const char *suffix, struct json_writer *json)
{
    struct buf key = BUF_INIT(RENDER_MAX_BYTES);
    key_of(deployment, root, suffix, &key);
    render_kv(json, member, buf_text(&key));
    buf_deinit(&key);
}

static void kv_given(struct json_writer *json, const char *member, const char *text)
{
    if (text && *text)
        render_kv(json, member, text);
}

/* Names of schemas and of Kubernetes secrets: `separator` for everything but letters and digits. */
static void append_name(struct buf *out, const char *text, char separator)
{
    for (; *text; text++) {
        char c = *text >= 'A' && *text <= 'Z' ? (char)(*text - 'A' + 'a') : *text;
        buf_append_byte(out, (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : separator);
    }
}

static void kv_name(const struct deployment *deployment, const char *member, const char *root, char separator,
                    struct json_writer *json)
{
    const struct deployment_state *state = &deployment->state;
    const char *first = separator == '-' ? state->secret_suffix : state->prefix;
    struct buf name = BUF_INIT(RENDER_MAX_BYTES);
    append_name(&name, first && *first ? first : DEFAULT_PREFIX, separator);
    buf_append_byte(&name, separator);
    append_name(&name, deployment->metadata.name, separator);
    /* A region may be called "global": its state is not the global root's. */
    buf_append_byte(&name, separator);
    if (!is_global(root)) {
        buf_append_text(&name, "region");
        buf_append_byte(&name, separator);
    }
    append_name(&name, root, separator);
    render_kv(json, member, buf_text(&name));
    buf_deinit(&name);
}

/* Relative to the root's folder, so that the rendered folder can be moved. */
static void local_path(const char *root, const char *up, struct json_writer *json)
{
    struct buf path = BUF_INIT(RENDER_MAX_BYTES);
    buf_printf(&path, "%sstate/%s%s.tfstate", up, is_global(root) ? "" : "regions/", root);
    render_kv(json, "path", buf_text(&path));
    buf_deinit(&path);
}

static const char *const backend_names[] = {
    [STATE_LOCAL] = "local",     [STATE_S3] = "s3", [STATE_GCS] = "gcs",
    [STATE_AZURERM] = "azurerm", [STATE_PG] = "pg", [STATE_KUBERNETES] = "kubernetes",
};

const char *render_backend_name(const struct deployment *deployment)
{
    return backend_names[deployment->state.backend];
}

static void config(const struct deployment *deployment, const char *root, const char *up,
                   struct json_writer *json)
{
    const struct deployment_state *state = &deployment->state;
    switch (state->backend) {
    case STATE_LOCAL:
        local_path(root, up, json);
        break;
    case STATE_S3:
        kv_given(json, "bucket", state->bucket);
        kv_key(deployment, "key", root, ".tfstate", json);
        kv_given(json, "region", state->location);
        json_kv_bool(json, "encrypt", true);
        json_kv_bool(json, "use_lockfile", true);
        break;
    case STATE_GCS:
        kv_given(json, "bucket", state->bucket);
        kv_key(deployment, "prefix", root, "", json);
        break;
    case STATE_AZURERM:
        kv_given(json, "resource_group_name", state->resource_group);
        kv_given(json, "storage_account_name", state->storage_account);
        kv_given(json, "container_name", state->container);
        kv_key(deployment, "key", root, ".tfstate", json);
        json_kv_bool(json, "use_azuread_auth", true);
        break;
    case STATE_PG:
        kv_given(json, "conn_str", state->connection);
        kv_name(deployment, "schema_name", root, '_', json);
        break;
    default:
        kv_name(deployment, "secret_suffix", root, '-', json);
        kv_given(json, "namespace", state->namespace);
        break;
    }
}

void render_terraform(const struct deployment *deployment, const char *root, struct json_writer *json)
{
    /* Locks in the bucket itself came with 1.10. */
    json_kv_text(json, "required_version", deployment->state.backend == STATE_S3 ? ">= 1.10" : ">= 1.6");
    json_key(json, "backend");
    json_object_begin(json);
    json_key(json, backend_names[deployment->state.backend]);
    json_object_begin(json);
    config(deployment, root, is_global(root) ? "../" : "../../", json);
    json_object_end(json);
    json_object_end(json);
}

void render_remote_state(const struct deployment *deployment, const char *root, struct json_writer *json)
{
    json_kv_text(json, "backend", backend_names[deployment->state.backend]);
    json_key(json, "config");
    json_object_begin(json);
    config(deployment, root, "../", json);
    json_object_end(json);
}

void render_state_address(const struct deployment *deployment, const char *root, struct buf *out)
{
    const struct deployment_state *state = &deployment->state;
    const char *bucket = state->bucket ? state->bucket : "";
    switch (state->backend) {
    case STATE_LOCAL:
        buf_printf(out, "state/%s%s.tfstate", is_global(root) ? "" : "regions/", root);
        break;
    case STATE_S3:
        buf_printf(out, "s3://%s/", bucket);
        key_of(deployment, root, ".tfstate", out);
        break;
    case STATE_GCS:
        buf_printf(out, "gs://%s/", bucket);
        key_of(deployment, root, "/default.tfstate", out);
        break;
    case STATE_AZURERM:
        buf_printf(out, "https://%s.blob.core.windows.net/%s/",
                   state->storage_account ? state->storage_account : "",
                   state->container ? state->container : "");
        key_of(deployment, root, ".tfstate", out);
        break;
    default: {
        struct buf object = BUF_INIT(RENDER_MAX_BYTES);
        struct json_writer json;
        json_init(&json, &object);
        json_object_begin(&json);
        bool pg = state->backend == STATE_PG;
        kv_name(deployment, pg ? "schema" : "secret_suffix", root, pg ? '_' : '-', &json);
        json_object_end(&json);
        buf_printf(out, "%s %s", backend_names[state->backend], buf_text(&object));
        buf_deinit(&object);
    }
    }
}

/* user:password@ of a URL. */
static bool url_has_password(const char *text)
{
    const char *authority = strstr(text, "://");
    if (!authority)
        return false;
    authority += 3;
    size_t length = strcspn(authority, "/?");
    const char *at = memchr(authority, '@', length);
    return at && memchr(authority, ':', (size_t)(at - authority));
}

int render_check_backend(const struct deployment *deployment, struct error *err)
{
    const char *text = deployment->state.connection;
    if (deployment->state.backend != STATE_PG || !text)
        return 0;
    if (strstr(text, "password") || url_has_password(text)) {
        int code = error_set(err, ERR_CONFIG,
                             "state.connection holds a password, which would be written into every root");
        error_set_hint(err, "leave it out and set PGPASSWORD, or name a service of pg_service.conf");
        return code;
    }
    return 0;
}
