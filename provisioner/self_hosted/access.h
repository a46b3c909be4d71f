/* A host that is asked one thing, outside of a run: whether it lets us in, and what its service's log ends
 * with. */
#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_ACCESS_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_ACCESS_H

#include "provisioner/provider.h"

/* One that lets nobody in is an answer; one that is down could not be asked. */
int access_check(const struct deployment *deployment, const struct region *region, int64_t deadline_mono_ns,
                 struct arena *arena, struct credential_check *ret_check, struct error *err) CHECK_RESULT;
int access_logs(const struct deployment *deployment, const struct region *region, size_t most,
                int64_t deadline_mono_ns, struct arena *arena, struct string_list *ret_lines,
                struct error *err) CHECK_RESULT;

/* A connection of its own, and the folder of its socket. Close only what was opened. */
struct access {
    char folder[32];
    struct host *host;
};
int access_open(struct access *access, const struct region *region, struct error *err) CHECK_RESULT;
void access_close(struct access *access);

#endif
