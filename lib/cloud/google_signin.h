/* Signing in to Google, with what lies where Terraform's provider and Google's own libraries look, in their
 * order:
 *
 *  1. GOOGLE_OAUTH_ACCESS_TOKEN: a token as it is
 *  2. GOOGLE_CREDENTIALS, GOOGLE_CLOUD_KEYFILE_JSON, GCLOUD_KEYFILE_JSON: a credential file, or its content
 *  3. GOOGLE_APPLICATION_CREDENTIALS: a credential file (google_key.h says of which types)
 *  4. CLOUDSDK_CONFIG or ~/.config/gcloud: application_default_credentials.json
 *  5. the metadata server, GCE_METADATA_HOST or metadata.google.internal
 *
 * With GOOGLE_IMPERSONATE_SERVICE_ACCOUNT a token of that account is asked for with what was found.
 * GOOGLE_IAM_CREDENTIALS_CUSTOM_ENDPOINT replaces https://iamcredentials.googleapis.com/v1/ there.
 *
 * A user's refresh token gives the scopes that the user consented to, whatever is asked for here. The token's
 * source and identity are valid until the sign-in is run again. */
#ifndef FRAISEQL_CLOUD_GOOGLE_SIGNIN_H
#define FRAISEQL_CLOUD_GOOGLE_SIGNIN_H

#include "lib/cloud/signin.h"

#define GOOGLE_SCOPE_ALL "https://www.googleapis.com/auth/cloud-platform"

/* `scope` is copied; several are separated by blanks. */
struct signin *google_signin_new(const char *scope);
/* With that credential file and nothing of the environment. The path is copied. */
struct signin *google_signin_with_file(const char *scope, const char *path);

#endif
