#include "lib/cloud/jwt.h"

#include "lib/core/crypto.h"

static int add_thumbprint(const struct crypto_key *key, enum crypto_signature kind, struct json_writer *json,
                          struct error *err)
{
    unsigned char digest[CRYPTO_SHA256_BYTES];
    bool sha256 = kind == CRYPTO_PS256;
    if (sha256 ? !crypto_thumbprint_sha256(key, digest) : !crypto_thumbprint_sha1(key, digest))
        return error_set(err, ERR_CONFIG, "holds no certificate of its private key");
    struct buf text = BUF_INIT(64);
    crypto_base64url_encode(
        (struct str){(const char *)digest, sha256 ? CRYPTO_SHA256_BYTES : CRYPTO_SHA1_BYTES}, &text);
    json_kv_str(json, sha256 ? "x5t#S256" : "x5t", buf_str(&text));
    buf_deinit(&text);
    return 0;
}

static int add_header(const struct crypto_key *key, const struct jwt_header *header, struct buf *out,
                      struct error *err)
{
    struct buf text = BUF_INIT(4096);
    struct json_writer json;
    json_init(&json, &text);
    json_object_begin(&json);
    json_kv_text(&json, "alg", header->kind == CRYPTO_PS256 ? "PS256" : "RS256");
    json_kv_text(&json, "typ", "JWT");
    if (header->key_id)
        json_kv_text(&json, "kid", header->key_id);
    int code = header->thumbprint ? add_thumbprint(key, header->kind, &json, err) : 0;
    json_object_end(&json);
    crypto_base64url_encode(buf_str(&text), out);
    buf_deinit(&text);
    return code;
}

int jwt_sign(const struct crypto_key *key, const struct jwt_header *header, struct str claims,
             struct secret **ret_jwt, struct error *err)
{
    struct buf jwt = BUF_INIT(JWT_MAX_BYTES), signature = BUF_INIT(4096);
    (void)buf_reserve(&jwt, JWT_MAX_BYTES); /* at once: growing would leave copies behind */
    int code = add_header(key, header, &jwt, err);
    buf_append_byte(&jwt, '.');
    crypto_base64url_encode(claims, &jwt);
    if (!code)
        code = crypto_sign(key, header->kind, buf_str(&jwt), &signature, err);
    buf_append_byte(&jwt, '.');
    crypto_base64url_encode(buf_str(&signature), &jwt);
    if (!code && jwt.failed)
        code = error_set(err, ERR_LIMIT, "the claims of a token are larger than %lu bytes", JWT_MAX_BYTES);
    if (!code)
        *ret_jwt = secret_new(buf_str(&jwt));
    explicit_bzero(jwt.data, jwt.cap);
    buf_deinit(&jwt);
    buf_deinit(&signature);
    return code;
}

bool jwt_claims(struct arena *arena, struct str jwt, const struct node **ret_claims)
{
    const char *first = jwt.len ? memchr(jwt.ptr, '.', jwt.len) : NULL;
    if (!first || jwt.len > JWT_MAX_BYTES)
        return false;
    struct str rest = {first + 1, jwt.len - (size_t)(first + 1 - jwt.ptr)};
    const char *second = rest.len ? memchr(rest.ptr, '.', rest.len) : NULL;
    struct buf text = BUF_INIT(JWT_MAX_BYTES);
    struct node *root = NULL;
    bool done = second && crypto_base64_decode((struct str){rest.ptr, (size_t)(second - rest.ptr)}, &text) &&
                json_parse(arena, buf_str(&text), &root, NULL) == 0 && root->kind == NODE_MAPPING;
    buf_deinit(&text);
    if (done)
        *ret_claims = root;
    return done;
}
