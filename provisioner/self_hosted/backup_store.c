#include "provisioner/self_hosted/backup_store.h"

#include "lib/core/env.h"
#include "lib/core/file.h"
#include "lib/core/secret.h"
#include "provisioner/config/checks.h"
#include "provisioner/provider.h"
#include "provisioner/self_hosted/host_url.h"
#include "provisioner/self_hosted/vault.h"

#include <errno.h>

#define SCHEME       "https://"
#define CA_MAX_BYTES (256UL * 1024)
#define KEY_ENV      "FRAISEQL_BACKUP_S3_KEY"
#define SECRET_ENV   "FRAISEQL_BACKUP_S3_SECRET"
#define KEY_KEPT     "backup-store-key"
#define SECRET_KEPT  "backup-store-secret"

/* --- validate --------------------------------------------------------------------------------------------
 */

/* pgBackRest writes one setting a line, and a prefix is a path below which objects are. */
static bool is_plain(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text <= ' ' || *text == 0x7F)
            return false;
    }
    return true;
}

static void check_endpoint(const struct deployment *deployment, struct findings *findings)
{
    static const char path[] = "backup.store.endpoint";
    const char *endpoint = deployment->backup.store.endpoint;
    if (!endpoint)
        return;
    const char *host = endpoint + sizeof SCHEME - 1;
    if (strncmp(endpoint, SCHEME, sizeof SCHEME - 1) != 0) {
        (void)check_fail(deployment, findings, "backup-store", path,
                         "must begin with https://: pgBackRest speaks to stores by TLS alone");
        return;
    }
    if (!*host || strpbrk(host, "/?#@")) {
        (void)check_fail(deployment, findings, "backup-store", path,
                         "want https://NAME or https://NAME:PORT, found \"%.60s\"", endpoint);
        return;
    }
    const char *name = arena_strdup(deployment->arena, (struct str){host, strcspn(host, ":")});
    if (host[0] == '[' || host_url_is_numeric(name)) {
        struct finding *finding =
            check_fail(deployment, findings, "backup-store", path,
                       "has an address, and pgBackRest verifies certificates by names alone");
        finding_hint(findings, finding, "Give the store a name, in /etc/hosts of each host if need be.");
    }
}

static void check_key(const struct deployment *deployment, struct findings *findings)
{
    const struct deployment_backup_store *store = &deployment->backup.store;
    if (store->key_file && !store->secret_file)
        (void)check_fail(deployment, findings, "backup-store", "backup.store.key-file",
                         "is given without secret-file: they go together");
    else if (store->secret_file && !store->key_file)
        (void)check_fail(deployment, findings, "backup-store", "backup.store.secret-file",
                         "is given without key-file: they go together");
}

static void check_s3(const struct deployment *deployment, struct findings *findings)
{
    const struct deployment_backup_store *store = &deployment->backup.store;
    const struct {
        const char *path, *text;
    } plain[] = {{"backup.store.bucket", store->bucket},
                 {"backup.store.location", store->location},
                 {"backup.store.prefix", store->prefix}};
    if (!store->bucket)
        (void)check_fail(deployment, findings, "backup-store", "backup.store",
                         "type s3 wants a bucket, which must exist");
    if (!store->endpoint && !store->location) {
        struct finding *finding = check_fail(deployment, findings, "backup-store", "backup.store",
                                             "type s3 wants an endpoint, or a location on AWS");
        finding_hint(findings, finding,
                     "Write endpoint: https://NAME:PORT, or location: eu-central-1 for a bucket on AWS.");
    }
    for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
        if (plain[i].text && !is_plain(plain[i].text))
            (void)check_fail(deployment, findings, "backup-store", plain[i].path,
                             "has blanks or control characters");
    }
    check_endpoint(deployment, findings);
    check_key(deployment, findings);
    if (deployment->network.topology == TOPOLOGY_NAMESPACES)
        (void)check_warn(
            deployment, findings, "backup-store", "backup.store",
            "network.topology is namespaces: a store is reached only where it is on this machine");
}

static void check_unused(const struct deployment *deployment, struct findings *findings)
{
    const struct deployment_backup_store *store = &deployment->backup.store;
    const struct {
        const char *name;
        bool given;
    } options[] = {{"bucket", store->bucket},         {"endpoint", store->endpoint},
                   {"location", store->location},     {"prefix", store->prefix},
                   {"path-style", store->path_style}, {"ca-file", store->ca_file},
                   {"key-file", store->key_file},     {"secret-file", store->secret_file}};
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        if (!options[i].given)
            continue;
        struct finding *finding = check_fail(deployment, findings, "backup-store",
                                             check_path(deployment, "backup.store.%s", options[i].name),
                                             "is of a store elsewhere, and backup.store.type is local");
        finding_hint(findings, finding, "Write type: s3, or leave it out.");
    }
}

void backup_store_validate(const struct deployment *deployment, struct findings *findings)
{
    if (deployment->backup.store.type == STORE_S3)
        check_s3(deployment, findings);
    else
        check_unused(deployment, findings);
}

/* --- making ----------------------------------------------------------------------------------------------
 */

static const char *beside(const struct site *site, const char *path)
{
    const char *file = site->deployment->path, *slash = file ? strrchr(file, '/') : NULL;
    if (path[0] == '/' || !slash)
        return path;
    return arena_printf(site->arena, "%.*s/%s", (int)(slash - file), file, path);
}

/* From the file where one is named, else of the environment; NULL in *ret: neither. */
static int given(const struct site *site, const char *path, const char *variable, const char **ret,
                 struct error *err)
{
    struct secret *secret = NULL;
    *ret = path ? NULL : env_get(variable);
    if (!path)
        return 0;
    int code = secret_read_file(beside(site, path), &secret, NULL, err);
    if (!code)
        *ret = arena_strdup(site->arena, secret_reveal(secret));
    secret_free(secret);
    return code;
}

static int refuse_missing(struct error *err)
{
    (void)error_set(err, ERR_AUTH, "the key of the store of backups is not known");
    error_set_hint(err, "Set " KEY_ENV " and " SECRET_ENV
                        ", or name backup.store.key-file and secret-file; later runs know them");
    return ERR_AUTH;
}

static int find_key(const struct site *site, struct backup_store *ret, struct error *err)
{
    const struct deployment_backup_store *store = &site->deployment->backup.store;
    const char *key = NULL, *secret = NULL;
    int code = given(site, store->key_file, KEY_ENV, &key, err);
    code = code ? code : given(site, store->secret_file, SECRET_ENV, &secret, err);
    if (code)
        return error_prefix(err, "the key of the store of backups");
    if (!key != !secret)
        return error_set(err, ERR_AUTH, "%s is set without %s: they go together", key ? KEY_ENV : SECRET_ENV,
                         key ? SECRET_ENV : KEY_ENV);
    code = vault_given(site->vault, KEY_KEPT, key, &ret->key, err);
    code = code ? code : vault_given(site->vault, SECRET_KEPT, secret, &ret->secret, err);
    if (code == -ENOENT)
        return refuse_missing(err);
    if (!code && (!is_plain(ret->key) || !is_plain(ret->secret) || !*ret->key || !*ret->secret))
        return error_set(err, ERR_CONFIG, "the key of the store of backups is empty, or has blanks in it");
    return code;
}

static int read_authority(const struct site *site, struct backup_store *ret, struct error *err)
{
    const char *path = site->deployment->backup.store.ca_file;
    struct buf bytes = BUF_INIT(CA_MAX_BYTES);
    int code = path ? file_read(beside(site, path), &bytes, err) : 0;
    if (!code && path && !memmem(bytes.data, bytes.len, "-----BEGIN CERTIFICATE", 22))
        code = error_set(err, ERR_CONFIG, "%s holds no certificate in PEM", path);
    if (!code && path)
        ret->ca_pem = (struct str){arena_strdup(site->arena, buf_str(&bytes)), bytes.len};
    buf_deinit(&bytes);
    return code ? error_prefix(err, "backup.store.ca-file") : 0;
}

/* Without slashes at either end. */
static const char *prefix_of(const struct site *site)
{
    const char *wanted = site->deployment->backup.store.prefix;
    struct str prefix =
        str_from(wanted ? wanted : arena_printf(site->arena, "fraiseql/%s", site->deployment->metadata.name));
    while (prefix.len && prefix.ptr[0] == '/')
        prefix = (struct str){prefix.ptr + 1, prefix.len - 1};
    while (prefix.len && prefix.ptr[prefix.len - 1] == '/')
        prefix.len--;
    return arena_strdup(site->arena, prefix);
}

int backup_store_make(const struct site *site, const char *home, struct backup_store *ret, struct error *err)
{
    const struct deployment_backup_store *store = &site->deployment->backup.store;
    struct arena *arena = site->arena;
    *ret = (struct backup_store){0};
    if (store->type == STORE_LOCAL) {
        ret->folder = arena_printf(arena, "%s/repository", home);
        ret->name = home;
        return 0;
    }
    const char *prefix = prefix_of(site);
    ret->folder = "";
    ret->location = store->location ? store->location : "us-east-1";
    ret->host = store->endpoint ? store->endpoint + sizeof SCHEME - 1
                                : arena_printf(arena, "s3.%s.amazonaws.com", ret->location);
    ret->path = arena_printf(arena, "/%s%s%s", prefix, *prefix ? "/" : "", site->region->name);
    ret->name = arena_printf(arena, "s3://%s%s", store->bucket, ret->path);
    int code = find_key(site, ret, err);
    return code ? code : read_authority(site, ret, err);
}

void backup_store_write(const struct site *site, const struct backup_store *store, const char *ca_file,
                        struct buf *out)
{
    const struct deployment_backup_store *wanted = &site->deployment->backup.store;
    if (*store->folder) {
        buf_printf(out, "repo1-path=%s\n", store->folder);
        return;
    }
    /* A store that does not answer costs twice this. */
    buf_printf(out,
               "repo1-type=s3\nrepo1-path=%s\nrepo1-s3-bucket=%s\nrepo1-s3-endpoint=%s\n"
               "repo1-s3-region=%s\nrepo1-s3-uri-style=%s\nrepo1-s3-key=%s\nrepo1-s3-key-secret=%s\n"
               "io-timeout=15\n",
               store->path, wanted->bucket, store->host, store->location,
               wanted->path_style ? "path" : "host", store->key, store->secret);
    if (store->ca_pem.len)
        buf_printf(out, "repo1-storage-ca-file=%s\n", ca_file);
}
