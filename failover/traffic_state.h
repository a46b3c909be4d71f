/* What traffic remembers: which incidents hold which servers out, what has been taken out of HAProxy and is
 * not back yet, and the ids of webhooks that were taken. Pure values: a step gives a new state and leaves the
 * old one, so that a state counts only once it is committed.
 *
 * Ownership: a state owns its arena. Threads: immutable once made. */
#ifndef FRAISEQL_FAILOVER_TRAFFIC_STATE_H
#define FRAISEQL_FAILOVER_TRAFFIC_STATE_H

#include "failover/traffic_config.h"
#include "failover/traffic_message.h"

#define TRAFFIC_MAX_HOLDS 1024U
#define TRAFFIC_MAX_SEEN  1024U

struct traffic_hold {
    const char *trigger, *region, *fingerprint;
    int64_t since_wall_ns;
};

struct traffic_seen {
    const char *id;
    int64_t wall_ns;
};

struct traffic_state {
    struct arena *arena;
    struct traffic_hold *holds;
    struct traffic_seen *seen;
    const char **taken; /* servers: added before they are taken out, removed once they are seen back */
    size_t hold_count, seen_count, taken_count;
};

struct traffic_state *traffic_state_new(void);
void traffic_state_free(struct traffic_state *state); /* accepts NULL */

bool traffic_state_has_seen(const struct traffic_state *state, const char *webhook_id);

/* Takes a message in. ERR_PEER: a region that no rule of its trigger names; ERR_LIMIT: too many incidents, or
 * too many ids within the time that a webhook could be repeated. On an error nothing changes. */
int traffic_state_step(const struct traffic_state *before, const struct traffic_config *config,
                       const char *webhook_id, const struct traffic_message *message, int64_t now_wall_ns,
                       struct traffic_state **ret_after, struct error *err) CHECK_RESULT;
/* Without what is listed of `taken`. */
struct traffic_state *traffic_state_without(const struct traffic_state *before, const char *const *back,
                                            size_t back_count);

/* Whether an open incident wants the server out. A hold whose rule is gone, or that is older than max_hold,
 * does not count. config NULL: nothing does. */
bool traffic_state_wants_out(const struct traffic_state *state, const struct traffic_config *config,
                             const char *server, int64_t now_wall_ns, bool *ret_cut);

/* As stored: JSON. ERR_CORRUPT when it is not what traffic_state_write() wrote. */
void traffic_state_write(const struct traffic_state *state, struct buf *out);
int traffic_state_read(struct str stored, struct traffic_state **ret_state, struct error *err) CHECK_RESULT;

DEFINE_CLEANUP(struct traffic_state, traffic_state_free)

#endif
