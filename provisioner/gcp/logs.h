/* What the service of a region wrote last, from Cloud Logging (entries.list): provider.h's recent_logs.
 *
 * The machines write with Docker's gcplogs driver, and the module labels each entry with its name.
 * GOOGLE_LOGGING_CUSTOM_ENDPOINT (Terraform's own variable) replaces https://logging.googleapis.com/v2/; it
 * is sent the token, so it is https or of this machine. */
#ifndef FRAISEQL_PROVISIONER_GCP_LOGS_H
#define FRAISEQL_PROVISIONER_GCP_LOGS_H

#include "provisioner/log_lines.h"
#include "provisioner/provider.h"

int gcp_recent_logs(const struct deployment *deployment, const struct region *region, size_t most,
                    int64_t deadline_mono_ns, struct arena *arena, struct string_list *ret_lines,
                    struct error *err) CHECK_RESULT;

/* One page, newest entry first. *ret_next: the next page's token, NULL at the end. ERR_PEER when it is no
 * such answer. */
int gcp_logs_read(struct str body, struct log_lines *lines, struct arena *arena, const char **ret_next,
                  struct error *err) CHECK_RESULT;

#endif
