#include "scrapers/kubernetes/kube_access.h"

#include "lib/core/arena.h"
#include "lib/core/env.h"
#include "lib/core/file.h"
#include "lib/core/yaml.h"

#include <stdlib.h>

int kube_access_set_server(struct kube_access *access, struct str server, struct error *err)
{
    while (server.len > 0 && server.ptr[server.len - 1] == '/')
        server.len--;
    if (!str_starts(server, STR("https://")) && !str_starts(server, STR("http://")))
        return error_set(err, ERR_CONFIG, "the server \"%.*s\" is no http(s) address",
                         server.len > 100 ? 100 : STR_ARGS(server));
    access->server = arena_strdup(access->arena, server);
    return 0;
}

static int read_in_cluster(const struct kube_access_options *options, struct kube_access *access,
                           struct error *err)
{
    const char *host = env_get("KUBERNETES_SERVICE_HOST"), *port = env_get("KUBERNETES_SERVICE_PORT");
    const char *folder = options->service_account ? options->service_account : KUBE_SERVICE_ACCOUNT;
    if (!options->endpoint && !host) {
        error_set(err, ERR_CONFIG, "this is no pod of a cluster: KUBERNETES_SERVICE_HOST is not set");
        error_set_hint(err, "name a file with `kubeconfig`, or the server with `endpoint`");
        return ERR_CONFIG;
    }
    if (!options->endpoint) {
        bool v6 = strchr(host, ':') != NULL;
        const char *server = arena_printf(access->arena, "https://%s%s%s:%s", v6 ? "[" : "", host,
                                          v6 ? "]" : "", port ? port : "443");
        int rc = kube_access_set_server(access, str_from(server), err);
        if (rc != 0)
            return rc;
    }
    access->tls.ca_file = arena_printf(access->arena, "%s/ca.crt", folder);
    int rc = secret_read_file(arena_printf(access->arena, "%s/token", folder), &access->token, NULL, err);
    return rc == 0 ? 0 : error_prefix(err, "token of the service account");
}

static int read_kubeconfig(const struct kube_access_options *options, struct kube_access *access,
                           struct error *err)
{
    struct buf text = BUF_INIT(YAML_MAX_BYTES);
    int rc = file_read(options->kubeconfig, &text, err);
    if (rc == 0)
        rc = kubeconfig_parse(options->kubeconfig, buf_str(&text), options->context, access, err);
    buf_deinit(&text);
    if (rc == 0 && access->token_file) {
        rc = secret_read_file(access->token_file, &access->token, NULL, err);
        if (rc != 0)
            error_prefix(err, "tokenFile");
    }
    return rc == 0 ? 0 : error_prefix(err, "kubeconfig");
}

int kube_access_read(const struct kube_access_options *options, struct kube_access **ret_access,
                     struct error *err)
{
    struct kube_access *access CLEANUP(kube_access_free_cleanup) = xcalloc(1, sizeof *access);
    access->arena = arena_new(0); /* bounded by the files */
    int rc =
        options->kubeconfig ? read_kubeconfig(options, access, err) : read_in_cluster(options, access, err);
    if (rc == 0 && options->endpoint)
        rc = kube_access_set_server(access, str_from(options->endpoint), err);
    if (rc == 0)
        *ret_access = TAKE(access);
    return rc;
}

void kube_access_free(struct kube_access *access)
{
    if (!access)
        return;
    secret_free(access->token);
    secret_free(access->key_pem);
    arena_free(access->arena);
    free(access);
}
