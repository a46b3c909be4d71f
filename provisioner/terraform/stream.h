/* What `terraform ... -json` says: one JSON object a line, each with a "type" (the machine-readable UI).
 *
 * Bytes go in as they come; whole lines come out as events. A line that is no JSON object (a panic, a message
 * of a wrapper) becomes TF_TEXT; one that is longer than TF_LINE_MAX is dropped up to its end and counted.
 * Unknown types are TF_OTHER, since the format may grow. Pure: no descriptor, no clock.
 *
 * Ownership: texts of an event are valid during the callback. Threads: owned by the caller. */
#ifndef FRAISEQL_PROVISIONER_TERRAFORM_STREAM_H
#define FRAISEQL_PROVISIONER_TERRAFORM_STREAM_H

#include "lib/core/arena.h"
#include "lib/core/buf.h"

#define TF_LINE_MAX (1024UL * 1024)

enum tf_event_kind {
    TF_OTHER,
    TF_TEXT,           /* message */
    TF_PLANNED,        /* address, type, action, reason, import_id */
    TF_DRIFT,          /* the same: changed outside of us */
    TF_APPLY_START,    /* address, type, action */
    TF_APPLY_PROGRESS, /* address, elapsed_s */
    TF_APPLY_DONE,     /* address, id, elapsed_s */
    TF_APPLY_FAILED,   /* address, elapsed_s */
    TF_SUMMARY,        /* operation, add, change, remove, import */
    TF_DIAGNOSTIC,     /* is_error, summary, detail, address */
};

struct tf_event {
    enum tf_event_kind kind;
    const char *address; /* never NULL; "" where there is none */
    const char *type;    /* of the resource: "aws_vpc" */
    const char *action;  /* create, read, update, replace, delete, noop, import, forget */
    const char *reason;  /* why it is replaced or deleted: "cannot_update" */
    const char *id, *import_id;
    const char *operation; /* of a summary: plan, apply, destroy */
    const char *summary, *detail, *message;
    bool is_error;
    int64_t elapsed_s, add, change, remove, import;
};

typedef void tf_event_fn(void *arg, const struct tf_event *event);

struct tf_stream {
    struct buf line;
    bool overlong;    /* inside a line that is dropped */
    uint64_t dropped; /* how many such lines */
    struct arena *arena;
};

void tf_stream_init(struct tf_stream *stream);
void tf_stream_deinit(struct tf_stream *stream);
void tf_stream_feed(struct tf_stream *stream, struct str bytes, tf_event_fn *event, void *arg);
/* A last line without its end. */
void tf_stream_end(struct tf_stream *stream, tf_event_fn *event, void *arg);

#endif
