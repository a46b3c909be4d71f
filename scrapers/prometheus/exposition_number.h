/* Numbers of exposition lines: what Go's ParseFloat takes without hexadecimal floats and underscores, as
 * Prometheus' own reader does. Integers of up to 64 bits stay integers; the rest is the nearest double.
 *
 * Pure. Threads: any. */
#ifndef FRAISEQL_SCRAPERS_PROMETHEUS_EXPOSITION_NUMBER_H
#define FRAISEQL_SCRAPERS_PROMETHEUS_EXPOSITION_NUMBER_H

#include "lib/metrics/value.h"

/* False when a byte does not belong. Any NaN becomes the one NaN, so that a page cannot forge a stale marker.
 */
bool exposition_parse_number(struct str text, struct value *ret_value);
/* Text 0.0.4: whole milliseconds, digits only. */
bool exposition_text_timestamp(struct str text, int64_t *ret_ms);
/* OpenMetrics: seconds as a finite number; cut to milliseconds, as Prometheus does. */
bool exposition_openmetrics_timestamp(struct str text, int64_t *ret_ms);

#endif
