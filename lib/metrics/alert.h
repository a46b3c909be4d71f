/* A change of an incident, as notifiers see it.
 *
 * Ownership: borrowed for the call; what must last is copied. */
#ifndef FRAISEQL_METRICS_ALERT_H
#define FRAISEQL_METRICS_ALERT_H

#include "lib/metrics/label.h"

enum alert_state { ALERT_FIRING, ALERT_UNKNOWN, ALERT_RESOLVED };

struct alert_text {
    const char *name, *value;
};

struct alert {
    const char *incident_id; /* UUID */
    const char *trigger;     /* alertname */
    enum alert_state state;
    const struct alert_text *labels; /* alertname first, then the trigger's labels and the `by` labels */
    size_t label_count;
    const struct alert_text *annotations;
    size_t annotation_count;
    int64_t started_wall_ns;
    int64_t resolved_wall_ns; /* 0 while not resolved */
};

const char *alert_state_text(enum alert_state state); /* "firing", "unknown", "resolved" */

#endif
