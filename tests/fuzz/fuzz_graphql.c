/* The example service's GraphQL: variables as JSON in the first line, the query in the rest. */
#include "examples/service/graphql.h"
#include "lib/core/json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static size_t count_fields(const struct graphql_field *field)
{
    size_t count = 0;
    for (; field; field = field->next) {
        if (field->argument_count > GRAPHQL_MAX_ARGUMENTS || field->name.len == 0)
            abort();
        count += 1 + count_fields(field->fields);
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *text = (const char *)bytes;
    const char *line_end = size > 0 ? memchr(text, '\n', size) : NULL;
    if (!line_end)
        return 0;
    struct arena *arena = arena_new(1 << 20);
    struct node *variables = NULL;
    struct graphql_operation operation = {0};
    struct error err = {0};
    if (json_parse(arena, (struct str){text, (size_t)(line_end - text)}, &variables, &err))
        variables = NULL;
    struct str query = {line_end + 1, size - (size_t)(line_end + 1 - text)};
    int code = graphql_parse(arena, query, variables, &operation, &err);
    if (code ? err.line == 0 : count_fields(operation.fields) > GRAPHQL_MAX_FIELDS)
        abort();
    arena_free(arena);
    return 0;
}
