/* What a deployment must keep beyond the types of its values. See internal.h for how checks report. */
#ifndef FRAISEQL_PROVISIONER_CONFIG_CHECKS_H
#define FRAISEQL_PROVISIONER_CONFIG_CHECKS_H

#include "provisioner/deployment.h"

/* Everything that one wish alone can break. */
void check_deployment(const struct deployment *deployment, struct findings *findings);
/* Pairs of wishes that cannot both come true; only over a deployment without errors. */
void check_contradictions(const struct deployment *deployment, struct findings *findings);

void check_regions(const struct deployment *deployment, struct findings *findings);
void check_types(const struct deployment *deployment, const struct region *region, struct findings *findings);
void check_texts(const struct deployment *deployment, struct findings *findings);
void check_networks(const struct deployment *deployment, struct findings *findings);
void check_service(const struct deployment *deployment, struct findings *findings);
void check_traffic(const struct deployment *deployment, struct findings *findings);
void check_state(const struct deployment *deployment, struct findings *findings);
void check_operation(const struct deployment *deployment, struct findings *findings);
void check_replication(const struct deployment *deployment, struct findings *findings);
void check_compliance(const struct deployment *deployment, struct findings *findings);

void contradict_residency(const struct deployment *deployment, struct findings *findings);
void contradict_filters(const struct deployment *deployment, struct findings *findings);
void contradict_physics(const struct deployment *deployment, struct findings *findings);

/* Adds "path: message" at the node of that dotted path, or the nearest above it. */
struct finding *check_fail(const struct deployment *deployment, struct findings *findings, const char *rule,
                           const char *path, const char *format, ...) PRINTF_LIKE(5, 6);
struct finding *check_warn(const struct deployment *deployment, struct findings *findings, const char *rule,
                           const char *path, const char *format, ...) PRINTF_LIKE(5, 6);
/* A path in the deployment's arena. */
const char *check_path(const struct deployment *deployment, const char *format, ...) PRINTF_LIKE(2, 3);
/* True when the file itself gives this key, whatever its default. */
bool check_written(const struct deployment *deployment, const char *path);
/* ": did you mean \"x\"?" or "". */
const char *check_nearest(const struct deployment *deployment, const char *text, const char *const *names,
                          size_t count);
/* Lower case letters, digits, dashes; a letter first, no dash last; at most `max` bytes. */
bool check_is_name(const char *text, size_t max);
/* Text of `allowed` characters, letters and digits only. */
bool check_is_plain(const char *text, const char *allowed);
/* True of "scheme://user:password@host". */
bool check_holds_password(const char *text);
/* Reports one that does; `text` may be NULL. */
void check_no_password(const struct deployment *deployment, const char *text, const char *path,
                       struct findings *findings);
/* What is wrong with the name of a member of a mapping is at the name: the value may begin lines below.
 * `finding` may be NULL. */
void check_at_name(const struct deployment *deployment, const char *mapping, const char *name,
                   struct finding *finding);
/* Reports a region's name that is not there; NULL: it is, or there is no name. */
struct finding *check_region_name(const struct deployment *deployment, const char *name, const char *path,
                                  struct findings *findings);
void check_labels(const struct deployment *deployment, const struct string_map *labels, const char *path,
                  struct findings *findings);

#endif
