/* The decoder of ExportTraceServiceRequest that requests run through: a walk over the bytes in place.
 *
 * Why not the generated decoder: protobuf-c allocates and copies every attribute of every span (and recurses
 * as deep as the sender nests), while span metrics read eight fields. This one reads those where they lie and
 * checks the rest without keeping it; tests/bench/bench_otlp.c shows both. The generated one is the reference
 * (tracing/otlp_reference.h) that a differential test and a fuzz target compare it with.
 *
 * What it takes, as the protocol demands: fields in any order (a Collector writes them in descending order,
 * so `resource` comes after its spans), a message in several parts (merged), unknown and reserved fields
 * (1000 is the instrumentation_library_spans of old senders), over-long varints, groups.
 *
 * What damage costs: a span that cannot be read or whose ids are wrong costs itself; a resource or scope that
 * cannot be read costs its own spans; damage to the envelope (the lengths that lead from span to span) is an
 * error of the whole request, found before the first span is handed out.
 *
 * Ownership: everything handed to the visitor points into the request and is valid during the call.
 * Threads: pure; any. */
#ifndef FRAISEQL_TRACING_OTLP_DECODE_H
#define FRAISEQL_TRACING_OTLP_DECODE_H

#include "lib/core/error.h"
#include "lib/core/str.h"

struct otlp_resource {
    struct str service;           /* service.name; empty when absent, as all of these */
    struct str instance;          /* service.instance.id */
    struct str deployment_region; /* deployment.region */
    struct str region;            /* region */
    struct str cloud_region;      /* cloud.region */
};

enum {
    OTLP_KIND_UNSPECIFIED,
    OTLP_KIND_INTERNAL,
    OTLP_KIND_SERVER,
    OTLP_KIND_CLIENT,
    OTLP_KIND_PRODUCER,
    OTLP_KIND_CONSUMER,
    OTLP_KIND_COUNT
};
enum { OTLP_STATUS_UNSET, OTLP_STATUS_OK, OTLP_STATUS_ERROR, OTLP_STATUS_COUNT };

#define OTLP_FLAG_REMOTE_KNOWN 0x100U
#define OTLP_FLAG_REMOTE       0x200U /* believed only beside OTLP_FLAG_REMOTE_KNOWN */

struct otlp_span {
    struct str trace_id, span_id; /* 16 and 8 bytes, not all zero */
    struct str parent_span_id;    /* 8 bytes; empty when absent or all zero */
    struct str trace_state, name; /* name is UTF-8 */
    uint64_t start_ns, end_ns;    /* since 1970 */
    uint32_t kind;                /* below OTLP_KIND_COUNT: what is newer reads as unspecified */
    uint32_t status;              /* below OTLP_STATUS_COUNT: what is newer reads as unset */
    uint32_t flags;
};

/* Why a span was rejected. */
enum otlp_reject {
    OTLP_REJECT_DAMAGED, /* wire format */
    OTLP_REJECT_DEPTH,   /* attribute values nested too deep */
    OTLP_REJECT_TRACE_ID,
    OTLP_REJECT_SPAN_ID,
    OTLP_REJECT_PARENT_ID,
    OTLP_REJECT_UTF8,     /* its name */
    OTLP_REJECT_RESOURCE, /* its resource: wire format */
    OTLP_REJECT_RESOURCE_UTF8,
    OTLP_REJECT_SCOPE,
    OTLP_REJECT_COUNT
};
const char *otlp_reject_name(enum otlp_reject reason); /* for labels: "trace_id" */
const char *
otlp_reject_text(enum otlp_reject reason); /* for people: "trace_id is not 16 bytes or all zero" */

struct otlp_visitor {
    void *ctx;
    void (*resource)(void *ctx, const struct otlp_resource *resource); /* before the spans of each group */
    void (*span)(void *ctx, const struct otlp_span *span);
    void (*reject)(void *ctx, enum otlp_reject reason,
                   uint64_t ordinal); /* ordinal: of the request, from 1 */
};

struct otlp_frame {
    uint64_t groups; /* ResourceSpans */
    uint64_t spans;
};

/* Checks the envelope only. ERR_PARSE. */
int otlp_frame_traces(struct str request, struct otlp_frame *ret_frame, struct error *err) CHECK_RESULT;
/* Checks the envelope, then hands out resources and spans. ERR_PARSE, and then nothing was handed out. */
int otlp_decode_traces(struct str request, const struct otlp_visitor *visitor, struct otlp_frame *ret_frame,
                       struct error *err) CHECK_RESULT;

/* The checks on a span that was read whole, shared with the reference decoder. False with a reason; clears an
 * all-zero parent and folds unknown kinds and statuses. */
bool otlp_span_accept(struct otlp_span *span, enum otlp_reject *ret_reason) CHECK_RESULT;
/* Takes an attribute of a resource whose value is a text; the first of a key that is not empty counts. */
void otlp_resource_attribute(struct otlp_resource *resource, struct str key, struct str value);
/* False when a text of it is not UTF-8. */
bool otlp_resource_accept(const struct otlp_resource *resource) CHECK_RESULT;

#endif
