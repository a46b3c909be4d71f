/* Which SKUs of Google's Cloud Billing Catalog (v1) are which of our items (price_list.h). A SKU is known by
 * its description, word for word but for the place at its end; what no rule takes is left out.
 *
 * Taken are list prices on demand in USD: machine series by vCPU and GiB, balanced disks, and of Cloud SQL
 * for PostgreSQL vCPU, RAM, shared-core classes, storage with and without a standby, and backups. What has
 * tiers (but for a free first one) is left out.
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
