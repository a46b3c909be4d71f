/* Answers of AWS: the first byte says what is read from the rest. */
#include "lib/cloud/aws_credentials.h"
#include "lib/cloud/aws_query.h"
#include "lib/core/clock.h"
#include "lib/net/http_date.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_xml(const struct http_response *answer, struct arena *arena)
{
    struct aws_failure failure;
    const struct xml *result = NULL;
    struct aws_credentials credentials = {0};
    struct error err = {0};
    aws_query_failure(answer, arena, &failure);
    assert(strlen(failure.message) <= AWS_FAILURE_MESSAGE_MAX);
    for (const char *c = failure.message; *c; c++)
        assert((unsigned char)*c >= 0x20 && *c != 0x7F);
    if (aws_query_result(answer, "AssumeRole", arena, &result, &err)) {
        assert(err.message[0]);
        return;
    }
    if (aws_credentials_read_xml(&credentials, xml_child(result, "Credentials"), &err) == 0)
        assert(credentials.access_key_id[0] && secret_reveal(credentials.secret).len);
    aws_credentials_clear(&credentials);
}

static void read_json(const struct http_response *answer)
{
    struct aws_credentials credentials = {0};
    if (aws_credentials_read_json(&credentials, answer, "it", NULL) == 0)
        assert(credentials.access_key_id[0] && secret_reveal(credentials.secret).len);
    aws_credentials_clear(&credentials);
}

static void read_times(struct str text)
{
    int64_t time;
    if (clock_parse_rfc3339(text, &time))
        assert(time >= 0);
    if (http_date_parse(text, &time))
        assert(time >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct arena *arena = arena_new(0);
    /* Who reads secrets wipes them where they lie: a copy. */
    char *body = arena_strdup(arena, (struct str){(const char *)data + 1, size - 1});
    const struct http_response answer = {.status = 200, .body = {body, size - 1}};
    if (data[0] == 'j')
        read_json(&answer);
    else if (data[0] == 't')
        read_times(answer.body);
    else
        read_xml(&answer, arena);
    arena_free(arena);
    return 0;
}
