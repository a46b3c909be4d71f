/* What a region's gateway has reported, from the guest attributes of its machine (Compute Engine,
 * instances.getGuestAttributes): provider.h's gateway_report.
 *
 * GOOGLE_COMPUTE_CUSTOM_ENDPOINT (Terraform's own variable) replaces
 * https://compute.googleapis.com/compute/v1/; it is sent the token, so it is https or of this machine. */
#ifndef FRAISEQL_PROVISIONER_GCP_GATEWAY_REPORT_H
#define FRAISEQL_PROVISIONER_GCP_GATEWAY_REPORT_H

#include "provisioner/provider.h"

int gcp_gateway_report(const struct region *region, const char *place, int64_t deadline_mono_ns,
                       struct arena *arena, struct str *ret_text, struct error *err) CHECK_RESULT;

/* The attribute's value from an answer (a parsed object, NULL: none). ERR_PEER when it is no such answer. */
int gcp_gateway_report_read(const struct node *root, struct str *ret_text, struct error *err) CHECK_RESULT;

#endif
