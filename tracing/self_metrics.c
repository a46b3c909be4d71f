/* fraiseql_otlp_*: what the receiver says of itself. */
#include "tracing/tracing_internal.h"

static const char *const signal_names[] = {"traces", "metrics", "logs", "unknown"};
static const char *const status_names[TRACING_STATUS_COUNT] = {"200", "400", "404", "413", "415", "503"};
static const char *const refusal_names[TRACING_REFUSED_COUNT] = {
    "signal", "content_type", "content_encoding", "size", "memory", "compression", "damaged"};

const char *tracing_refusal_name(enum tracing_refusal reason)
{
    return refusal_names[reason];
}

static void put_plain(struct batch *batch, const char *name, enum metric_type type, const char *help,
                      uint64_t number)
{
    const struct metric_desc desc = {.name = name, .type = type, .help = help};
    batch_put(batch, &desc, NULL, 0, VALUE_OF_U64(number));
}

static void put_requests(const struct tracing_stats *stats, struct batch *batch)
{
    const struct metric_desc desc = {.name = "fraiseql_otlp_requests_total",
                                     .type = METRIC_COUNTER,
                                     .help = "OTLP/HTTP requests by signal and status code answered."};
    struct batch_family *family = batch_family(batch, &desc);
    for (size_t signal = 0; signal < ARRAY_LEN(signal_names); signal++)
        for (size_t status = 0; status < TRACING_STATUS_COUNT; status++) {
            uint64_t count = counter_get(&stats->requests[signal][status]);
            if (!count && (signal != OTLP_TRACES || status != TRACING_STATUS_200))
                continue; /* most pairs never happen */
            struct label labels[] = {LABEL_TEXT("signal", signal_names[signal]),
                                     LABEL_TEXT("code", status_names[status])};
            batch_add(batch, family, labels, ARRAY_LEN(labels), VALUE_OF_U64(count));
        }
}

static void put_reasons(const struct tracing_stats *stats, struct batch *batch)
{
    const struct metric_desc refused = {.name = "fraiseql_otlp_refused_requests_total",
                                        .type = METRIC_COUNTER,
                                        .help = "OTLP/HTTP requests refused whole, by reason."};
    struct batch_family *family = batch_family(batch, &refused);
    for (size_t i = 0; i < TRACING_REFUSED_COUNT; i++) {
        struct label label = LABEL_TEXT("reason", refusal_names[i]);
        batch_add(batch, family, &label, 1, VALUE_OF_U64(counter_get(&stats->refused[i])));
    }
    const struct metric_desc rejected = {.name = "fraiseql_otlp_rejected_spans_total",
                                         .type = METRIC_COUNTER,
                                         .help = "Spans rejected from requests otherwise taken, by reason."};
    family = batch_family(batch, &rejected);
    for (size_t i = 0; i < OTLP_REJECT_COUNT; i++) {
        struct label label = LABEL_TEXT("reason", otlp_reject_name((enum otlp_reject)i));
        batch_add(batch, family, &label, 1, VALUE_OF_U64(counter_get(&stats->rejected[i])));
    }
}

void self_metrics_write(const struct tracing *tracing, struct batch *batch)
{
    const struct tracing_stats *stats = &tracing->stats;
    struct span_metrics_stats spans;
    span_metrics_stats(tracing->metrics, &spans);
    put_requests(stats, batch);
    put_reasons(stats, batch);
    put_plain(batch, "fraiseql_otlp_received_bytes_total", METRIC_COUNTER,
              "Bytes of OTLP request bodies as received.", counter_get(&stats->wire_bytes));
    put_plain(batch, "fraiseql_otlp_message_bytes_total", METRIC_COUNTER,
              "Bytes of OTLP request bodies after decompression.", counter_get(&stats->plain_bytes));
    put_plain(batch, "fraiseql_otlp_root_requests_total", METRIC_COUNTER,
              "OTLP/HTTP requests posted to / instead of a signal's own path.",
              counter_get(&stats->root_requests));
    put_plain(batch, "fraiseql_otlp_inflight_bytes", METRIC_GAUGE, "Bytes of OTLP requests being worked on.",
              counter_get(&stats->inflight_bytes));
    put_plain(batch, "fraiseql_otlp_spans_total", METRIC_COUNTER, "Spans counted.",
              counter_get(&stats->spans));
    put_plain(batch, "fraiseql_otlp_skewed_spans_total", METRIC_COUNTER,
              "Spans that end before they start or last over 30 days, counted with a duration of 0.",
              counter_get(&stats->skewed));
    put_plain(batch, "fraiseql_otlp_sampled_spans_total", METRIC_COUNTER,
              "Spans of traces sampled with a probability below one, which count as one span each.",
              counter_get(&stats->sampled));
    put_plain(batch, "fraiseql_otlp_unnamed_spans_total", METRIC_COUNTER,
              "Spans whose resource has no service.name, counted as unknown_service.",
              counter_get(&stats->unnamed));
    put_plain(batch, "fraiseql_otlp_overflow_spans_total", METRIC_COUNTER,
              "Spans counted in an overflow series because the limit on label sets was reached.",
              spans.overflow_spans);
    put_plain(batch, "fraiseql_otlp_label_sets", METRIC_GAUGE, "Label sets of span metrics.", spans.sets);
    put_plain(batch, "fraiseql_otlp_label_sets_limit", METRIC_GAUGE, "Most label sets of span metrics.",
              spans.max_sets);
}
