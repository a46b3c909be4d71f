#ifndef FRAISEQL_PROVISIONER_KUBERNETES_H
#define FRAISEQL_PROVISIONER_KUBERNETES_H

#include "provisioner/provider.h"

extern const struct provider provider_kubernetes;

#endif
