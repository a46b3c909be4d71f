/* Private to lib/cloud/aws_chain*.c. */
#ifndef FRAISEQL_CLOUD_AWS_CHAIN_INTERNAL_H
#define FRAISEQL_CLOUD_AWS_CHAIN_INTERNAL_H

#include "lib/cloud/aws_chain.h"

#define AWS_SESSION_NAME "fraiseql"

struct aws_chain {
    aws_env_fn *env;
    struct arena *arena;
    struct aws_plan *plan;
    struct error *err;
    const char *profile; /* once files were read */
    const struct aws_chain_options *options;
};

/* Notes a place where nothing was found. */
void aws_chain_looked(struct aws_chain *chain, const char *format, ...) PRINTF_LIKE(2, 3);
int aws_chain_add_role(struct aws_chain *chain, const struct aws_role *role) CHECK_RESULT;

/* One place each. 0 with *ret_found false goes on to the next. */
int aws_chain_environment(struct aws_chain *chain, bool *ret_found) CHECK_RESULT;
int aws_chain_container(struct aws_chain *chain, bool *ret_found) CHECK_RESULT;
/* `sure`: something names it. */
int aws_chain_instance(struct aws_chain *chain, bool sure) CHECK_RESULT;

/* --- aws_chain_profile.c --- */

/* Files are read here; ERR_CONFIG when AWS_PROFILE names a profile that is in neither. */
int aws_chain_profile_role(struct aws_chain *chain, bool *ret_found) CHECK_RESULT;
int aws_chain_profile_keys(struct aws_chain *chain, bool *ret_found) CHECK_RESULT;

#endif
