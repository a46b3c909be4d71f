/* Who AWS takes us for, and what that one may do.
 *
 * Ownership: the arena's. Threads: those of the caller. */
#ifndef FRAISEQL_CLOUD_AWS_IDENTITY_H
#define FRAISEQL_CLOUD_AWS_IDENTITY_H

#include "lib/cloud/aws_call.h"

enum aws_identity_kind {
    AWS_IDENTITY_ROOT,
    AWS_IDENTITY_USER,
    AWS_IDENTITY_ROLE,      /* an assumed role's session */
    AWS_IDENTITY_FEDERATED, /* a federated user */
    AWS_IDENTITY_OTHER
};

struct aws_identity {
    const char *arn, *account, *user_id;
    enum aws_identity_kind kind;
    const char *partition; /* of the ARN */
    const char *role;      /* AWS_IDENTITY_ROLE: its name without path */
};

/* STS GetCallerIdentity, which needs no permission. Errors: aws_call()'s; ERR_PEER when the answer has no
 * ARN. */
int aws_identity_ask(struct aws_caller *caller, struct arena *arena, struct aws_identity *ret_identity,
                     struct error *err) CHECK_RESULT;
/* From an ARN and an account alone; false when it is not an ARN. */
bool aws_identity_parse(const char *arn, struct arena *arena, struct aws_identity *ret_identity);

/* The user or role whose policies decide, for aws_may(). A session's ARN lacks the role's path, so IAM is
 * asked for the role (iam:GetRole); where that is refused, a role without a path is assumed. NULL: nothing
 * that can be simulated (root, federated users). */
const char *aws_identity_principal(struct aws_caller *caller, const struct aws_identity *identity,
                                   struct arena *arena);

enum aws_decision {
    AWS_UNKNOWN, /* IAM did not say, or the answer depends on values that are known in the real call only */
    AWS_ALLOWED,
    AWS_NOT_ALLOWED,  /* nothing allows it */
    AWS_DENIED,       /* a policy denies it */
    AWS_DENIED_ABOVE, /* by the organization or a permissions boundary */
};

#define AWS_MAY_ACTIONS_MAX 1000U

/* IAM SimulatePrincipalPolicy: decides each action on one resource (NULL: all), for calls to
 * `caller->region`. Nothing is done. decisions[i] is for actions[i]. *ret_failure as aws_call(). */
int aws_may(struct aws_caller *caller, const char *principal, const char *const *actions, size_t count,
            const char *resource, struct arena *arena, enum aws_decision *decisions,
            struct aws_failure *ret_failure, struct error *err) CHECK_RESULT;

#endif
