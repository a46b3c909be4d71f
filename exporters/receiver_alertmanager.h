/* A cluster of Alertmanagers, split over two files: receiver_alertmanager.c keeps what the members should
 * know, alertmanager_member.c tells one member.
 *
 * Alertmanager is a set of alerts rather than a queue: what counts is the newest state of every incident.
 * Each member is sent the whole set whenever it lags behind it and once every repeat. A delivery is done when
 * any member has accepted a set that contains it; a member that was away is brought up to date on its own. */
#ifndef FRAISEQL_EXPORTERS_RECEIVER_ALERTMANAGER_H
#define FRAISEQL_EXPORTERS_RECEIVER_ALERTMANAGER_H

#include "exporters/notifier_internal.h"
#include "lib/metrics/alert.h"

/* The newest state of one incident. */
struct am_alert {
    char *incident_id, *payload;
    size_t payload_len;
    enum alert_state state;
    int64_t resolved_wall_ns;
    size_t pending; /* deliveries that wait for a member to accept this */
};

struct am_delivery {
    struct am_delivery *next;
    struct delivery *delivery; /* busy: its outcome is being stored */
    uint64_t version;          /* of the set that first contained it */
};

struct am_member {
    struct am_member *next;
    struct receiver *receiver;
    char *url; /* with the path of the API */
    struct http_call *call;
    uint64_t sent_version, accepted_version;
    uint32_t failures; /* in a row */
    int64_t retry_mono_ns, repeat_mono_ns;
    bool retired; /* no longer configured; freed when its call is done */
};

struct am_state {
    struct map alerts; /* struct am_alert by incident */
    uint64_t version;  /* grows with every change of the set */
    struct am_delivery *pending, **pending_end;
    size_t pending_count;
    struct map ids; /* struct am_delivery by delivery id */
    struct am_member *members;
};

/* --- alertmanager_member.c */

struct am_member *am_member_new(struct receiver *receiver, const char *base_url);
void am_member_free(struct am_member *member);
bool am_member_serves(const struct am_member *member, const char *base_url);
int64_t am_member_due(const struct am_member *member);
void am_member_send(struct am_member *member);

/* --- alertmanager_set.c */

void am_alert_free(struct am_alert *alert);
/* False when the payload cannot be read. */
bool am_alert_take(struct am_state *state, const char *incident_id, struct str payload);
void am_review(struct receiver *receiver, const struct outbox_contents *contents);

/* --- alertmanager_pending.c */

bool am_offer(struct receiver *receiver, const struct journal_delivery *row);

/* A member accepted the set of its sent_version. */
void am_accepted(struct receiver *receiver, const struct am_member *member);
/* A member refused the set. */
void am_refused(struct receiver *receiver, const struct am_member *member, const char *reason,
                int64_t wait_ns);

#endif
