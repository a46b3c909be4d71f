/* What identifies an alert at Alertmanager and at its webhook receivers: its labels, as Alertmanager sees
 * them.
 *
 * Source: prometheus/common model.LabelSet.Fingerprint() (FNV-1a 64 over name, 0xff, value, 0xff in order of
 * name) and alertmanager notify.Key (route path ":" group labels). Threads: pure. */
#ifndef FRAISEQL_EXPORTERS_ALERT_IDENTITY_H
#define FRAISEQL_EXPORTERS_ALERT_IDENTITY_H

#include "lib/core/arena.h"
#include "lib/core/buf.h"
#include "lib/metrics/alert.h"

/* Labels sorted by name, as they are sent: without empty values (Alertmanager drops those silently) and
 * without names that it would refuse with 400, which would refuse the whole batch. Borrowed texts in the
 * arena's array. */
const struct alert_text *alert_identity_labels(struct arena *arena, const struct alert *alert,
                                               size_t *ret_count);

#define ALERT_FINGERPRINT_SIZE 17
/* 16 hexadecimal digits. labels as made above. */
void alert_identity_fingerprint(const struct alert_text *labels, size_t count,
                                char text[ALERT_FINGERPRINT_SIZE]);

/* {}:{alertname="region-down", region="eu-west"}: every incident is a group of its own on the root route. */
void alert_identity_group_key(const struct alert_text *labels, size_t count, struct buf *out);

#endif
