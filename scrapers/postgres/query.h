/* The statement of one group on one server: the group's labels and those of its metrics that the server has.
 *
 * Result columns: the labels in the group's order (text; NULL where the server lacks the column), then the
 * chosen metrics. Ownership: in the arena. Pure. */
#ifndef FRAISEQL_SCRAPERS_POSTGRES_QUERY_H
#define FRAISEQL_SCRAPERS_POSTGRES_QUERY_H

#include "scrapers/postgres/catalog.h"

enum { QUERY_MAX_METRICS = 48 };

/* As configured by `names`. */
enum postgres_names { NAMES_DEFAULT, NAMES_NEW, NAMES_LEGACY, NAMES_BOTH };

struct query {
    const struct pg_group *group;
    const char *sql;
    bool limited; /* wants tables_max as $1 */
    size_t label_count, metric_count;
    const struct pg_metric *metrics[QUERY_MAX_METRICS]; /* column label_count + i */
};

/* False when nothing of the group can be asked of this server. */
bool query_build(const struct pg_group *group, const struct catalog *catalog, enum postgres_names names,
                 struct arena *arena, struct query *ret_query);

#endif
