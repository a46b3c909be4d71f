/* A bounded subset of GraphQL (October 2021 edition, section 2), enough for one type with a read and a write.
 *
 * Taken: one operation (query or mutation, or the short form `{ ... }`), fields with aliases and arguments,
 * selection sets up to GRAPHQL_MAX_DEPTH, variables with defaults, values that are null, booleans, integers
 * or strings. Refused with a sentence that names what was found: fragments, directives, subscriptions,
 * several operations, block strings, floats, enums, lists and objects as values.
 *
 * Pure: text in, a tree out. Variables are put in their places while parsing, so the tree holds values only.
 * Ownership: the tree lives in the arena; names point into the text. Threads: owned by the caller. */
#ifndef FRAISEQL_EXAMPLES_SERVICE_GRAPHQL_H
#define FRAISEQL_EXAMPLES_SERVICE_GRAPHQL_H

#include "lib/core/yaml.h"

#define GRAPHQL_MAX_DEPTH     8
#define GRAPHQL_MAX_FIELDS    64 /* in all */
#define GRAPHQL_MAX_ARGUMENTS 8  /* of a field */
#define GRAPHQL_MAX_VARIABLES 16

enum graphql_kind { GRAPHQL_NULL, GRAPHQL_BOOL, GRAPHQL_INT, GRAPHQL_STRING };

struct graphql_value {
    enum graphql_kind kind;
    struct str string;
    int64_t integer;
    bool boolean;
};

struct graphql_argument {
    struct str name;
    struct graphql_value value;
};

struct graphql_field {
    struct str key; /* of the answer: the alias, else the name */
    struct str name;
    unsigned line, column;
    struct graphql_argument arguments[GRAPHQL_MAX_ARGUMENTS];
    size_t argument_count;
    struct graphql_field *fields; /* the first of the selection set; NULL: none */
    struct graphql_field *next;   /* sibling */
};

struct graphql_operation {
    bool mutation;
    struct str name; /* empty: anonymous */
    struct graphql_field *fields;
};

/* `variables`: a JSON object or NULL. ERR_PARSE with line and column of the text otherwise. */
int graphql_parse(struct arena *arena, struct str text, const struct node *variables,
                  struct graphql_operation *ret, struct error *err) CHECK_RESULT;
/* NULL when it was not given. */
const struct graphql_value *graphql_argument(const struct graphql_field *field, const char *name);

#endif
