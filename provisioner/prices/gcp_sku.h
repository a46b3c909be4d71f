/* Which SKUs of Google's Cloud Billing Catalog (v1) are which of our items (price_list.h). A SKU is known by
 * its description, word for word but for the place at its end; what no rule takes is left out.
 *
 * Taken are list prices on demand in USD: machine series by vCPU and GiB, balanced disks, external addresses,
 * of Cloud SQL for PostgreSQL vCPU, RAM, shared-core classes, storage with and without a standby, and
 * backups; global external application load balancers, Cloud NAT, logs taken in, requests to Cloud
 * Monitoring, secrets. What has tiers (but for a free first one) is left out. "global" is our "*".
 *
 * Traffic is sold by where it goes. To the internet taken are the destinations of the location's own part of
 * the world, by their tiers; to other regions each destination counts for its area and for egress-region.
 * Where several count, the dearest does, and the source says so.
 *
 * Ownership: the reader borrows scope and found. Threads: owned by the caller. */
#ifndef FRAISEQL_PROVISIONER_PRICES_GCP_SKU_H
#define FRAISEQL_PROVISIONER_PRICES_GCP_SKU_H

#include "provisioner/prices/found.h"
#include "provisioner/prices/json_items.h"
#include "provisioner/prices/scope.h"

struct gcp_service {
    const char *id, *title;
};

extern const struct gcp_service gcp_services[]; /* ended by a NULL id */

/* Reads one page. */
struct gcp_reader {
    struct json_items items;
    const struct prices_scope *scope;
    struct found *found;
    char next_token[512]; /* after gcp_reader_end(): of the next page, empty: this was the last */
};

void gcp_reader_init(struct gcp_reader *reader, const struct prices_scope *scope, struct found *found);
void gcp_reader_deinit(struct gcp_reader *reader);
int gcp_reader_feed(struct gcp_reader *reader, struct str chunk, struct error *err) CHECK_RESULT;
int gcp_reader_end(struct gcp_reader *reader, struct error *err) CHECK_RESULT;

#endif
