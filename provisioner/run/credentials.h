/* Asking each region's cloud who we are, for the verb `credentials` and as a step of deploying.
 *
 * Ownership: answers live in their region's arena. Threads: credential_ask() may run for several regions at
 * the same time, with an arena each. */
#ifndef FRAISEQL_PROVISIONER_RUN_CREDENTIALS_H
#define FRAISEQL_PROVISIONER_RUN_CREDENTIALS_H

#include "provisioner/output.h"
#include "provisioner/provider.h"

enum credential_state {
    CREDENTIALS_OK,
    CREDENTIALS_LACKING, /* they are good, and may not do all that a deployment does */
    CREDENTIALS_REFUSED, /* none were found, or the cloud refuses them */
    CREDENTIALS_UNKNOWN, /* the cloud could not be asked */
    CREDENTIALS_UNASKED  /* this version asks nothing of this cloud */
};

struct credential_answer {
    const struct region *region;
    enum credential_state state;
    struct credential_check
        check; /* problem also where the cloud could not be asked, note where it was not */
};

void credential_ask(const struct deployment *deployment, const struct region *region,
                    int64_t deadline_mono_ns, struct arena *arena, struct credential_answer *ret_answer);

/* "ok", "lacking", "refused", "unknown", "not checked". */
const char *credential_state_text(enum credential_state state);
/* {"type":"credentials"} with --json. */
void credential_record(const struct output *out, const struct credential_answer *answers, size_t count);

#endif
