/* Signing in to AWS: the chain of aws_chain.h as exchanges (lib/cloud/signin.h): the token is an access key
 * with its secret. A role is assumed with STS in `region`; temporary keys of roles, containers and instances
 * expire.
 *
 * A metadata server that nothing names is asked for two seconds: outside of AWS nobody answers there. STS is
 * asked three times where it is throttled or broken; who drives the sign-in decides when it has taken too
 * long. Errors besides those of signin.h: -ENOTSUP, as aws_chain.h.
 *
 * Ownership and threads: as signin.h; the texts of the options are copied. */
#ifndef FRAISEQL_CLOUD_AWS_SIGNIN_H
#define FRAISEQL_CLOUD_AWS_SIGNIN_H

#include "lib/cloud/aws_endpoint.h"
#include "lib/cloud/signin.h"

struct aws_signin_options {
    const char *region;   /* whose STS is asked */
    const char *role_arn; /* assumed last; NULL: none */
    aws_env_fn *env;      /* NULL: env_get() */
    /* As aws_chain.h; NULL: as the environment says. */
    const char *external_id, *profile, *credentials_file, *config_file;
    const char *sts_url; /* NULL: where aws_endpoint.h says; ends in a slash */
};

struct signin *aws_signin_new(const struct aws_signin_options *options);

#endif
