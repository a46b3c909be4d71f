#include "exporters/webhook_sign.h"

#include "lib/core/arena.h"
#include "lib/core/crypto.h"
#include "lib/core/file.h"
#include "lib/core/secret.h"

#include <stdlib.h>

#define PREFIX          STR("whsec_")
#define SHORT_KEY_BYTES 24U
#define SIGNED_BODY_MAX (2UL * 1024 * 1024)
/* WEBHOOK_MAX_SECRETS signatures of 47 bytes. */
#define HEADER_MAX_BYTES 1024UL

struct webhook_keys {
    size_t count;
    struct buf keys[WEBHOOK_MAX_SECRETS];
};

static void wipe(struct buf *buf)
{
    if (buf->data)
        explicit_bzero(buf->data, buf->cap);
    buf_deinit(buf);
}

void webhook_keys_free(struct webhook_keys *keys)
{
    if (!keys)
        return;
    for (size_t i = 0; i < keys->count; i++)
        wipe(&keys->keys[i]);
    free(keys);
}

static int add_key(struct webhook_keys *keys, struct str line, struct error *err)
{
    if (keys->count == WEBHOOK_MAX_SECRETS)
        return error_set(err, ERR_CONFIG, "there are more than %d secrets", WEBHOOK_MAX_SECRETS);
    struct buf *key = &keys->keys[keys->count++];
    buf_init(key, SECRET_MAX_BYTES);
    /* Never grown: growing would leave parts of the key in freed memory. */
    (void)buf_reserve(key, line.len + 1);
    if (!str_starts(line, PREFIX)) {
        buf_append_str(key, line);
        return 0;
    }
    struct str text = {line.ptr + PREFIX.len, line.len - PREFIX.len};
    if (text.len == 0 || !crypto_base64_decode(text, key) || key->len == 0)
        return error_set(err, ERR_CONFIG, "secret %zu has whsec_ but no base64 after it", keys->count);
    return 0;
}

int webhook_keys_parse(struct str text, struct webhook_keys **ret_keys, bool *ret_short_key,
                       struct error *err)
{
    struct webhook_keys *keys CLEANUP(webhook_keys_free_cleanup) = xcalloc(1, sizeof *keys);
    bool short_key = false;
    while (text.len) {
        const char *end = memchr(text.ptr, '\n', text.len);
        size_t len = end ? (size_t)(end - text.ptr) : text.len;
        struct str line = str_trim((struct str){text.ptr, len});
        size_t step = end ? len + 1 : len;
        text = (struct str){text.ptr + step, text.len - step};
        if (line.len == 0)
            continue;
        int rc = add_key(keys, line, err);
        if (rc)
            return rc;
        short_key = short_key || keys->keys[keys->count - 1].len < SHORT_KEY_BYTES;
    }
    if (keys->count == 0)
        return error_set(err, ERR_CONFIG, "there is no secret in it");
    if (ret_short_key)
        *ret_short_key = short_key;
    *ret_keys = TAKE(keys);
    return 0;
}

int webhook_keys_load(const char *path, struct webhook_keys **ret_keys, bool *ret_short_key,
                      struct error *err)
{
    struct buf text CLEANUP(wipe) = BUF_INIT(SECRET_MAX_BYTES);
    (void)buf_reserve(&text, SECRET_MAX_BYTES / 2);
    int rc = file_read(path, &text, err);
    if (rc)
        return error_prefix(err, "secret file");
    rc = webhook_keys_parse(buf_str(&text), ret_keys, ret_short_key, err);
    return rc ? error_prefix(err, "secret file %s", path) : 0;
}

void webhook_sign(const struct webhook_keys *keys, const char *id, int64_t timestamp_s, struct str body,
                  struct buf *out)
{
    struct buf content CLEANUP(buf_deinit) = BUF_INIT(SIGNED_BODY_MAX);
    buf_printf(&content, "%s.%lld.", id, (long long)timestamp_s);
    buf_append_str(&content, body);
    for (size_t i = 0; i < keys->count; i++) {
        unsigned char mac[CRYPTO_SHA256_BYTES];
        crypto_hmac_sha256(buf_str(&keys->keys[i]), buf_str(&content), mac);
        buf_append_text(out, i ? " v1," : "v1,");
        crypto_base64_encode((struct str){(const char *)mac, sizeof mac}, out);
    }
    out->failed = out->failed || content.failed;
}

static struct str take_word(struct str *list)
{
    const char *end = memchr(list->ptr, ' ', list->len);
    size_t len = end ? (size_t)(end - list->ptr) : list->len, step = end ? len + 1 : len;
    struct str word = {list->ptr, len};
    *list = (struct str){list->ptr + step, list->len - step};
    return word;
}

bool webhook_verify(const struct webhook_keys *keys, const char *id, int64_t timestamp_s, struct str body,
                    const char *header)
{
    struct buf signed_by_us CLEANUP(buf_deinit) = BUF_INIT(HEADER_MAX_BYTES);
    bool fits = false;
    webhook_sign(keys, id, timestamp_s, body, &signed_by_us);
    if (signed_by_us.failed)
        return false;
    const struct str ours = buf_str(&signed_by_us);
    struct str theirs = str_from(header);
    while (theirs.len) {
        struct str one = take_word(&theirs), rest = ours;
        while (one.len && rest.len)
            fits |= crypto_equal(one, take_word(&rest));
    }
    return fits;
}
