#include "lib/cloud/aws_query.h"

#include "lib/core/json.h"
#include "lib/net/percent.h"
#include "lib/net/retry.h"

#include <stdlib.h>

/* --- asking -------------------------------------------------------------------------------------------- */

void aws_form_init(struct aws_form *form, const char *action, const char *version)
{
    buf_init(&form->text, AWS_QUERY_BODY_MAX);
    /* All the room at once: growing would leave copies of a token. */
    (void)buf_reserve(&form->text, AWS_QUERY_BODY_MAX);
    buf_printf(&form->text, "Action=%s&Version=%s", action, version);
}

void aws_form_add(struct aws_form *form, const char *name, struct str value)
{
    buf_printf(&form->text, "&%s=", name);
    percent_encode(&form->text, value);
}

void aws_form_deinit(struct aws_form *form)
{
    if (form->text.data)
        explicit_bzero(form->text.data, form->text.cap);
    buf_deinit(&form->text);
}

int aws_query_request(const struct aws_endpoint *endpoint, const struct aws_form *form,
                      const struct sigv4_key *key, int64_t wall_ns, struct arena *arena,
                      struct http_request *ret_request, struct error *err)
{
    static const struct http_header headers[] = {
        {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
        {"Accept", "text/xml"},
    };
    if (form->text.failed)
        return error_set(err, ERR_LIMIT, "a call of more than %lu KiB", AWS_QUERY_BODY_MAX >> 10);
    *ret_request = (struct http_request){
        .method = "POST",
        .url = endpoint->url,
        .headers = headers,
        .header_count = ARRAY_LEN(headers),
        .body = buf_str(&form->text),
        .tls = {.ca_file = endpoint->ca_file},
        .max_body_bytes = AWS_QUERY_ANSWER_MAX,
    };
    if (!key)
        return 0;
    struct sigv4_key scoped = *key;
    const struct http_header *all;
    scoped.region = endpoint->region;
    scoped.service = endpoint->service;
    size_t count;
    int code = sigv4_sign(ret_request, &scoped, wall_ns, arena, &all, &count, err);
    if (code)
        return code;
    ret_request->headers = all;
    ret_request->header_count = count;
    return 0;
}

/* --- reading ------------------------------------------------------------------------------------------- */

int aws_query_result(const struct http_response *answer, const char *action, struct arena *arena,
                     const struct xml **ret_result, struct error *err)
{
    const struct xml *root;
    if (xml_parse(answer->body, arena, &root, err))
        return error_set(err, ERR_PEER, "%s was answered %d with something that is not AWS's XML", action,
                         answer->status);
    if (str_equal_text(root->name, arena_printf(arena, "%sResponse", action)))
        *ret_result = xml_child(root, arena_printf(arena, "%sResult", action));
    else
        *ret_result = NULL;
    if (*ret_result)
        return 0;
    return error_set(err, ERR_PEER, "%s was answered with another call's answer, <%.60s>", action,
                     root->name.ptr);
}

/* A text of the peer's for a line of ours: short, without escape sequences, and its first line only, since
 * some services repeat the canonical request, session token included, in those that follow. */
static const char *tame(struct str text, size_t most, struct arena *arena)
{
    text = str_trim(text);
    const char *end = text.len ? memchr(text.ptr, '\n', text.len) : NULL;
    const char *canonical = text.len ? memmem(text.ptr, text.len, "The Canonical", 13) : NULL;
    if (canonical && (!end || canonical < end))
        end = canonical;
    text.len = end ? (size_t)(end - text.ptr) : text.len;
    text = str_trim(text);
    size_t length = text.len < most ? text.len : most;
    char *copy = arena_strdup(arena, (struct str){text.ptr, length});
    for (size_t i = 0; i < length; i++)
        copy[i] = (unsigned char)copy[i] < 0x20 || copy[i] == 0x7F ? ' ' : copy[i];
    while (length && !str_is_utf8((struct str){copy, length})) /* cut within a character */
        copy[--length] = '\0';
    return copy;
}

void aws_query_failure(const struct http_response *answer, struct arena *arena,
                       struct aws_failure *ret_failure)
{
    const struct xml *root, *error = NULL;
    *ret_failure = (struct aws_failure){.status = answer->status, .code = "", .message = ""};
    if (xml_parse(answer->body, arena, &root, NULL))
        return;
    error = xml_child(root, "Error");
    if (!error) /* EC2's form */
        error = xml_child(xml_child(root, "Errors"), "Error");
    if (!error && str_equal_text(root->name, "Error")) /* S3's */
        error = root;
    ret_failure->code = tame(str_from(xml_text(error, "Code")), 80, arena);
    ret_failure->message = tame(str_from(xml_text(error, "Message")), AWS_FAILURE_MESSAGE_MAX, arena);
}

void aws_json_failure(const struct http_response *answer, struct arena *arena,
                      struct aws_failure *ret_failure)
{
    struct node *root = NULL;
    *ret_failure = (struct aws_failure){.status = answer->status, .code = "", .message = ""};
    if (json_parse(arena, answer->body, &root, NULL))
        return;
    struct str code = node_text(root, "__type"), message = node_text(root, "message");
    const char *mark = code.len ? memchr(code.ptr, '#', code.len) : NULL;
    if (mark)
        code = (struct str){mark + 1, code.len - (size_t)(mark + 1 - code.ptr)};
    ret_failure->code = tame(code, 80, arena);
    ret_failure->message =
        tame(message.len ? message : node_text(root, "Message"), AWS_FAILURE_MESSAGE_MAX, arena);
}

bool aws_failure_is_passing(const struct aws_failure *failure)
{
    static const char *const codes[] = {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestLimitExceeded",
        "RequestThrottledException",
        "TooManyRequestsException",
        "RequestTimeout",
        "RequestTimeoutException",
        "BandwidthLimitExceeded",
        "SlowDown",
        "IDPCommunicationError",
    };
    if (retry_status_passes(failure->status))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        if (strcmp(failure->code, codes[i]) == 0)
            return true;
    }
    return false;
}

/* What a code means for the operator. */
static const struct meaning {
    const char *code, *sentence, *hint;
} meanings[] = {
    {"InvalidClientTokenId", "AWS does not know this access key",
     "It was deleted or deactivated, or belongs to another partition; or temporary keys lack their "
     "AWS_SESSION_TOKEN. Make a new one: aws iam create-access-key"},
    {"UnrecognizedClientException", "AWS does not know this access key",
     "It was deleted or deactivated, or belongs to another partition. Make a new one: aws iam "
     "create-access-key"},
    {"InvalidAccessKeyId", "AWS does not know this access key",
     "It was deleted or deactivated. Make a new one: aws iam create-access-key"},
    {"ExpiredToken", "the session has expired", "Sign in again, or take the new AWS_SESSION_TOKEN"},
    {"ExpiredTokenException", "the session has expired", "Sign in again, or take the new AWS_SESSION_TOKEN"},
    {"SignatureDoesNotMatch", "the secret access key does not belong to the access key",
     "Compare both with what AWS gave; a blank or a line end copied along is the usual reason"},
    {"InvalidSignatureException", "the secret access key does not belong to the access key",
     "Compare both with what AWS gave; a blank or a line end copied along is the usual reason"},
    {"IncompleteSignature", "AWS cannot read the signature",
     "A blank or a line end in the access key is the usual reason"},
    {"MissingAuthenticationToken", "AWS takes the request for an unsigned one", ""},
    {"AccessDenied", "AWS knows who we are and refuses this call", ""},
    {"AccessDeniedException", "AWS knows who we are and refuses this call", ""},
    {"OptInRequired", "the region is not enabled for the account",
     "Enable it: aws account enable-region --region-name REGION"},
    {"RegionDisabledException", "STS is not enabled in this region for the account",
     "Enable it: aws account enable-region --region-name REGION"},
    {"InvalidIdentityToken", "AWS refuses the web identity's token",
     "Its issuer must be an identity provider of the account, and its audience one that it takes"},
};

int aws_failure_error(const struct aws_failure *failure, const char *action, const char *who,
                      struct error *err)
{
    const struct meaning *meaning = NULL;
    for (size_t i = 0; !meaning && i < ARRAY_LEN(meanings); i++)
        meaning = strcmp(meanings[i].code, failure->code) == 0 ? &meanings[i] : NULL;
    bool refused = meaning || failure->status == 401 || failure->status == 403;
    int code = refused ? ERR_AUTH : aws_failure_is_passing(failure) ? ERR_UNAVAILABLE : ERR_PEER;
    if (meaning)
        (void)error_set(err, code, "%s: %s (%s, credentials: %s)", action, meaning->sentence, failure->code,
                        who);
    else if (failure->code[0])
        (void)error_set(err, code, "%s was answered %d %s (credentials: %s)", action, failure->status,
                        failure->code, who);
    else
        (void)error_set(err, code, "%s was answered %d without a reason (credentials: %s)", action,
                        failure->status, who);
    error_set_detail(err, "%.200s", failure->message);
    error_set_hint(err, "%s", meaning ? meaning->hint : "");
    return code;
}
