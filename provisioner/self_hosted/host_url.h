/* Where a host is: "local" or ssh://[user@]host[:port]. Pure; from the deployment's file, so it may be
 * anything. Ownership: texts live in the arena. */
#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_HOST_URL_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_HOST_URL_H

#include "lib/core/arena.h"
#include "lib/core/error.h"

struct host_url {
    const char *host; /* NULL: this machine */
    const char *user; /* NULL: as the user's ssh configuration says */
    uint16_t port;    /* 0: as it says */
};

int host_url_parse(const char *text, struct arena *arena, struct host_url *ret, struct error *err)
    CHECK_RESULT;
/* An IPv4 address in its usual form. */
bool host_url_is_numeric(const char *text);

#endif
