/* Rules that change the labels of a line, or leave it out: Prometheus' metric_relabel_configs
 * (https://prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config), one after the
 * other. A metric keeps its name, which rules may read as __name__: its family was declared under it. Labels
 * that begin with __ are gone after the last rule, and so are those without a value.
 *
 * Pure. Ownership: relabel_free(); what relabel_apply() puts into labels lives until the next call. Threads:
 * owned by its caller. */
#ifndef FRAISEQL_SCRAPERS_PROMETHEUS_RELABEL_H
#define FRAISEQL_SCRAPERS_PROMETHEUS_RELABEL_H

#include "lib/core/option.h"
#include "lib/metrics/label.h"

#define RELABEL_MAX_RULES 100U

enum relabel_action {
    RELABEL_REPLACE,
    RELABEL_KEEP,
    RELABEL_DROP,
    RELABEL_KEEP_EQUAL,
    RELABEL_DROP_EQUAL,
    RELABEL_LABEL_MAP,
    RELABEL_LABEL_DROP,
    RELABEL_LABEL_KEEP,
    RELABEL_LOWERCASE,
    RELABEL_UPPERCASE
};

/* As configured. */
struct relabel_rule {
    struct option_position position;
    struct string_list source_labels;
    const char *separator, *regex, *target_label, *replacement;
    int action; /* enum relabel_action */
};

extern const struct option_section relabel_section;

struct relabel;

/* `rules` is borrowed; NULL and 0 when there are none. */
int relabel_new(const struct section_list *rules, struct relabel **ret_relabel, struct error *err)
    CHECK_RESULT;
void relabel_free(struct relabel *relabel); /* accepts NULL */

enum relabel_verdict { RELABEL_TAKE, RELABEL_LEAVE_OUT, RELABEL_TOO_MANY_LABELS };

/* `labels` has room for LIMIT_LABELS_PER_SERIES. */
enum relabel_verdict relabel_apply(struct relabel *relabel, struct str name, struct label *labels,
                                   size_t *count);

#endif
