#include "provisioner/self_hosted/vault_internal.h"

#include "lib/core/crypto.h"
#include "lib/core/file.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX_BYTES (64UL * 1024)
#define SECRET_BYTES   32

int vault_open(const char *folder, struct vault **ret, struct error *err)
{
    int code = file_make_folder(folder, 0700, err);
    struct stat info;
    if (code)
        return code;
    if (stat(folder, &info) < 0)
        return error_set_errno(err, errno, "cannot look at %s", folder);
    if ((info.st_mode & 077) && chmod(folder, 0700) < 0)
        return error_set_errno(err, errno, "cannot close %s to others", folder);
    struct vault *vault = xcalloc(1, sizeof *vault);
    vault->arena = arena_new(0);
    vault->folder = arena_strdup(vault->arena, str_from(folder));
    (void)pthread_mutex_init(&vault->lock, NULL);
    *ret = vault;
    return 0;
}

void vault_close(struct vault *vault)
{
    (void)pthread_mutex_destroy(&vault->lock);
    arena_free(vault->arena);
    free(vault);
}

/* Names come from components, but a region's name is in some. */
static bool is_name(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t length = strlen(name);
    return length && length < 200 && name[0] != '.' && strspn(name, allowed) == length;
}

int vault_read(struct vault *vault, const char *name, struct str *ret, struct error *err)
{
    if (!is_name(name))
        return error_set(err, ERR_CONFIG, "\"%.100s\" cannot be the name of a secret", name);
    const char *path = arena_printf(vault->arena, "%s/%s", vault->folder, name);
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return error_set_errno(err, ENOENT, "there is no %s", path);
    struct buf bytes = BUF_INIT(FILE_MAX_BYTES);
    int code = file_read(path, &bytes, err);
    if (!code)
        *ret = (struct str){arena_strdup(vault->arena, buf_str(&bytes)), bytes.len};
    buf_deinit(&bytes);
    return code;
}

int vault_write(struct vault *vault, const char *name, struct str content, struct error *err)
{
    if (!is_name(name))
        return error_set(err, ERR_CONFIG, "\"%.100s\" cannot be the name of a secret", name);
    return file_replace(arena_printf(vault->arena, "%s/%s", vault->folder, name), content, 0600, err);
}

bool vault_has(struct vault *vault, const char *name)
{
    struct str value;
    (void)pthread_mutex_lock(&vault->lock);
    int code = vault_read(vault, name, &value, NULL);
    (void)pthread_mutex_unlock(&vault->lock);
    return code != -ENOENT;
}

static int make_secret(struct vault *vault, const char *name, struct str *ret, struct error *err)
{
    unsigned char bytes[SECRET_BYTES];
    struct buf text = BUF_INIT(256);
    crypto_random(bytes, sizeof bytes);
    crypto_base64url_encode((struct str){(const char *)bytes, sizeof bytes}, &text);
    *ret = (struct str){arena_strdup(vault->arena, buf_str(&text)), text.len};
    buf_deinit(&text);
    return vault_write(vault, name, *ret, err);
}

int vault_secret(struct vault *vault, const char *name, const char **ret, struct error *err)
{
    struct str value = {0};
    (void)pthread_mutex_lock(&vault->lock);
    int code = vault_read(vault, name, &value, err);
    if (code == -ENOENT)
        code = make_secret(vault, name, &value, err);
    if (!code && !str_trim(value).len)
        code = error_set(err, ERR_CORRUPT, "the secret %s/%s is empty", vault->folder, name);
    if (!code)
        *ret = arena_strdup(vault->arena, str_trim(value));
    (void)pthread_mutex_unlock(&vault->lock);
    return code;
}

static int keep(struct vault *vault, const char *name, const char *given, struct error *err)
{
    struct str kept = {0};
    int code = vault_read(vault, name, &kept, err);
    if (code == -ENOENT)
        error_clear(err);
    else if (code || str_equal_text(str_trim(kept), given))
        return code;
    return vault_write(vault, name, str_from(given), err);
}

int vault_given(struct vault *vault, const char *name, const char *given, const char **ret, struct error *err)
{
    struct str value = {0};
    (void)pthread_mutex_lock(&vault->lock);
    int code = given ? keep(vault, name, given, err) : 0;
    if (!code)
        code = vault_read(vault, name, &value, err);
    if (!code)
        *ret = arena_strdup(vault->arena, str_trim(value));
    (void)pthread_mutex_unlock(&vault->lock);
    return code;
}
