/* The real check of a region's credentials with Azure: a token is got, the subscription is looked at, and
 * which of the actions that the module needs the roles allow there.
 *
 * Looked at: the subscription (the region's account, else ARM_SUBSCRIPTION_ID, as Terraform's provider does),
 * azure_signin.h's places, the subscription's state, Microsoft.Authorization/permissions, and whether a
 * resource provider that we may not register is registered. Not looked at: quotas, policies, deny
 * assignments, conditions of roles, and the key vault's data, whose roles the module gives itself.
 *
 * FRAISEQL_AZURE_RESOURCE_MANAGER replaces https://management.azure.com (or that of ARM_ENVIRONMENT). It is
 * sent the token, so it is https or of this machine. */
#ifndef FRAISEQL_PROVISIONER_AZURE_CREDENTIALS_H
#define FRAISEQL_PROVISIONER_AZURE_CREDENTIALS_H

#include "provisioner/provider.h"

/* struct provider's validate_credentials. An error is what kept us from judging (nobody answered, or
 * something else than Azure); what the operator can mend is in the check. */
int azure_validate_credentials(const struct deployment *deployment, const struct region *region,
                               int64_t deadline_mono_ns, struct arena *arena,
                               struct credential_check *ret_check, struct error *err) CHECK_RESULT;

#endif
