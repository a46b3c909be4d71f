/* How to reach an API server, and as whom: from a kubeconfig file, or from what a pod is given
 * (kubernetes.io/docs, "Organizing Cluster Access Using kubeconfig Files", "Accessing the API from a Pod").
 *
 * Understood of a kubeconfig: clusters[].cluster.{server, certificate-authority, certificate-authority-data,
 * tls-server-name, insecure-skip-tls-verify}, users[].user.{token, tokenFile, client-certificate[-data],
 * client-key[-data]}, contexts[], current-context. Relative paths are taken from the file's folder. What runs
 * a program (`exec`), impersonation, passwords and proxies are refused by name.
 *
 * Ownership: kube_access_free(); all texts are the access's. Reads files: small ones, at most once a minute
 * and after a 401. Threads: owned by its caller. */
#ifndef FRAISEQL_SCRAPERS_KUBERNETES_KUBE_ACCESS_H
#define FRAISEQL_SCRAPERS_KUBERNETES_KUBE_ACCESS_H

#include "lib/net/http_client.h"

#define KUBE_SERVICE_ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount"

struct kube_access_options {
    const char *kubeconfig;      /* NULL: in a cluster */
    const char *context;         /* NULL: the kubeconfig's current one */
    const char *endpoint;        /* NULL: the server that the sources name */
    const char *service_account; /* folder with token and ca.crt */
};

struct kube_access {
    char *server; /* without a slash at its end */
    struct secret *token;
    const char *token_file; /* of a kubeconfig; NULL: none */
    struct http_tls_options tls;
    struct arena *arena;
    struct secret *key_pem;
};

int kube_access_read(const struct kube_access_options *options, struct kube_access **ret_access,
                     struct error *err) CHECK_RESULT;
void kube_access_free(struct kube_access *access); /* accepts NULL */
DEFINE_CLEANUP(struct kube_access, kube_access_free)

/* An http(s) address, copied without a slash at its end. */
int kube_access_set_server(struct kube_access *access, struct str server, struct error *err) CHECK_RESULT;
/* The text of a kubeconfig; `path` names it in errors and is where relative paths start. No file
 * is read: what the text names stays a name. Outside bytes. */
int kubeconfig_parse(const char *path, struct str text, const char *context, struct kube_access *access,
                     struct error *err) CHECK_RESULT;

#endif
