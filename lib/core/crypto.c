#include "lib/core/crypto.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <sys/random.h>

void crypto_sha256(struct str bytes, unsigned char digest[CRYPTO_SHA256_BYTES])
{
    if (!EVP_Digest(bytes.len ? bytes.ptr : "", bytes.len, digest, NULL, EVP_sha256(), NULL))
        abort(); /* only when the library itself is broken */
}

void crypto_hmac_sha256(struct str key, struct str bytes, unsigned char mac[CRYPTO_SHA256_BYTES])
{
    const unsigned char *data = (const unsigned char *)(bytes.len ? bytes.ptr : "");
    if (!HMAC(EVP_sha256(), key.len ? key.ptr : "", (int)key.len, data, bytes.len, mac, NULL))
        abort();
}

void crypto_random(void *bytes, size_t len)
{
    unsigned char *next = bytes;
    while (len) {
        ssize_t got = getrandom(next, len, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            abort();
        next += got;
        len -= (size_t)got;
    }
}

void crypto_uuid7(int64_t wall_ns, char text[CRYPTO_UUID_SIZE])
{
    unsigned char id[16];
    crypto_random(id, sizeof id);
    uint64_t ms = (uint64_t)(wall_ns / NS_PER_MS);
    for (unsigned i = 0; i < 6; i++)
        id[i] = (unsigned char)(ms >> (40 - 8 * i));
    id[6] = (unsigned char)(0x70 | (id[6] & 0x0F));
    id[8] = (unsigned char)(0x80 | (id[8] & 0x3F));
    char *out = text;
    static const char digits[] = "0123456789abcdef";
    for (unsigned i = 0; i < sizeof id; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *out++ = '-';
        *out++ = digits[id[i] >> 4];
        *out++ = digits[id[i] & 15];
    }
    *out = '\0';
}

void crypto_base64_encode(struct str bytes, struct buf *out)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = (const unsigned char *)bytes.ptr;
    size_t length = (bytes.len + 2) / 3 * 4;
    if (!length || !buf_reserve(out, length))
        return;
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        uint32_t group =
            (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) | (left > 2 ? p[i + 2] : 0U);
        char *four = out->data + out->len;
        four[0] = alphabet[group >> 18];
        four[1] = alphabet[group >> 12 & 63];
        four[2] = left > 1 ? alphabet[group >> 6 & 63] : '=';
        four[3] = left > 2 ? alphabet[group & 63] : '=';
        out->len += 4;
    }
}

void crypto_base64url_encode(struct str bytes, struct buf *out)
{
    size_t mark = out->len;
    crypto_base64_encode(bytes, out);
    while (out->len > mark && out->data[out->len - 1] == '=')
        out->len--;
    for (size_t i = mark; i < out->len; i++) {
        char *digit = &out->data[i];
        *digit = *digit == '+' ? '-' : *digit == '/' ? '_' : *digit;
    }
}

/* Value of a digit, -1 for a foreign byte. *alphabets gains bit 0 for "+/" and bit 1 for "-_". */
static int base64_digit(char c, unsigned *alphabets)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '/') {
        *alphabets |= 1;
        return c == '+' ? 62 : 63;
    }
    if (c == '-' || c == '_') {
        *alphabets |= 2;
        return c == '-' ? 62 : 63;
    }
    return -1;
}

bool crypto_base64_decode(struct str text, struct buf *out)
{
    size_t padding = 0;
    while (text.len && padding < 2 && text.ptr[text.len - 1] == '=') {
        text.len--;
        padding++;
    }
    size_t rest = text.len % 4;
    if (rest == 1 || (padding && (text.len + padding) % 4 != 0))
        return false;
    size_t mark = out->len;
    unsigned alphabets = 0;
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < text.len; i++) {
        int digit = base64_digit(text.ptr[i], &alphabets);
        if (digit < 0 || alphabets == 3) {
            out->len = mark;
            return false;
        }
        bits = bits << 6 | (uint32_t)digit;
        held += 6;
        if (held >= 8) {
            held -= 8;
            buf_append_byte(out, (char)(unsigned char)(bits >> held & 0xFF));
        }
    }
    if (out->failed || (bits & ((1U << held) - 1))) { /* unused bits must be zero: one text a value */
        out->len = mark;
        return false;
    }
    return true;
}

bool crypto_equal(struct str a, struct str b)
{
    return a.len == b.len && (!a.len || CRYPTO_memcmp(a.ptr, b.ptr, a.len) == 0);
}
