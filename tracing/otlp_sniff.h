/* Which signal a protobuf request posted to `/` carries.
 *
 * SDKs with an endpoint that has no path post to `/`. Requests of the three signals share their outer shape
 * (1: group {1: resource, 2: scope {2: record}}); the first record decides: a span has a 16-byte field 1,
 * 8-byte times as fields 7 and 8; a metric has its name as field 1 and messages as fields 5 to 11; a log
 * record has an 8-byte time as field 1 or 11. Pure; any thread. */
#ifndef FRAISEQL_TRACING_OTLP_SNIFF_H
#define FRAISEQL_TRACING_OTLP_SNIFF_H

#include "tracing/tracing.h"

/* OTLP_SNIFF when it cannot be told; an empty request is OTLP_TRACES (there is nothing to lose in it). */
enum otlp_signal otlp_sniff(struct str request);

#endif
