/* OTLP in: bytes of a request become span metrics and SLI counts.
 *
 * tracing_receive() may be called from any number of threads: each call counts into a shard of its own
 * choosing; tracing_publish() (once a second, one thread) takes the shards over by pointer swap, adds them
 * up, publishes a snapshot and hands SLI counts to the sink. Counters live as long as the process.
 *
 * Names are the spanmetrics connector's: traces_span_metrics_calls_total and
 * traces_span_metrics_duration_milliseconds, labels service_name, span_name, span_kind, status_code and
 * region. */
#ifndef FRAISEQL_TRACING_TRACING_H
#define FRAISEQL_TRACING_TRACING_H

#include "lib/core/option.h"
#include "lib/metrics/batch.h"
#include "lib/metrics/hub.h"
#include "lib/metrics/sli.h"

#include <sys/socket.h>

/* `otlp:` of the configuration. */
struct tracing_config;
extern const struct option_section tracing_section;
const struct address_option *
tracing_config_http(const struct tracing_config *config); /* text NULL: not opened */
const struct address_option *tracing_config_grpc(const struct tracing_config *config);

struct tracing;

struct tracing_options {
    const struct tracing_config *config;
    const char *region; /* the collector's own, for spans without a region */
    const struct sli_span_selector *selectors;
    size_t selector_count;
    /* Lines of span metrics on the page (a label set takes 20 with the default buckets); new label sets
     * beyond it go to an overflow series a service. 0: LIMIT_SERIES_PER_TARGET. */
    uint64_t max_series;
    size_t max_body_bytes;       /* as received and after decompression; 0: LIMIT_BODY_BYTES */
    uint64_t max_inflight_bytes; /* of all requests at a time, beyond it 503; 0: 4 * max_body_bytes */
    uint32_t hub_order;          /* of its two sources ("otlp": "spans" and "self") */
};

/* sink is copied; its functions are called by tracing_publish() and tracing_reconfigure(). May be NULL. */
int tracing_new(struct hub *hub, const struct sli_sink *sink, const struct tracing_options *options,
                struct tracing **ret_tracing, struct error *err) CHECK_RESULT;
void tracing_free(struct tracing *tracing);
/* Takes over new options but for `otlp.buckets` and hub_order; counters live on. The former config and
 * selectors may be freed after it returns. Any thread but never at the same time as itself or
 * tracing_publish(). */
int tracing_reconfigure(struct tracing *tracing, const struct tracing_options *options, struct error *err)
    CHECK_RESULT;

enum otlp_signal { OTLP_TRACES, OTLP_METRICS, OTLP_LOGS, OTLP_SNIFF };

struct otlp_request {
    enum otlp_signal signal;      /* OTLP_SNIFF: posted to `/`; decided by the bytes */
    const char *content_type;     /* may be NULL */
    const char *content_encoding; /* may be NULL */
    const struct sockaddr *peer;
    struct str body; /* as received */
};

struct otlp_response {
    int http_status;          /* 200, 400, 404, 413, 415, 503 */
    const char *content_type; /* static */
    int retry_after_s;        /* 0: no header */
    struct buf body;          /* the caller's buffer, appended to */
};

/* Always fills the response; the caller has checked the method. Any thread.
 *
 * Of what OTLP/HTTP defines this takes traces as application/x-protobuf, plain or compressed with gzip or
 * deflate. Everything else gets a final answer (no SDK retries 400, 404, 413, 415) that says what is taken:
 * metrics and logs 404, application/json and other types 415, zstd and other codings 415. 503 with
 * Retry-After is the only retryable one: too many bytes in flight. gRPC is not spoken: on the gRPC port, too,
 * only HTTP/1 POSTs can be answered. */
void tracing_receive(struct tracing *tracing, const struct otlp_request *request,
                     struct otlp_response *response);
/* Once a second, one thread: takes over what was counted, publishes, hands SLOs their counts. */
void tracing_publish(struct tracing *tracing, int64_t wall_ns, int64_t mono_ns);

#endif
