#ifndef FRAISEQL_PROVISIONER_AZURE_H
#define FRAISEQL_PROVISIONER_AZURE_H

#include "provisioner/provider.h"

extern const struct provider provider_azure;

#endif
