/* The families of replication lag of one target, published between scrapes: only when something changed.
 *
 * Ownership: lag_source_free() withdraws. Threads: the scrape loop's. */
#ifndef FRAISEQL_SCRAPERS_POSTGRES_LAG_SOURCE_H
#define FRAISEQL_SCRAPERS_POSTGRES_LAG_SOURCE_H

#include "scrapers/postgres/cluster.h"
#include "scrapers/postgres/postgres.h"

struct lag_source;

struct lag_source *lag_source_new(const struct scraper_env *env, const struct postgres_config *config,
                                  const struct cluster_member *member);
void lag_source_free(struct lag_source *source);
void lag_source_publish(struct lag_source *source, int64_t now_ns);

/* Labels that every series of a target has: db_cluster, region, target. */
size_t postgres_common_labels(const struct scraper_env *env, const struct postgres_config *config,
                              struct label labels[4]);

#endif
