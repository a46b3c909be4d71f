/* Which PostgreSQL a FraiseQL server takes. Pure. */
#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_SERVICE_VERSION_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_SERVICE_VERSION_H

#include "lib/core/str.h"

struct service_version {
    unsigned major, minor;
};

/* The first "N.N" of a text such as "2.19", "2.19.0" or "fraiseql-server 2.19.0\n". Outside bytes. */
bool service_version_parse(struct str text, struct service_version *ret);
/* The least and the greatest major version of PostgreSQL that it takes. False for a version that nothing is
 * known of: before 2.15 other databases were taken too. */
bool service_version_databases(const struct service_version *version, int64_t *ret_least,
                               int64_t *ret_greatest);

#endif
