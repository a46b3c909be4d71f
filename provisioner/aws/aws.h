#ifndef FRAISEQL_PROVISIONER_AWS_H
#define FRAISEQL_PROVISIONER_AWS_H

#include "provisioner/provider.h"

extern const struct provider provider_aws;
extern const struct provider_listing aws_listing; /* listing.c */

#endif
