/* What a region's gateway has reported, from a secret of the region's key vault: provider.h's gateway_report.
 *
 * The address comes from the module's outputs, and a token is sent to it: only a vault's of Azure's own cloud
 * is taken. FRAISEQL_AZURE_KEY_VAULT replaces the vault; it is https or of this machine. */
#ifndef FRAISEQL_PROVISIONER_AZURE_GATEWAY_REPORT_H
#define FRAISEQL_PROVISIONER_AZURE_GATEWAY_REPORT_H

#include "provisioner/provider.h"

int azure_gateway_report(const struct region *region, const char *place, int64_t deadline_mono_ns,
                         struct arena *arena, struct str *ret_text, struct error *err) CHECK_RESULT;

/* Whether `place` is "https://NAME" `suffix` "/secrets/NAME"; *ret_path is then "/secrets/NAME". */
bool azure_gateway_report_place(const char *place, const char *suffix, const char **ret_path);
/* The secret's value from an answer (a parsed object, NULL: none). ERR_PEER when it is no such answer. */
int azure_gateway_report_read(const struct node *root, struct str *ret_text, struct error *err) CHECK_RESULT;

#endif
