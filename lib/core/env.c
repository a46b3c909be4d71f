#include "lib/core/env.h"

#include <stdlib.h>

const char *env_get(const char *name)
{
    const char *value = secure_getenv(name);
    return value && value[0] ? value : NULL;
}
