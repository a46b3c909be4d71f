/* Asking the PostgreSQL of a region, and telling it: functions of files/postgres.sh on its host. Blocking.
 *
 * Ownership: answers live in the site's arena. Threads: one thread a site at a time. */
#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_POSTGRES_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_POSTGRES_H

#include "provisioner/self_hosted/component.h"

/* `call` is sh: a function of postgres.sh and its arguments. The answer is what it printed, trimmed; may be
 * NULL. */
int postgres_call(const struct site *site, const char *call, int64_t timeout_ns, const char **ret_answer,
                  struct error *err) CHECK_RESULT;

/* "primary", "standby", "stopped-primary", "stopped-standby" or "none". */
int postgres_who(const struct site *site, const char **ret, struct error *err) CHECK_RESULT;

#endif
