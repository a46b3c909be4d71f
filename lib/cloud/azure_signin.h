/* Signing in to Azure (Microsoft Entra ID), with what lies in the environment, in the order of Terraform's
 * provider; where two names are given, the first one that is set counts:
 *
 *  1. a certificate: ARM_CLIENT_CERTIFICATE_PATH, AZURE_CLIENT_CERTIFICATE_PATH (PEM or PKCS#12), or
 *     ARM_CLIENT_CERTIFICATE (PKCS#12 in base64), with ..._CERTIFICATE_PASSWORD
 *  2. a secret: ARM_CLIENT_SECRET, ARM_CLIENT_SECRET_FILE_PATH, AZURE_CLIENT_SECRET
 *  3. a token of another issuer, with ARM_USE_OIDC, ARM_USE_AKS_WORKLOAD_IDENTITY or
 *     AZURE_FEDERATED_TOKEN_FILE: ARM_OIDC_TOKEN, ARM_OIDC_TOKEN_FILE_PATH, AZURE_FEDERATED_TOKEN_FILE, or
 * the one that GitHub gives a job (ARM_OIDC_REQUEST_TOKEN and _URL, ACTIONS_ID_TOKEN_REQUEST_TOKEN and _URL)
 *  4. a managed identity: IDENTITY_ENDPOINT with IDENTITY_HEADER, or, with ARM_USE_MSI, the metadata service
 *     of Azure's machines (ARM_MSI_ENDPOINT, http://169.254.169.254/metadata/identity/oauth2/token)
 *
 * 1 to 3 need ARM_TENANT_ID or AZURE_TENANT_ID, and ARM_CLIENT_ID (_FILE_PATH) or AZURE_CLIENT_ID, which
 * chooses among several identities in 4. Terraform itself takes no PEM in ARM_CLIENT_CERTIFICATE_PATH.
 * AZURE_AUTHORITY_HOST replaces the authority of ARM_ENVIRONMENT (public, usgovernment, china). What the
 * Azure CLI keeps in ~/.azure is the CLI's and not read.
 *
 * The token's source and identity are valid until the sign-in is run again; the identity is what the token
 * says of itself. */
#ifndef FRAISEQL_CLOUD_AZURE_SIGNIN_H
#define FRAISEQL_CLOUD_AZURE_SIGNIN_H

#include "lib/cloud/signin.h"

/* One of Azure's clouds. */
struct azure_cloud {
    const char *name;      /* as in ARM_ENVIRONMENT */
    const char *authority; /* https://login.microsoftonline.com */
    const char *manager;   /* https://management.azure.com: Azure Resource Manager */
};

/* That of ARM_ENVIRONMENT; ERR_CONFIG when it names none of them. */
int azure_cloud(const struct azure_cloud **ret_cloud, struct error *err) CHECK_RESULT;

/* `scope` ("https://management.azure.com/.default") is copied. With `machine` the metadata service of Azure's
 * machines is tried at the end even without ARM_USE_MSI, as a program on such a machine wants it; Terraform
 * does not. */
struct signin *azure_signin_new(const char *scope, bool machine);

/* What a configuration says; copied. With a client the environment names no credentials any more: those of
 * the file given count, or without one the managed identity of that client. */
struct azure_given {
    bool machine;          /* as above, without a client */
    const char *authority; /* instead of the environment's; NULL: that */
    const char *tenant, *client;
    const char *secret_file, *certificate_file, *token_file; /* NULL: not given */
};
struct signin *azure_signin_given(const char *scope, const struct azure_given *given);

#endif
