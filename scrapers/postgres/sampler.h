/* Asks one server for its WAL positions every lag_interval, on a connection of its own, and publishes the
 * replication lag of a standby between scrapes as a hub source of its own.
 *
 * A tick that finds the last sample still under way publishes the growing bound and asks nothing new. A
 * failure makes the member unknown at once; connecting again is tried every lag_interval at first, then less
 * often, at most RECONNECT_MAX_NS apart.
 *
 * Ownership: sampler_new() to sampler_shutdown(), which frees once everything is closed. Threads: scrape
 * loop. */
#ifndef FRAISEQL_SCRAPERS_POSTGRES_SAMPLER_H
#define FRAISEQL_SCRAPERS_POSTGRES_SAMPLER_H

#include "scrapers/postgres/cluster.h"
#include "scrapers/postgres/postgres.h"

struct sampler;

#define SAMPLER_RECONNECT_MAX_NS (2 * NS_PER_S)

struct sampler *sampler_new(const struct scraper_env *env, const struct postgres_config *config);
void sampler_shutdown(struct sampler *sampler, loop_fn *freed, void *ctx);

struct cluster_member *sampler_member(const struct sampler *sampler);
/* The server's wall clock minus ours, right to +- half a round trip; false while nothing is known. */
bool sampler_clock_offset(const struct sampler *sampler, int64_t *ret_offset_ns, int64_t *ret_uncertainty_ns);
/* The identity conflict of cluster_identify(), NULL when there is none. */
const struct error *sampler_conflict(const struct sampler *sampler);
uint64_t sampler_round_trips(const struct sampler *sampler);
uint64_t sampler_samples(const struct sampler *sampler);

#endif
