/* Spans of the example service: one a request, sent as OTLP over HTTP (protobuf) by a thread of its own.
 *
 * Delivery is best effort: what does not fit into the queue or is not taken by the receiver is dropped and
 * counted. An incoming W3C traceparent becomes the parent.
 * Threads: span_send() from any. */
#ifndef FRAISEQL_EXAMPLES_SERVICE_SPAN_H
#define FRAISEQL_EXAMPLES_SERVICE_SPAN_H

#include "examples/service/settings.h"
#include "examples/service/stats.h"

struct span {
    unsigned char trace_id[16], id[8], parent_id[8];
    bool has_parent;
    char name[40];
    int64_t start_wall_ns, duration_ns;
    int status; /* of HTTP */
    bool failed;
};

/* New ids; the trace and the parent of `traceparent` (NULL, or not well formed: a new trace). */
void span_start(struct span *span, const char *traceparent, int64_t wall_ns);
/* One ExportTraceServiceRequest (opentelemetry-proto, trace/v1/trace.proto). */
void span_encode(const struct settings *settings, const struct span *spans, size_t count, struct buf *out);

struct span_sender;

/* NULL when settings->otlp_url is NULL: span_send() and span_sender_free() accept that. */
int span_sender_new(const struct settings *settings, struct stats *stats, struct span_sender **ret,
                    struct error *err) CHECK_RESULT;
void span_send(struct span_sender *sender, const struct span *span);
/* Sends what is queued, waiting a second at most for it. */
void span_sender_free(struct span_sender *sender);

#endif
