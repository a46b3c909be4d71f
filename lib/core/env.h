/* The single place that reads environment variables. What the project reads: FRAISEQL_FAULTS, JOURNAL_STREAM,
 * NOTIFY_SOCKET, for own hosts FRAISEQL_SSH_CONFIG and FRAISEQL_BACKUP_S3_{KEY,SECRET}, for the price cache
 * FRAISEQL_PRICES, XDG_CACHE_HOME and HOME, for refreshing it GOOGLE_API_KEY and
 * FRAISEQL_PRICES_{AWS,GCP,AZURE}_URL, what a caller's configuration names, and where clouds' credentials
 * lie: lib/cloud/aws_chain.h, google_signin.h, azure_signin.h and the providers' credentials.h list them.
 * Ownership: the text is the environment's; copy what must live. Threads: any, as nothing here calls
 * setenv(). */
#ifndef FRAISEQL_CORE_ENV_H
#define FRAISEQL_CORE_ENV_H

#include "lib/core/compiler.h"

/* NULL when unset, empty, or when the program runs with raised privileges (set-user-id, file capabilities).
 */
const char *env_get(const char *name);

#endif
