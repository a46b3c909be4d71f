/* Answers of token endpoints: the first byte chooses status and member, the rest is the body. A token fits
 * into a header and has not ended; a refusal is one line of text. */
#include "lib/cloud/jwt.h"
#include "lib/cloud/oauth.h"

#include <stdio.h>
#include <stdlib.h>

#define WALL_NS (INT64_C(1764131138) * NS_PER_S)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void must(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "not so: %s\n", what);
        abort();
    }
}

static void judge_token(const struct oauth_answer *answer)
{
    struct arena *arena = arena_new(0);
    struct str token = secret_reveal(answer->token);
    const struct node *claims = NULL;
    must(token.len > 0, "a token is not empty");
    for (size_t i = 0; i < token.len; i++)
        must(token.ptr[i] > 32 && token.ptr[i] < 127, "a token is visible ASCII");
    must(answer->expires_wall_ns == 0 || answer->expires_wall_ns > WALL_NS, "a token has not ended");
    must(!jwt_claims(arena, token, &claims) || claims->kind == NODE_MAPPING, "claims are an object");
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const int statuses[] = {200, 200, 200, 400, 401, 403, 429, 503};
    static const char *const members[] = {"access_token", "accessToken", "value", "id_token"};
    if (!size)
        return 0;
    struct oauth_answer answer = {0};
    struct error err = {0};
    const struct str body = {(const char *)bytes + 1, size - 1};
    int code =
        oauth_answer_read(statuses[bytes[0] & 7], body, members[bytes[0] >> 3 & 3], WALL_NS, &answer, &err);
    if (code == 0) {
        judge_token(&answer);
    } else {
        must(!answer.token, "a refusal gives no token");
        must(str_is_utf8(str_from(err.message)), "a refusal is text");
        for (const char *at = err.message; *at; at++)
            must((unsigned char)*at >= 32 && *at != 127, "a refusal is one line");
    }
    secret_free(answer.token);
    return 0;
}
