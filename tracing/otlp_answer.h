/* Bodies of answers to OTLP/HTTP requests: ExportTraceServiceResponse and google.rpc.Status, in the encoding
 * the request came in, as the protocol demands. Full success is a body of no bytes. Pure; any thread. */
#ifndef FRAISEQL_TRACING_OTLP_ANSWER_H
#define FRAISEQL_TRACING_OTLP_ANSWER_H

#include "lib/core/buf.h"

#define OTLP_TYPE_PROTOBUF "application/x-protobuf"
#define OTLP_TYPE_JSON     "application/json"
#define OTLP_TYPE_TEXT     "text/plain; charset=utf-8"

/* The type to answer a request in, from its own Content-Type (may be NULL). */
const char *otlp_answer_type(const char *content_type);
/* rejected 0 with a message is a warning. */
void otlp_answer_partial(uint64_t rejected, const char *message, struct buf *out);
/* A google.rpc.Status for an HTTP status; content_type is one of the above. */
void otlp_answer_status(const char *content_type, int http_status, const char *message, struct buf *out);

#endif
