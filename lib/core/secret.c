#include "lib/core/secret.h"

#include "lib/core/arena.h"
#include "lib/core/file.h"

#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>

struct secret {
    size_t len;
    char bytes[];
};

struct secret *secret_new(struct str value)
{
    struct secret *secret = xmalloc(sizeof *secret + value.len + 1);
    secret->len = value.len;
    if (value.len)
        memcpy(secret->bytes, value.ptr, value.len);
    secret->bytes[value.len] = '\0';
    return secret;
}

void secret_free(struct secret *secret)
{
    if (!secret)
        return;
    explicit_bzero(secret->bytes, secret->len);
    free(secret);
}

struct str secret_reveal(const struct secret *secret)
{
    return (struct str){secret->bytes, secret->len};
}

int secret_read_file(const char *path, struct secret **ret_secret, bool *ret_world_readable,
                     struct error *err)
{
    struct buf bytes = BUF_INIT(SECRET_MAX_BYTES);
    /* All the room at once, so that growing leaves no copies behind that nobody wipes. */
    (void)buf_reserve(&bytes, SECRET_MAX_BYTES);
    int code = file_read(path, &bytes, err);
    struct str line = buf_str(&bytes);
    const char *end = line.len ? memchr(line.ptr, '\n', line.len) : NULL;
    if (end)
        line.len = (size_t)(end - line.ptr);
    if (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    if (code == ERR_LIMIT) {
        code = error_set(err, ERR_CONFIG, "%s is larger than a secret may be (%lu bytes)", path,
                         SECRET_MAX_BYTES);
    } else if (!code && !line.len) {
        code = error_set(err, ERR_CONFIG, "%s holds no secret: its first line is empty", path);
    } else if (!code && memchr(line.ptr, '\0', line.len)) {
        code = error_set(err, ERR_CONFIG, "%s holds a zero byte: a secret is one line of text", path);
    }
    if (!code) {
        struct stat status;
        if (ret_world_readable)
            *ret_world_readable = stat(path, &status) == 0 && (status.st_mode & S_IROTH);
        *ret_secret = secret_new(line);
    }
    if (bytes.data)
        explicit_bzero(bytes.data, bytes.cap);
    buf_deinit(&bytes);
    return code;
}
