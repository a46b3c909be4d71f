/* The reference decoder: protobuf-c's generated one over an arena, behind the visitor of otlp_decode.h.
 *
 * It is what the decoder of otlp_decode.h is compared with by a differential test, a fuzz target and the
 * benchmark, because it shares no line with it but the checks on a whole span. It is not for bytes off the
 * network: generated code recurses as deep as a message nests and has no limit on it.
 *
 * Every request that both take yields the same resources, spans and rejections. The reference takes less: any
 * damage anywhere is an error of the whole request, as are groups.
 *
 * Threads: any. */
#ifndef FRAISEQL_TRACING_OTLP_REFERENCE_H
#define FRAISEQL_TRACING_OTLP_REFERENCE_H

#include "lib/core/arena.h"
#include "tracing/otlp_decode.h"

/* The arena holds the message afterwards; what the visitor is given lies in it. ERR_PARSE. */
int otlp_reference_traces(struct str request, struct arena *arena, const struct otlp_visitor *visitor,
                          struct otlp_frame *ret_frame, struct error *err) CHECK_RESULT;

#endif
