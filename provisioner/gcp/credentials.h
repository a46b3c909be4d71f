/* The real check of a region's credentials with Google Cloud: a token is got, whose it is is asked, and which
 * of the permissions that the module needs it has in the project.
 *
 * Looked at: the project (the region's account, else GOOGLE_PROJECT, GOOGLE_CLOUD_PROJECT, GCLOUD_PROJECT or
 * CLOUDSDK_CORE_PROJECT, as Terraform's provider does), google_signin.h's places, and
 * projects.testIamPermissions. Not looked at: quotas, billing, policies of the organization, conditions of a
 * role that hold for some resources only, and whether the other APIs are enabled, as the module enables them.
 *
 * GOOGLE_RESOURCE_MANAGER_CUSTOM_ENDPOINT (Terraform's own variable) replaces
 * https://cloudresourcemanager.googleapis.com/v1/, FRAISEQL_GOOGLE_TOKENINFO
 * https://oauth2.googleapis.com/tokeninfo. Both are sent the token, so they are https or of this machine. */
#ifndef FRAISEQL_PROVISIONER_GCP_CREDENTIALS_H
#define FRAISEQL_PROVISIONER_GCP_CREDENTIALS_H

#include "provisioner/provider.h"

/* struct provider's validate_credentials. An error is what kept us from judging (nobody answered, or
 * something else than Google); what the operator can mend is in the check. */
int gcp_validate_credentials(const struct deployment *deployment, const struct region *region,
                             int64_t deadline_mono_ns, struct arena *arena,
                             struct credential_check *ret_check, struct error *err) CHECK_RESULT;

/* The project: the region's account, else that of the environment; NULL: none is named. */
const char *gcp_project_of(const struct region *region);

#endif
