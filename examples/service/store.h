/* The orders: the one type of the example service, in one table that it makes by itself.
 *
 * Reads go to one pool and writes to another, so that reads can stay in the nearest region. A write that
 * failed before it changed anything is tried again until its deadline. One whose outcome is unknown is tried
 * again only when it carries a key, for then it is done once whatever happened; else it is reported as
 * unknown.
 *
 * Ownership: texts of orders live in the arena given. Threads: any. */
#ifndef FRAISEQL_EXAMPLES_SERVICE_STORE_H
#define FRAISEQL_EXAMPLES_SERVICE_STORE_H

#include "lib/core/arena.h"
#include "lib/core/error.h"

struct store;

struct store_options {
    const char *write_url, *read_url;
    const char *region; /* written into each row */
    unsigned pool_max;
};

struct order {
    const char *id, *what, *region, *created_at;
};

struct store_counts {
    unsigned active, idle;
    uint64_t statements, failures, retries;
};

#define STORE_LIST_MAX   1000
#define STORE_WHAT_BYTES 4096
#define STORE_KEY_BYTES  128

struct store *store_new(const struct store_options *options);
void store_free(struct store *store);
DEFINE_CLEANUP(struct store, store_free)

/* Makes the table where it is missing. */
int store_prepare(struct store *store, struct error *err) CHECK_RESULT;
/* Whether reads are answered: the readiness of the service. */
int store_ping(struct store *store, struct error *err) CHECK_RESULT;
/* The newest ones. */
int store_list(struct store *store, struct arena *arena, int64_t limit, struct order **ret, size_t *ret_count,
               struct error *err) CHECK_RESULT;
/* *ret_found false: there is none. */
int store_get(struct store *store, struct arena *arena, const char *id, struct order *ret, bool *ret_found,
              struct error *err) CHECK_RESULT;
/* `key` may be NULL. A second write with the same key changes nothing and gives the first one's order.
 * *ret_unknown: it failed, and may be done all the same. */
int store_create(struct store *store, struct arena *arena, const char *what, const char *key,
                 struct order *ret, bool *ret_unknown, struct error *err) CHECK_RESULT;
void store_read_counts(struct store *store, struct store_counts *ret);

#endif
