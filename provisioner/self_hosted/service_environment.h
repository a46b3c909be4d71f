/* The environment of the service's processes: NAME=value lines. It holds secrets: 0600.
 *
 * Ownership: the site's arena. */
#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_SERVICE_ENVIRONMENT_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_SERVICE_ENVIRONMENT_H

#include "provisioner/self_hosted/component.h"

struct service_secrets {
    const char *database_password, *metrics_token;
};

/* `instance` counts from 0. */
struct str service_environment(const struct site *site, const struct service_secrets *secrets,
                               int64_t instance);
/* Configuration of FraiseQL's server that has no variable: it refuses to start with open CORS, verifies
 * databases by name only where a file says so, and counts all clients as one unless it may believe the proxy.
 */
struct str service_server_config(const struct site *site);
/* Where that lies; NULL where the server is another program, or service.environment names a file of its own.
 */
const char *service_server_config_path(const struct site *site);
/* Where the authority's certificate lies that the databases' certificates are verified with. */
const char *service_authority_path(const struct site *site);
/* Whether a value can stand in such a line: every reader of the file understands it alike. */
bool service_environment_takes(const char *value);

#endif
