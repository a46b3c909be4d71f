/* Google's credential files: what is accepted sends secrets to https or this machine only, has what its kind
 * needs, and can be erased; what is refused leaves nothing. */
#include "lib/cloud/google_key.h"
#include "lib/cloud/oauth.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void must(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "not so: %s\n", what);
        abort();
    }
}

static void judge(const struct google_key *key)
{
    must(oauth_url_is_private(key->token_url), "the token's address is private");
    must(key->kind != GOOGLE_SERVICE_ACCOUNT || (key->secret && key->client_email), "a key has its account");
    must(key->kind != GOOGLE_AUTHORIZED_USER || (key->secret && key->refresh_token && key->client_id),
         "a user has a refresh token");
    must(key->kind != GOOGLE_EXTERNAL_ACCOUNT || !key->subject_file != !key->subject_url,
         "a subject has one source");
    must(!key->subject_url || oauth_url_is_local(key->subject_url), "a subject's address is local");
    must(key->hop_count <= GOOGLE_HOPS_MAX, "hops end");
    for (size_t i = 0; i < key->hop_count; i++)
        must(oauth_url_is_private(key->hops[i].url), "a hop's address is private");
    for (size_t i = 0; i < key->subject_header_count; i++)
        must(!strpbrk(key->subject_headers[i].value, "\r\n") &&
                 !strpbrk(key->subject_headers[i].name, ":\r\n"),
             "headers are one line");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct arena *arena = arena_new(0);
    struct google_key key;
    struct error err = {0};
    if (google_key_read(arena, (struct str){(const char *)bytes, size}, "key.json", &key, &err) == 0) {
        judge(&key);
        google_key_deinit(&key);
    } else {
        must(!key.secret && !key.refresh_token, "a refusal leaves nothing");
        must((err.code == ERR_CONFIG || err.code == -ENOTSUP) && strstr(err.message, "key.json"),
             "a refusal names the file");
    }
    arena_free(arena);
    return 0;
}
