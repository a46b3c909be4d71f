/* The real check of AWS credentials: provider.h's validate_credentials. */
#ifndef FRAISEQL_PROVISIONER_AWS_CREDENTIALS_H
#define FRAISEQL_PROVISIONER_AWS_CREDENTIALS_H

#include "provisioner/provider.h"

/* Signs in (environment, profile, role of the region's account ...), asks STS who we are, compares the
 * account with the file's, and lets IAM simulate what the module does. Nothing is changed. What IAM does not
 * let us ask is said in ret_check->note, and nothing is claimed then. Errors: -ENOTSUP (a way to sign in that
 * this program lacks), ERR_UNAVAILABLE, ERR_TIMEOUT, ERR_PEER when AWS could not be asked; a refusal is an
 * answer. */
int aws_validate_credentials(const struct deployment *deployment, const struct region *region,
                             int64_t deadline_mono_ns, struct arena *arena,
                             struct credential_check *ret_check, struct error *err) CHECK_RESULT;

#endif
