/* An environment of a test's own, and answers as AWS gives them. */
#ifndef FRAISEQL_TESTS_AWS_FIXTURE_H
#define FRAISEQL_TESTS_AWS_FIXTURE_H

#include "lib/net/http_client.h"
#include "tests/support/support.h"

#define FIXTURE_VARIABLES 16

static struct {
    const char *name, *value;
} fixture_variables[FIXTURE_VARIABLES];

static inline void fixture_env_clear(void)
{
    memset(fixture_variables, 0, sizeof fixture_variables);
}

static inline void fixture_env_set(const char *name, const char *value)
{
    size_t i = 0;
    while (fixture_variables[i].name && strcmp(fixture_variables[i].name, name) != 0)
        i++;
    ck_assert_uint_lt(i, FIXTURE_VARIABLES);
    fixture_variables[i].name = name;
    fixture_variables[i].value = value;
}

static inline const char *fixture_env(const char *name)
{
    for (size_t i = 0; i < FIXTURE_VARIABLES && fixture_variables[i].name; i++) {
        if (strcmp(fixture_variables[i].name, name) == 0)
            return fixture_variables[i].value;
    }
    return NULL;
}

/* The body is copied, as who reads an answer with a secret wipes it. */
static inline struct http_response fixture_answer(struct arena *arena, int status, const char *body)
{
    return (struct http_response){.status = status,
                                  .body = {arena_strdup(arena, str_from(body)), strlen(body)},
                                  .effective_url = "",
                                  .remote_address = ""};
}

#endif
