/* `slos:` and `triggers:` of the configuration: option tables, and the checks that need more than one
 * section.
 *
 * Ownership: everything lives in the arena of the configuration generation. Threads: immutable. */
#ifndef FRAISEQL_SLA_SLA_CONFIG_H
#define FRAISEQL_SLA_SLA_CONFIG_H

#include "lib/core/option.h"
#include "lib/metrics/sli.h"

#define SLA_MAX_WINDOW_NS (400 * 86400 * NS_PER_S) /* what the journal keeps */
#define SLA_MAX_OUTCOMES  1000                     /* of `of:` */
#define SLA_MAX_BY        16

extern const struct option_section sla_slo_section;     /* elements are struct sla_slo_config */
extern const struct option_section sla_trigger_section; /* elements are struct sla_trigger_config */

enum sla_kind { SLA_PROBE, SLA_SPANS, SLA_COUNTER, SLA_TIME_SLICE };

/* How events of unknown outcome count: as nothing (the default; they stay visible as unknown), bad or good.
 */
enum sla_no_data { SLA_NO_DATA_EXCLUDE, SLA_NO_DATA_BAD, SLA_NO_DATA_GOOD };

struct sla_spans_config {
    const char *service, *name, *kind; /* NULL: any */
    bool entry;
    int64_t faster_than_ns; /* 0: duration does not matter */
};

struct sla_slice_config {
    const char *metric; /* selector */
    const char *above,
        *below;       /* numbers as written; exactly one is set: a value that is not beyond it is bad */
    int64_t every_ns; /* whole seconds */
};

struct sla_sli_config {
    const char *probe;
    int64_t faster_than_ns; /* of probe */
    struct sla_spans_config *spans;
    const char *bad, *good, *total; /* selectors: total with one of the others */
    struct sla_slice_config *time_slice;
};

struct sla_slo_config {
    const char *name;
    uint64_t objective_ppb;
    int64_t window_ns;
    struct string_list by; /* labels that make series of their own; none: one series */
    struct sla_sli_config sli;
    int no_data; /* enum sla_no_data */
    struct option_position position;
};

enum sla_kind sla_slo_kind(const struct sla_slo_config *slo);

struct sla_when_config {
    const char *probe;
    int64_t failures, of; /* n of the last m outcomes; unknown outcomes are no outcomes */
    const char *slo;
    uint64_t burn_rate_milli; /* thousandths; fires when every window burns faster */
    struct string_list windows;
    const char *metric; /* selector */
    const char *above, *below;
    int64_t for_ns;
};

struct sla_resolve_config {
    int64_t successes, of; /* of probe triggers; counted from the moment it fired */
    int64_t for_ns;        /* of the others: the condition has been false this long */
};

enum sla_on_no_data { SLA_NO_DATA_HOLD, SLA_NO_DATA_FIRE, SLA_NO_DATA_RESOLVE };

struct sla_trigger_config {
    const char *name;
    struct sla_when_config when;
    struct string_list by;              /* none: the SLO's `by`, else all labels */
    struct sla_resolve_config *resolve; /* NULL: defaults */
    int on_no_data;                     /* enum sla_on_no_data */
    struct string_map labels, annotations;
    struct string_list notify;
    struct option_position position;
};

/* One probe as configured; the number of events in a full window follows from its interval. */
struct sla_probe {
    const char *name, *target, *region;
    int64_t interval_ns;
};

/* How often metrics whose name starts with `prefix` are published; the longest prefix that fits counts. */
struct sla_metric_source {
    const char *prefix;
    int64_t interval_ns;
};

struct sla_check_input {
    const struct section_list *slos, *triggers;
    const struct sla_probe *probes;
    size_t probe_count;
    const char *const *receivers; /* names of `notify:` */
    size_t receiver_count;
    const struct sla_metric_source *sources; /* for warnings; may be empty */
    size_t source_count;
};

/* Errors: names twice, references to what is not there (with the nearest name), thresholds that can never
 * fire, labels in `by` that the SLO does not have. */
void sla_config_check(const struct sla_check_input *input, struct diag *diag);
/* Warnings for --check: an objective finer than its source. */
void sla_config_warn(const struct sla_check_input *input, struct diag *diag);

/* The span SLOs, for tracing; in the arena, valid as long as the configuration. */
struct sli_span_selector *sla_config_span_selectors(const struct section_list *slos, struct arena *arena,
                                                    size_t *ret_count);

#endif
