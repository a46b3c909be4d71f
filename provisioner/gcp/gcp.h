#ifndef FRAISEQL_PROVISIONER_GCP_H
#define FRAISEQL_PROVISIONER_GCP_H

#include "provisioner/provider.h"

extern const struct provider provider_gcp;

#endif
