/* The clouds whose price lists can be read: one file each, one line in the table of source.c.
 *
 * A source asks its cloud's API and puts what it finds; it writes nothing. Errors leave `found` in an unknown
 * state. Threads: no state. */
#ifndef FRAISEQL_PROVISIONER_PRICES_SOURCE_H
#define FRAISEQL_PROVISIONER_PRICES_SOURCE_H

#include "provisioner/prices/fetch.h"
#include "provisioner/prices/found.h"
#include "provisioner/prices/left.h"
#include "provisioner/prices/scope.h"

struct prices_source {
    const char *provider, *title; /* "aws", "AWS price lists" */
    const char *url;              /* the cloud's own */
    const char *url_variable;     /* environment variable that names another, for tests and mirrors */
    const char *key_variable;     /* environment variable with the key that it takes; NULL: none is needed */
    int (*read)(struct fetch *fetch, const struct prices_scope *scope, struct found *found,
                struct error *err);
};

extern const struct prices_source *const prices_sources[];            /* NULL-terminated */
const struct prices_source *prices_source_find(const char *provider); /* NULL: none */

extern const struct prices_source aws_prices, gcp_prices, azure_prices;

enum prices_outcome { PRICES_REFRESHED, PRICES_FAILED, PRICES_WITHOUT_KEY };

struct prices_result {
    enum prices_outcome outcome;
    uint64_t requests, retries;
    size_t prices, conflicts;
    struct prices_left left; /* when refreshed: what was not found */
    const char *path;        /* of the list */
    struct error err;        /* unless refreshed */
};

struct prices_options {
    int64_t timeout_ns;
    void (*progress)(void *ctx, const struct fetch *fetch, const struct found *found);
    void *progress_ctx;
};

/* The whole refresh of one cloud: its cached list is replaced when everything was read, else left alone. A
 * whole scope makes the list anew; another one keeps what it did not ask for. Strings of the result live in
 * the arena. */
void prices_refresh(const struct prices_source *source, const struct prices_scope *scope,
                    const struct prices_options *options, struct arena *arena,
                    struct prices_result *ret_result);

#endif
