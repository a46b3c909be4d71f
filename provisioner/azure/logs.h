/* What the service of a region wrote last, from the Log Analytics workspace that the module makes, to which
 * Azure's agent sends the machines' syslog (facility local0): provider.h's recent_logs.
 *
 * The workspace's id is asked of Azure Resource Manager, then the workspace is asked with a token of its own
 * audience. FRAISEQL_AZURE_RESOURCE_MANAGER and FRAISEQL_AZURE_LOG_ANALYTICS replace the two services; they
 * are sent tokens, so they are https or of this machine. */
#ifndef FRAISEQL_PROVISIONER_AZURE_LOGS_H
#define FRAISEQL_PROVISIONER_AZURE_LOGS_H

#include "provisioner/log_lines.h"
#include "provisioner/provider.h"

int azure_recent_logs(const struct deployment *deployment, const struct region *region, size_t most,
                      int64_t deadline_mono_ns, struct arena *arena, struct string_list *ret_lines,
                      struct error *err) CHECK_RESULT;

/* The workspace's id from what Resource Manager says of it. ERR_PEER when it is no such answer. */
int azure_workspace_read(struct str body, struct arena *arena, const char **ret_id, struct error *err)
    CHECK_RESULT;
/* A query's answer, oldest row first. ERR_PEER when it is no such answer. */
int azure_logs_read(struct str body, struct log_lines *lines, struct arena *arena, struct error *err)
    CHECK_RESULT;

#endif
