/* The body of a webhook: Alertmanager's version 4, so that every receiver written for Alertmanager reads
 * ours.
 *
 * One incident is one group with one alert. The state `unknown` (the trigger's source went away while it
 * fired) goes out as firing with the annotation state="unknown": a label would make it another alert. Source:
 * alertmanager template.Data and notify/webhook (version "4"). Threads: pure. */
#ifndef FRAISEQL_EXPORTERS_WEBHOOK_MESSAGE_H
#define FRAISEQL_EXPORTERS_WEBHOOK_MESSAGE_H

#include "lib/core/arena.h"
#include "lib/core/json.h"
#include "lib/metrics/alert.h"

#define WEBHOOK_BODY_MAX (1024UL * 1024)

/* external_url may be NULL. The same arguments give the same bytes: a repeat carries the same body. */
void webhook_message_write(struct arena *arena, const struct alert *alert, const char *receiver,
                           const char *external_url, struct buf *out);

/* Shared with the Alertmanager message: members "annotations" (with the state when unknown) and the address
 * of the incident at this collector ("" without an external URL). */
void message_write_annotations(struct json_writer *json, const char *key, const struct alert *alert);
void message_write_labels(struct json_writer *json, const char *key, const struct alert_text *labels,
                          size_t count);
const char *message_generator_url(struct arena *arena, const struct alert *alert, const char *external_url);

#endif
