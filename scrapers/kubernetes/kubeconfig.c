#include "lib/core/arena.h"
#include "lib/core/crypto.h"
#include "lib/core/yaml.h"
#include "scrapers/kubernetes/kube_access.h"

#define PEM_MAX_BYTES (256UL * 1024)

struct reader {
    const char *path;
    const struct node *root;
    struct kube_access *access;
    struct error *err;
};

/* The entry of a list of {name, KIND: {...}}; NULL when there is none of that name. */
static const struct node *find_named(const struct reader *reader, const char *list, const char *kind,
                                     struct str name)
{
    const struct node *entries = node_member(reader->root, list);
    for (size_t i = 0; entries && entries->kind == NODE_SEQUENCE && i < entries->count; i++) {
        const struct node *entry = entries->items[i];
        if (entry->kind == NODE_MAPPING && str_equal(node_text(entry, "name"), name)) {
            const struct node *found = node_member(entry, kind);
            return found && found->kind == NODE_MAPPING ? found : NULL;
        }
    }
    return NULL;
}

static const char *absolute(const struct reader *reader, struct str path)
{
    const char *slash = strrchr(reader->path, '/');
    if (path.ptr[0] == '/' || !slash)
        return arena_strdup(reader->access->arena, path);
    return arena_printf(reader->access->arena, "%.*s/%.*s", (int)(slash - reader->path), reader->path,
                        STR_ARGS(path));
}

/* Member `NAME` is a path; `NAME-data` is the base64 of its content, which wins. Both may be left out. */
static int read_pem(const struct reader *reader, const struct node *from, const char *name,
                    const char *data_name, const char **ret_path, struct buf *pem)
{
    struct str path = node_text(from, name), data = node_text(from, data_name);
    if (data.len > 0 && !crypto_base64_decode(data, pem))
        return error_set(reader->err, ERR_CONFIG, "%s is no base64", data_name);
    if (data.len == 0 && path.len > 0)
        *ret_path = absolute(reader, path);
    return 0;
}

static const char *keep_pem(const struct reader *reader, const struct buf *pem)
{
    return pem->len > 0 ? arena_strdup(reader->access->arena, buf_str(pem)) : NULL;
}

static int read_cluster(const struct reader *reader, const struct node *cluster)
{
    struct http_tls_options *tls = &reader->access->tls;
    struct str server = node_text(cluster, "server"), name = node_text(cluster, "tls-server-name");
    struct buf pem CLEANUP(buf_deinit) = BUF_INIT(PEM_MAX_BYTES);
    if (node_text(cluster, "proxy-url").len > 0)
        return error_set(reader->err, ERR_CONFIG, "proxy-url is not supported");
    if (server.len == 0)
        return error_set(reader->err, ERR_CONFIG, "the cluster has no server");
    int rc = kube_access_set_server(reader->access, server, reader->err);
    if (rc != 0)
        return rc;
    if (name.len > 0)
        tls->server_name = arena_strdup(reader->access->arena, name);
    tls->insecure_skip_verify = str_equal(node_text(cluster, "insecure-skip-tls-verify"), STR("true"));
    rc =
        read_pem(reader, cluster, "certificate-authority", "certificate-authority-data", &tls->ca_file, &pem);
    tls->ca_pem = keep_pem(reader, &pem);
    return rc;
}

static int refuse_user(const struct reader *reader, const struct node *user)
{
    static const struct {
        const char *member, *message, *hint;
    } refused[] = {
        {"exec", "the user logs in by a program (exec), which is not run",
         "give a kubeconfig with a token, tokenFile or client certificate, such as a service account's"},
        {"auth-provider", "auth-provider was removed from Kubernetes 1.26",
         "give a token or a client certificate"},
        {"username", "the API server takes no passwords since Kubernetes 1.19",
         "give a token or a client certificate"},
        {"as", "impersonation (as) is not supported", "give the account that is meant"},
    };
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        if (!node_member(user, refused[i].member))
            continue;
        error_set(reader->err, ERR_CONFIG, "%s", refused[i].message);
        error_set_hint(reader->err, "%s", refused[i].hint);
        return ERR_CONFIG;
    }
    return 0;
}

static int read_certificate(const struct reader *reader, const struct node *user)
{
    struct http_tls_options *tls = &reader->access->tls;
    struct buf cert CLEANUP(buf_deinit) = BUF_INIT(PEM_MAX_BYTES),
                    key CLEANUP(buf_deinit) = BUF_INIT(PEM_MAX_BYTES);
    int rc = read_pem(reader, user, "client-certificate", "client-certificate-data", &tls->cert_file, &cert);
    if (rc == 0)
        rc = read_pem(reader, user, "client-key", "client-key-data", &tls->key_file, &key);
    if (rc != 0)
        return rc;
    tls->cert_pem = keep_pem(reader, &cert);
    if (key.len > 0) {
        reader->access->key_pem = secret_new(buf_str(&key));
        tls->key_pem = reader->access->key_pem;
        explicit_bzero(key.data, key.len);
    }
    if ((tls->cert_pem || tls->cert_file) != (tls->key_pem || tls->key_file))
        return error_set(reader->err, ERR_CONFIG, "client-certificate and client-key go together");
    return 0;
}

static int read_user(const struct reader *reader, const struct node *user)
{
    struct kube_access *access = reader->access;
    struct str token = node_text(user, "token"), token_file = node_text(user, "tokenFile");
    int rc = refuse_user(reader, user);
    if (rc == 0)
        rc = read_certificate(reader, user);
    if (rc != 0)
        return rc;
    if (token_file.len > 0)
        access->token_file = absolute(reader, token_file);
    else if (token.len > 0)
        access->token = secret_new(token);
    return 0;
}

static int read_context(const struct reader *reader, const char *wanted)
{
    struct str name = wanted ? str_from(wanted) : node_text(reader->root, "current-context");
    if (name.len == 0) {
        error_set(reader->err, ERR_CONFIG, "it has no current-context");
        error_set_hint(reader->err, "name one with `context`");
        return ERR_CONFIG;
    }
    if (name.len > 200)
        return error_set(reader->err, ERR_CONFIG, "the name of the context is too long");
    const struct node *context = find_named(reader, "contexts", "context", name);
    if (!context)
        return error_set(reader->err, ERR_CONFIG, "it has no context \"%.*s\"", STR_ARGS(name));
    const struct node *cluster = find_named(reader, "clusters", "cluster", node_text(context, "cluster"));
    const struct node *user = find_named(reader, "users", "user", node_text(context, "user"));
    if (!cluster || (!user && node_text(context, "user").len > 0))
        return error_set(reader->err, ERR_CONFIG, "the context \"%.*s\" names a %s that is not there",
                         STR_ARGS(name), cluster ? "user" : "cluster");
    int rc = read_cluster(reader, cluster);
    if (rc == 0 && user)
        rc = read_user(reader, user);
    return rc == 0 ? 0 : error_prefix(reader->err, "context \"%.*s\"", STR_ARGS(name));
}

int kubeconfig_parse(const char *path, struct str text, const char *context, struct kube_access *access,
                     struct error *err)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0); /* the tree is bounded */
    struct node *root = NULL;
    struct diag diag;
    diag_init(&diag);
    int rc = yaml_parse(arena, path, text, &root, &diag);
    if (rc != 0 && diag.count > 0 && err)
        *err = diag.items[0].error;
    diag_deinit(&diag);
    if (rc != 0)
        return rc;
    const struct reader reader = {path, root, access, err};
    if (root->kind != NODE_MAPPING)
        return error_set(err, ERR_CONFIG, "it is %s, not a mapping", node_kind_text(root));
    return read_context(&reader, context);
}
