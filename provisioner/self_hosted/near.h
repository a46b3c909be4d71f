/* Regions as seen from one of them: which database it writes to, how far the others are, and at which address
 * its own processes meet. Pure.
 *
 * Ownership: the site's arena. */
#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_NEAR_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_NEAR_H

#include "provisioner/self_hosted/component.h"

/* Round trip between two regions as network.latency-ms has it; 0 where it says nothing. */
int64_t near_round_trip_ns(const struct site *a, const struct site *b);
/* The longest one between any two regions of the deployment. */
int64_t near_longest_round_trip_ns(const struct site *site);

/* This region first, then the others, the nearest first; what is equally near, in file order.
 * site->site_count of them. */
const struct site *const *near_sites(const struct site *site);

/* Whether both have a database of one cluster. A region that replicates with nobody is a cluster of its own.
 */
bool near_same_cluster(const struct site *a, const struct site *b);
/* The region whose database takes this one's writes. */
const struct site *near_write_site(const struct site *site);

/* Where processes listen that only this region's own processes ask: the region's address where nobody else
 * comes by it (loopback, a namespace), else 127.0.0.1. */
const char *near_inner_address(const struct site *site);

#endif
