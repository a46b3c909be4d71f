/* Which columns and functions a server has: the answer of one statement, sent with the first scrape of a
 * connection and again when the server's role changes.
 *
 * Keys are "view.column", "function()" and "view". A function that the role may not call counts as absent.
 * Ownership: catalog_deinit(). Threads: owned by its caller. */
#ifndef FRAISEQL_SCRAPERS_POSTGRES_CATALOG_H
#define FRAISEQL_SCRAPERS_POSTGRES_CATALOG_H

#include "lib/core/arena.h"
#include "lib/core/map.h"
#include "scrapers/postgres/groups.h"

struct catalog {
    struct arena *arena;
    struct map names;
};

void catalog_init(struct catalog *catalog);
void catalog_deinit(struct catalog *catalog);
void catalog_reset(struct catalog *catalog);
/* A row of the statement: what it is in (a view, or "" for a function) and its name. */
void catalog_add(struct catalog *catalog, struct str view, struct str name);
bool catalog_has_view(const struct catalog *catalog, const char *view);
/* `name` as in struct pg_metric: a column of `view`, "other_view.column" or "function()". NULL: true. */
bool catalog_has(const struct catalog *catalog, const char *view, const char *name);

/* The statement: two columns, (view, column) and ('', function). Static text, made of the tables of groups.h
 * into `arena`. */
const char *catalog_sql(struct arena *arena);

#endif
