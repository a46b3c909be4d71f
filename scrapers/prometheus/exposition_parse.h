/* Reader of exposition pages: text 0.0.4 as Prometheus 2.42 and 3.x read it, and OpenMetrics 1.0.
 *
 * Pure: bytes in, items out, one item a call. Where a server would refuse the whole page, here a bad line is
 * one EXPOSITION_BAD item and the next line is read. Exemplars are checked and skipped. Two
 * liberties: a CR before the LF is ignored (Windows exporters), and names in double quotes (UTF-8 names of
 * Prometheus 3) are mapped to the old set by the `underscores` escaping scheme.
 *
 * Ownership: the page is borrowed and never written; slices of an item point into the page or into the
 * parser's scratch memory and are valid until the next call. No memory is allocated a line once the scratch
 * has grown to the longest escaped line. Threads: owned by its caller. */
#ifndef FRAISEQL_SCRAPERS_PROMETHEUS_EXPOSITION_PARSE_H
#define FRAISEQL_SCRAPERS_PROMETHEUS_EXPOSITION_PARSE_H

#include "lib/metrics/label.h"
#include "lib/metrics/snapshot.h"

enum exposition_format {
    EXPOSITION_TEXT,
    EXPOSITION_OPENMETRICS,
    EXPOSITION_PROTOBUF /* exposition_proto.h; not for this parser */
};

enum exposition_kind {
    EXPOSITION_SAMPLE,
    EXPOSITION_TYPE,
    EXPOSITION_HELP,
    EXPOSITION_UNIT,
    EXPOSITION_BAD /* a line that cannot be used; see reason */
};

struct exposition_item {
    enum exposition_kind kind;
    size_t line;     /* 1-based; of protobuf the number of the family */
    struct str name; /* of the sample or of the family */
    /* Sample. `raw` is name and labels as written, for recognising the line of the last scrape; of protobuf
     * they lie in no one place, and `key` is a hash of them. */
    struct str raw;
    uint64_t key;
    struct label *labels; /* values unescaped; the parser's array, free to reorder */
    size_t label_count;
    struct value value;
    int64_t timestamp_ms; /* when has_timestamp */
    bool has_timestamp;
    enum metric_type type; /* of EXPOSITION_TYPE; gaugehistogram is read as METRIC_UNTYPED */
    struct str text;       /* HELP as written (exposition_unescape_help()), or the unit */
    const char *reason;    /* EXPOSITION_BAD: static text */
};

struct exposition_parser {
    struct str page;
    enum exposition_format format;
    size_t offset; /* of the next line in the page */
    size_t line;
    bool complete; /* OpenMetrics: `# EOF` was read */
    struct buf scratch;
    struct label labels[LIMIT_LABELS_PER_SERIES];
};

void exposition_parser_init(struct exposition_parser *parser);
void exposition_parser_deinit(struct exposition_parser *parser);
/* Begins a page; keeps the scratch memory. */
void exposition_parser_begin(struct exposition_parser *parser, enum exposition_format format,
                             struct str page);
/* False at the end of the page. */
bool exposition_next(struct exposition_parser *parser, struct exposition_item *ret_item);
/* After the end: false when an OpenMetrics page stopped before `# EOF` (it was cut off). */
bool exposition_is_complete(const struct exposition_parser *parser);

/* Appends the text with \\ and \n (OpenMetrics: \" too; protobuf: nothing) replaced. */
void exposition_unescape_help(enum exposition_format format, struct str raw, struct buf *out);

#endif
