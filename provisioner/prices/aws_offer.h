/* Which lines of AWS's price list files are which of our items (price_list.h). What no rule takes is left
 * out: it stays as unknown as it was.
 *
 * Taken are list prices on demand in USD, of the region itself (no local zones, no outposts): Linux machines
 * with shared tenancy and nothing installed, RDS for PostgreSQL in one zone and in two, gp3 disks, backup
 * that is charged for, application load balancers, NAT gateways, public addresses, traffic to the internet by
 * its tiers, and to other regions, of which several make one of our areas and the dearest counts; logs taken
 * in and metrics asked of CloudWatch, secrets, keys, and of Route 53 zones, queries and health checks (the
 * first fifty of AWS's own endpoints are free; ours is the price behind them).
 *
 * Ownership: the reader borrows scope and found. Threads: owned by the caller. */
#ifndef FRAISEQL_PROVISIONER_PRICES_AWS_OFFER_H
#define FRAISEQL_PROVISIONER_PRICES_AWS_OFFER_H

#include "provisioner/prices/aws_csv.h"
#include "provisioner/prices/found.h"
#include "provisioner/prices/scope.h"

/* NULL-terminated: "AmazonEC2", "AmazonRDS" ... */
extern const char *const aws_offers[];
extern const char *const aws_global_offers[]; /* of one file, whose location is "*" */

struct aws_reader {
    struct aws_csv csv;
    const struct prices_scope *scope;
    struct found *found;
    const char *offer, *location;
    char source[64];
};

void aws_reader_init(struct aws_reader *reader, const char *offer, const char *location,
                     const struct prices_scope *scope, struct found *found);
void aws_reader_deinit(struct aws_reader *reader);
int aws_reader_feed(struct aws_reader *reader, struct str chunk, struct error *err) CHECK_RESULT;
int aws_reader_end(struct aws_reader *reader, struct error *err) CHECK_RESULT;

#endif
