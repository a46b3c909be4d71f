/* The body of a webhook (Alertmanager's version 4), as far as traffic needs it. Pure.
 *
 * Ownership: everything read lives in the arena given. */
#ifndef FRAISEQL_FAILOVER_TRAFFIC_MESSAGE_H
#define FRAISEQL_FAILOVER_TRAFFIC_MESSAGE_H

#include "lib/core/arena.h"
#include "lib/core/error.h"

#define TRAFFIC_MAX_EVENTS     100U
#define TRAFFIC_NAME_MAX       200U /* of triggers and regions */
#define TRAFFIC_IDENTITY_BYTES 64U  /* of fingerprints and webhook ids */

struct traffic_event {
    const char *trigger, *region; /* region: "" when the alert has none */
    const char *fingerprint;
    bool firing;
    bool unknown; /* it fires for want of data: says nothing about the region */
};

struct traffic_message {
    struct traffic_event *events;
    size_t count;
};

/* ERR_PARSE: not JSON. ERR_PEER: JSON, but not such a message. */
int traffic_message_read(struct arena *arena, struct str body, struct traffic_message *ret_message,
                         struct error *err) CHECK_RESULT;

/* 1 to TRAFFIC_IDENTITY_BYTES of [A-Za-z0-9_-]. */
bool traffic_identity_valid(const char *text);

#endif
