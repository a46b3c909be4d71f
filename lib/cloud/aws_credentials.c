#include "lib/cloud/aws_credentials.h"

#include "lib/core/clock.h"
#include "lib/core/json.h"

#include <stdlib.h>

#define ANSWER_ARENA_MAX (4UL * 1024 * 1024)

void aws_credentials_clear(struct aws_credentials *credentials)
{
    free(credentials->access_key_id);
    secret_free(credentials->secret);
    secret_free(credentials->session);
    *credentials = (struct aws_credentials){0};
}

/* Printable and no blank: anything else would not survive a header. */
static bool is_key_text(const char *text)
{
    for (const char *c = text; *c; c++) {
        if (*c <= ' ' || *c > '~')
            return false;
    }
    return text[0] != '\0';
}

int aws_credentials_set(struct aws_credentials *credentials, const char *access_key_id, const char *secret,
                        const char *session, struct error *err)
{
    const char *wrong = !is_key_text(access_key_id)                      ? "access key"
                        : strchr(access_key_id, '/')                     ? "access key"
                        : !is_key_text(secret)                           ? "secret access key"
                        : session && session[0] && !is_key_text(session) ? "session token"
                                                                         : NULL;
    if (wrong)
        return error_set(err, ERR_CONFIG,
                         "the %s is empty or has bytes that none has, such as a blank or a "
                         "line end",
                         wrong);
    aws_credentials_clear(credentials);
    credentials->access_key_id = xstrdup(access_key_id);
    credentials->secret = secret_new(str_from(secret));
    credentials->session = session && session[0] ? secret_new(str_from(session)) : NULL;
    return 0;
}

/* --- answers ------------------------------------------------------------------------------------------- */

/* The bytes lie in an arena or a buffer of ours; only their type is const. */
static void wipe(struct str bytes)
{
    if (bytes.len)
        explicit_bzero((void *)(uintptr_t)bytes.ptr, bytes.len);
}

void aws_wipe_answer(const struct http_response *answer)
{
    wipe(answer->body);
}

static int keep(struct aws_credentials *credentials, const char *id, const char *secret, const char *session,
                const char *expires, const char *who, struct error *err)
{
    struct error reason = {0};
    int64_t expires_ns = 0;
    if (expires[0] && !clock_parse_rfc3339(str_from(expires), &expires_ns))
        return error_set(err, ERR_PEER, "%s gave credentials that expire at a time that is none", who);
    if (aws_credentials_set(credentials, id, secret, session, &reason))
        return error_set(err, ERR_PEER, "%s gave credentials of which %s", who, reason.message);
    credentials->expires_wall_ns = expires_ns;
    return 0;
}

int aws_credentials_read_json(struct aws_credentials *credentials, const struct http_response *answer,
                              const char *who, struct error *err)
{
    CLEANUP(arena_free_cleanup)
    struct arena *arena = arena_new(ANSWER_ARENA_MAX);
    struct node *root = NULL;
    if (json_parse(arena, answer->body, &root, NULL) || root->kind != NODE_MAPPING)
        return error_set(err, ERR_PEER, "%s answered with something that is not JSON", who);
    struct str code = node_text(root, "Code");
    if (code.len && !str_equal(code, STR("Success")))
        return error_set(err, ERR_PEER, "%s says %.80s", who, code.ptr);
    struct str id = node_text(root, "AccessKeyId"), secret = node_text(root, "SecretAccessKey");
    struct str session = node_text(root, "Token"), expires = node_text(root, "Expiration");
    int rc = id.len && secret.len
                 ? keep(credentials, id.ptr, secret.ptr, session.len ? session.ptr : NULL,
                        expires.len ? expires.ptr : "", who, err)
                 : error_set(err, ERR_PEER, "%s answered without AccessKeyId or SecretAccessKey", who);
    wipe(secret);
    wipe(session);
    return rc;
}

int aws_credentials_read_xml(struct aws_credentials *credentials, const struct xml *element,
                             struct error *err)
{
    const struct xml *secret = xml_child(element, "SecretAccessKey");
    const struct xml *session = xml_child(element, "SessionToken");
    const char *id = xml_text(element, "AccessKeyId");
    int rc = id[0] && secret && session
                 ? keep(credentials, id, secret->text.ptr, session->text.ptr, xml_text(element, "Expiration"),
                        "STS", err)
                 : error_set(err, ERR_PEER, "STS answered without complete credentials");
    if (secret)
        wipe(secret->text);
    if (session)
        wipe(session->text);
    return rc;
}
