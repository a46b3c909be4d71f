/* The body of POST /api/v2/alerts.
 *
 * Every alert is sent in full whether it fires or is resolved: Alertmanager replaces what it holds, so a
 * resolve without annotations would erase them. startsAt is always there, as an endsAt alone would become the
 * start too. While an alert fires its endsAt lies 4 repeats ahead (Prometheus' factor), so that it ends by
 * itself only when this collector has been silent for that long. Names and empty values that Alertmanager
 * refuses are left out, because one bad alert answers 400 for its whole batch. Threads: pure. */
#ifndef FRAISEQL_EXPORTERS_ALERTMANAGER_MESSAGE_H
#define FRAISEQL_EXPORTERS_ALERTMANAGER_MESSAGE_H

#include "lib/core/arena.h"
#include "lib/core/json.h"
#include "lib/metrics/alert.h"

#define ALERTMANAGER_BODY_MAX      (64UL * 1024 * 1024)
#define ALERTMANAGER_REPEATS_AHEAD 4
/* A resolved alert is sent again for this long, for an Alertmanager that was away. */
#define ALERTMANAGER_RESOLVED_KEEP_NS (15 * 60 * NS_PER_S)

/* Between json_array_begin() and json_array_end(). */
void alertmanager_message_add(struct json_writer *json, struct arena *arena, const struct alert *alert,
                              const char *external_url, int64_t now_wall_ns, int64_t repeat_ns);

#endif
