#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_H

#include "provisioner/provider.h"

extern const struct provider provider_self_hosted;

#endif
