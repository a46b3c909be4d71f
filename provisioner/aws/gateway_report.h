/* What a region's gateway has reported, from AWS Systems Manager (GetParameter, the parameter of the module):
 * provider.h's gateway_report. AWS_ENDPOINT_URL_SSM and AWS_ENDPOINT_URL move the service. */
#ifndef FRAISEQL_PROVISIONER_AWS_GATEWAY_REPORT_H
#define FRAISEQL_PROVISIONER_AWS_GATEWAY_REPORT_H

#include "provisioner/provider.h"

int aws_gateway_report(const struct region *region, const char *place, int64_t deadline_mono_ns,
                       struct arena *arena, struct str *ret_text, struct error *err) CHECK_RESULT;

/* The parameter's value from an answer. ERR_PEER when it is no such answer. */
int aws_gateway_report_read(struct str body, struct arena *arena, struct str *ret_text, struct error *err)
    CHECK_RESULT;

#endif
