/* An alert as stored in the outbox and in incidents: one JSON object that holds everything a message needs,
 * so that a delivery can be made by a later process with another configuration.
 *
 *   {"incident":"<uuid>","trigger":"region-down","state":"firing","labels":{"alertname":"region-down",...},
 *    "annotations":{...},"started_ns":1764000000000000000,"resolved_ns":0}
 *
 * Members may be added; readers skip what they do not know. Ownership: a decoded alert lives in the arena.
 * Errors: ERR_PARSE. Threads: pure. */
#ifndef FRAISEQL_EXPORTERS_ALERT_CODEC_H
#define FRAISEQL_EXPORTERS_ALERT_CODEC_H

#include "lib/core/arena.h"
#include "lib/core/buf.h"
#include "lib/core/error.h"
#include "lib/metrics/alert.h"

#define ALERT_PAYLOAD_MAX (256UL * 1024)

/* alertname comes first and is the trigger's name when the labels have none; of two labels with one name the
 * first is kept. */
void alert_codec_write(const struct alert *alert, struct buf *out);
int alert_codec_read(struct arena *arena, struct str payload, struct alert *ret_alert, struct error *err)
    CHECK_RESULT;

/* False for a text that is none of the three states. */
bool alert_codec_state(struct str text, enum alert_state *ret_state);

#endif
