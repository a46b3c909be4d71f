/* The regions that were deployed, each with the file as it was then, so that one that the file no longer has
 * is still known: it is named, and can be destroyed.
 *
 *   .fraiseql/NAME/regions/REGION.yaml   written before anything of the region is made, removed when nothing
 * of it is left; 0600
 *
 * Only the machine that deployed has them. Ownership: texts live in the arena. Threads: the main one;
 * forgetting from any. */
#ifndef FRAISEQL_PROVISIONER_RUN_KNOWN_H
#define FRAISEQL_PROVISIONER_RUN_KNOWN_H

#include "provisioner/command.h"
#include "provisioner/run/workspace.h"

/* Keeps the file beside the region's name; nothing is written where it is there already. */
int known_keep(const struct workspace *workspace, const struct deployment *deployment,
               const struct region *region, struct arena *arena, struct error *err) CHECK_RESULT;
/* Nothing of the region is left. */
void known_forget(const struct workspace *workspace, const char *region, struct arena *arena);
/* Names of those that are known and not in the file, sorted. Of a deployment that nobody has deployed from
 * here: none. */
void known_left(const struct deployment *deployment, struct arena *arena, struct string_list *ret);
/* command_load() for a command that takes regions that are left, too: *ret_left, in the command's arena. */
int known_load_file(struct command_context *ctx, struct deployment **ret_deployment,
                    struct string_list *ret_left) CHECK_RESULT;
/* The deployment as it was with that region. What is wrong with it, to the program as it is now, is found. */
int known_load(const struct deployment *deployment, const char *region, struct arena *arena,
               struct deployment **ret, struct findings *findings) CHECK_RESULT;
/* The same for a command: what is wrong is printed, and *ret_ctx is `ctx` with that region alone. 0 or an
 * exit status. `region` must outlive *ret_ctx. */
int known_take(const struct command_context *ctx, const struct deployment *deployment, const char **region,
               struct command_context *ret_ctx, struct deployment **ret) CHECK_RESULT;
/* A warning for each that is left. */
void known_find_left(const struct deployment *deployment, struct findings *findings);
/* Of the regions of the file, as they were deployed: a contradiction for each whose place, or allotted range,
 * is another now, and a warning for each that replicated and no longer does. */
void known_find_changed(const struct deployment *deployment, struct findings *findings);

/* Both, printed: those that are left unless --region was given. 0, or STATUS_CONFIG where one has moved and
 * `lenient` is not set. */
int known_say(const struct command_context *ctx, const struct deployment *deployment, bool lenient);

#endif
