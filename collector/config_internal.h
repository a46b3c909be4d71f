/* Shared by the files of the configuration; see config.h. */
#ifndef FRAISEQL_COLLECTOR_CONFIG_INTERNAL_H
#define FRAISEQL_COLLECTOR_CONFIG_INTERNAL_H

#include "collector/config.h"

const struct option_section *config_include_section(void);

int config_parse_regions(const struct option *option, const struct node *node, struct arena *arena,
                         void *member, struct diag *diag);
void config_dump_regions(const struct option *option, const void *member, struct buf *out, unsigned indent);
int config_refuse_failover(const struct option *option, const struct node *node, struct arena *arena,
                           void *member, struct diag *diag);

/* Everything that needs more than one section: names that clash, references, timeouts over intervals,
 * listeners off loopback without a token. Errors carry the position of the later or referring element. */
void config_check(const struct config_file *all, struct arena *arena, struct diag *diag);
/* collector_sla.c: the SLA's own checks and warnings. */
void config_check_sla(const struct config_file *all, struct arena *arena, struct diag *diag);
struct sla_probe;
/* One a probe, in the arena; what is left out of a probe is inherited. */
struct sla_probe *config_sla_probes(const struct config_file *all, struct arena *arena);
/* Fills what probes inherit. Before config_check(), which tells probes apart by their default targets too. */
void config_complete_probes(struct config_file *all, struct arena *arena);
/* Fills what targets inherit. */
void config_complete(struct config_file *all, struct arena *arena);

#endif
