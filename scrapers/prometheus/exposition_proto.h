/* Reader of Prometheus' protobuf exposition: io.prometheus.client.MetricFamily messages, each behind its
 * length (github.com/prometheus/client_model, metrics.proto; the field numbers are the protocol).
 *
 * Gives the same items as the text parser, one a call: TYPE, HELP and UNIT of a family, then its lines as
 * they would stand on a text 0.0.4 page (foo_bucket with le, foo_sum, foo_count). A native histogram becomes
 * classic buckets whose bounds are exact (lib/metrics/exp_histogram.h); one that has classic buckets too
 * keeps these. Exemplars and start timestamps are skipped. What is damaged is one EXPOSITION_BAD item and
 * costs its metric or its family; a page that ends inside a message is not complete.
 *
 * Pure. Ownership as of the text parser: the page is borrowed, slices are valid until the next call, and
 * nothing is allocated once the memory has grown to the largest metric. Threads: owned by its caller. */
#ifndef FRAISEQL_SCRAPERS_PROMETHEUS_EXPOSITION_PROTO_H
#define FRAISEQL_SCRAPERS_PROMETHEUS_EXPOSITION_PROTO_H

#include "lib/core/wire.h"
#include "scrapers/prometheus/exposition_parse.h"

enum proto_suffix {
    PROTO_PLAIN,
    PROTO_BUCKET,
    PROTO_COUNT,
    PROTO_SUM,
    PROTO_GCOUNT,
    PROTO_GSUM,
    PROTO_SUFFIX_COUNT
};

/* One line of a metric. */
struct proto_point {
    enum proto_suffix suffix;
    const char *bound_label; /* "le", "quantile" or NULL */
    double bound;
    struct value value;
};

struct exposition_proto {
    struct str page;
    size_t offset; /* of what is read next */
    size_t family_count;
    bool complete;
    /* The family under way. */
    struct wire family;
    unsigned step; /* 0 to 2: TYPE, HELP, UNIT are next; 3: metrics */
    struct str name, help, unit;
    unsigned type; /* MetricType of the protocol */
    struct str line_names[PROTO_SUFFIX_COUNT];
    uint64_t line_keys[PROTO_SUFFIX_COUNT];
    struct buf names;
    /* The metric under way. */
    struct buf scratch;
    struct label base[LIMIT_LABELS_PER_SERIES], labels[LIMIT_LABELS_PER_SERIES];
    size_t base_count;
    uint64_t labels_key;
    int64_t timestamp_ms;
    bool has_timestamp;
    struct proto_point *points;
    size_t point_count, point_capacity, point_at;
    char bound_text[NUMBER_TEXT_MAX];
};

void exposition_proto_init(struct exposition_proto *proto);
void exposition_proto_deinit(struct exposition_proto *proto);
/* Begins a page; keeps the memory. */
void exposition_proto_begin(struct exposition_proto *proto, struct str page);
/* False at the end of the page. */
bool exposition_proto_next(struct exposition_proto *proto, struct exposition_item *ret_item);

/* How far the page is read, for slices. */
size_t exposition_proto_offset(const struct exposition_proto *proto);

/* Inside: the points of one metric's value. NULL, or why they cannot be used. */
void proto_add_point(struct exposition_proto *proto, enum proto_suffix suffix, struct value value);
void proto_add_bound(struct exposition_proto *proto, enum proto_suffix suffix, const char *label,
                     double bound, struct value value);
struct value proto_double(uint64_t bits);
const char *proto_read_histogram(struct exposition_proto *proto, struct wire histogram, bool gauge);

#endif
