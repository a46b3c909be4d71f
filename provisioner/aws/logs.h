/* What the service of a region wrote last, from CloudWatch Logs (FilterLogEvents, the log group of the
 * module): provider.h's recent_logs.
 *
 * That call answers the oldest events of a span of time first, in pages, so spans are asked from the newest
 * minute backwards, each longer than the one before it, until there are enough lines or a day is reached.
 * AWS_ENDPOINT_URL_CLOUDWATCH_LOGS and AWS_ENDPOINT_URL move the service. */
#ifndef FRAISEQL_PROVISIONER_AWS_LOGS_H
#define FRAISEQL_PROVISIONER_AWS_LOGS_H

#include "provisioner/log_lines.h"
#include "provisioner/provider.h"

int aws_recent_logs(const struct deployment *deployment, const struct region *region, size_t most,
                    int64_t deadline_mono_ns, struct arena *arena, struct string_list *ret_lines,
                    struct error *err) CHECK_RESULT;

/* One page. *ret_next: the next page's token, NULL at the end. ERR_PEER when it is no such answer. */
int aws_logs_read(struct str body, struct log_lines *lines, struct arena *arena, const char **ret_next,
                  struct error *err) CHECK_RESULT;

#endif
