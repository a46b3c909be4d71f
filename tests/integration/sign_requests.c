/* Signs requests for test_aws_signature.py: one JSON object a line on standard input, "Authorization" a line
 * on standard output. */
#include "lib/cloud/sigv4.h"
#include "lib/core/json.h"

#include <stdio.h>
#include <stdlib.h>

#define HEADERS_MAX 32U

static const char *text_of(const struct node *request, const char *name)
{
    return node_text(request, name).len ? node_text(request, name).ptr : "";
}

static size_t headers_of(const struct node *request, struct http_header *headers)
{
    const struct node *list = node_member(request, "headers");
    size_t count = 0;
    for (; list && count < list->count && count < HEADERS_MAX; count++)
        headers[count] = (struct http_header){list->items[count]->items[0]->scalar.ptr,
                                              list->items[count]->items[1]->scalar.ptr};
    return count;
}

static bool sign(struct str line, struct arena *arena)
{
    struct node *given;
    struct http_header headers[HEADERS_MAX];
    const struct http_header *all;
    struct error err = {0};
    size_t count;
    uint64_t seconds;
    if (json_parse(arena, line, &given, &err) || !str_to_u64(node_text(given, "time"), &seconds)) {
        fprintf(stderr, "%s\n", err.message);
        return false;
    }
    const struct http_request request = {.method = text_of(given, "method"),
                                         .url = text_of(given, "url"),
                                         .headers = headers,
                                         .header_count = headers_of(given, headers),
                                         .body = node_text(given, "body")};
    struct secret *secret = secret_new(node_text(given, "secret"));
    struct secret *session = secret_new(node_text(given, "session"));
    const struct sigv4_key key = {.access_key_id = text_of(given, "key"),
                                  .secret = secret,
                                  .session = secret_reveal(session).len ? session : NULL,
                                  .region = text_of(given, "region"),
                                  .service = text_of(given, "service")};
    int code = sigv4_sign(&request, &key, (int64_t)seconds * NS_PER_S, arena, &all, &count, &err);
    printf("%s\n", code ? err.message : all[count - 1].value);
    secret_free(secret);
    secret_free(session);
    return true;
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    bool ok = true;
    while (ok && (length = getline(&line, &room, stdin)) > 0) {
        struct arena *arena = arena_new(0);
        ok = sign((struct str){line, (size_t)length}, arena);
        arena_free(arena);
    }
    free(line);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
