/* Where AWS credentials come from: environment and files say it, nothing is asked of anybody.
 *
 * The order is botocore's: environment; a profile's role_arn; a web identity; the profile's own keys; a
 * container's server; an instance's metadata server. A profile is that of AWS_PROFILE, else
 * AWS_DEFAULT_PROFILE, else "default". What this program does not do is refused with the profile and the line
 * that ask for it.
 *
 * Ownership: texts live in the arena, but for those of the static keys and files, which the plan owns.
 * Threads: any. */
#ifndef FRAISEQL_CLOUD_AWS_CHAIN_H
#define FRAISEQL_CLOUD_AWS_CHAIN_H

#include "lib/cloud/aws_config.h"
#include "lib/cloud/aws_credentials.h"
#include "lib/cloud/aws_endpoint.h"

#define AWS_ROLES_MAX  6U
#define AWS_LOOKED_MAX 400

enum aws_source { AWS_FROM_KEYS, AWS_FROM_WEB_IDENTITY, AWS_FROM_CONTAINER, AWS_FROM_INSTANCE };

struct aws_role {
    const char *arn, *session_name, *external_id; /* external_id NULL: none */
    const char *duration_s;                       /* NULL: STS's own default */
    const char *why;                              /* "profile prod", "the deployment's account" */
};

struct aws_plan {
    enum aws_source source;
    const char *name;            /* "environment", "profile prod", "container", "instance metadata" */
    struct aws_credentials keys; /* AWS_FROM_KEYS */
    const char *token_file;      /* web identity; a container's authorization: NULL for none */
    struct secret *token;        /* a container's authorization; NULL: none */
    struct aws_role web;         /* web identity */
    const char *url;             /* container, instance */
    bool sure; /* something asks for this source: else it is tried since nothing else is there */
    struct aws_role roles[AWS_ROLES_MAX]; /* assumed one with the other, the first with the source */
    size_t role_count;
    char looked[AWS_LOOKED_MAX]; /* where nothing was found before */
    struct aws_config config;
};

struct aws_chain_options {
    aws_env_fn *env;
    const char *role_arn; /* assumed last; NULL: none */
    /* The rest NULL: as the environment says. */
    const char *external_id;                    /* of role_arn */
    const char *profile;                        /* chosen: what the environment holds is then passed over */
    const char *credentials_file, *config_file; /* of profiles */
};

/* Errors: ERR_CONFIG; -ENOTSUP (sso, aws login, credential_process: others can sign in so, this program
 * cannot). The plan must be freed in either case. */
int aws_chain_find(const struct aws_chain_options *options, struct arena *arena, struct aws_plan *ret_plan,
                   struct error *err) CHECK_RESULT;
void aws_plan_deinit(struct aws_plan *plan); /* wipes */
/* ERR_CONFIG: nothing was found, with every place that was looked at. `last` is what the last place said. */
int aws_chain_nothing(const struct aws_plan *plan, const char *last, struct error *err);

#endif
