/* Where AWS's services answer.
 *
 * AWS_ENDPOINT_URL_STS, _IAM, _CLOUDWATCH_LOGS, _RDS, _SSM, _CLOUDWATCH or _RESOURCE_GROUPS_TAGGING_API, else
 * AWS_ENDPOINT_URL, unless AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is true; else AWS's own, by the partition that
 * the region's name begins with. STS is asked in the region, IAM where its partition has it. FIPS and
 * dual-stack endpoints are not chosen by themselves: name one.
 *
 * Ownership: the arena's. Threads: any. */
#ifndef FRAISEQL_CLOUD_AWS_ENDPOINT_H
#define FRAISEQL_CLOUD_AWS_ENDPOINT_H

#include "lib/core/arena.h"
#include "lib/core/error.h"

/* env_get(), or a test's own. */
typedef const char *aws_env_fn(const char *name);

struct aws_endpoint {
    const char *url;     /* ends in a slash */
    const char *service; /* "sts" */
    const char *region;  /* to sign with */
    const char *ca_file; /* AWS_CA_BUNDLE; NULL: the system's */
};

/* `service`: "sts", "iam", "logs", "rds", "ssm", "monitoring" or "tagging". Errors: ERR_CONFIG names the
 * variable whose URL is none; -ENOTSUP: the URL is plain http to another machine, which others may use and
 * this program does not. */
int aws_endpoint_find(const char *service, const char *region, aws_env_fn *env, struct arena *arena,
                      struct aws_endpoint *ret_endpoint, struct error *err) CHECK_RESULT;

/* "aws", "aws-cn", "aws-us-gov" ...: the second part of ARNs there. */
const char *aws_partition(const char *region);

#endif
