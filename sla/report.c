#include "sla/report.h"

#include "lib/metrics/value.h"
#include "sla/burn.h"

#include <stdio.h>
#include <stdlib.h>

struct sla_report *sla_report_ref(struct sla_report *report)
{
    refcount_get(&report->refs);
    return report;
}

struct sla_report *sla_report_unref(struct sla_report *report)
{
    if (report && refcount_put(&report->refs))
        arena_free(report->arena); /* the report lives in it */
    return NULL;
}

/* integer.fraction without trailing zeros; fraction has `digits` digits. */
static void format_fixed(uint64_t integer, uint64_t fraction, int digits, char text[SLA_DECIMAL_MAX])
{
    if (!fraction) {
        (void)snprintf(text, SLA_DECIMAL_MAX, "%llu", (unsigned long long)integer);
        return;
    }
    for (; fraction % 10 == 0; digits--)
        fraction /= 10;
    (void)snprintf(text, SLA_DECIMAL_MAX, "%llu.%0*llu", (unsigned long long)integer, digits,
                   (unsigned long long)fraction);
}

void sla_format_allowed(uint64_t budget_ppb, uint64_t events, char text[SLA_DECIMAL_MAX])
{
    unsigned __int128 scaled = (unsigned __int128)budget_ppb * events;
    format_fixed((uint64_t)(scaled / SLA_PPB), (uint64_t)(scaled % SLA_PPB), 9, text);
}

void sla_format_availability(uint64_t good, uint64_t total, char text[SLA_DECIMAL_MAX])
{
    unsigned __int128 scaled = total ? (unsigned __int128)good * SLA_PPB / total : 0;
    (void)snprintf(text, SLA_DECIMAL_MAX, "%llu.%07llu", (unsigned long long)(scaled / 10000000),
                   (unsigned long long)(scaled % 10000000));
}

/* --- families --- */

enum slo_family {
    FAMILY_OBJECTIVE,
    FAMILY_GOOD,
    FAMILY_TOTAL,
    FAMILY_UNKNOWN,
    FAMILY_COVERED,
    FAMILY_REMAINING,
    FAMILY_BURN,
    FAMILY_EVENTS
};

static const struct metric_desc descriptions[] = {
    [FAMILY_OBJECTIVE] = {"fraiseql_slo_objective_ratio", METRIC_GAUGE, "Objective as a ratio.", NULL},
    [FAMILY_GOOD] = {"fraiseql_slo_good_events", METRIC_GAUGE, "Good events in the objective's window.",
                     NULL},
    [FAMILY_TOTAL] = {"fraiseql_slo_total_events", METRIC_GAUGE,
                      "Events that count in the objective's window.", NULL},
    [FAMILY_UNKNOWN] = {"fraiseql_slo_unknown_events", METRIC_GAUGE,
                        "Events of unknown outcome in the objective's window.", NULL},
    [FAMILY_COVERED] = {"fraiseql_slo_window_covered_ratio", METRIC_GAUGE,
                        "Share of the objective's window in which a collector ran and knew the series.",
                        NULL},
    [FAMILY_REMAINING] = {"fraiseql_slo_error_budget_remaining_ratio", METRIC_GAUGE,
                          "Share of the error budget that is left; negative when more was spent.", NULL},
    [FAMILY_BURN] =
        {"fraiseql_slo_burn_rate", METRIC_GAUGE,
         "Error ratio over the window relative to the error budget; 1 spends it in the objective's window.",
         NULL},
    [FAMILY_EVENTS] = {"fraiseql_sli_events_total", METRIC_COUNTER, "Events by outcome, as observed.", NULL},
};

#define MAX_LABELS (SLA_MAX_BY + 4)

static size_t base_labels(const struct sla_series_report *series, const char *observer, struct label *labels)
{
    size_t count = 0;
    labels[count++] = LABEL_TEXT("slo", series->slo);
    labels[count++] = LABEL_TEXT("observer", observer);
    for (size_t i = 0; i < series->label_count && i < SLA_MAX_BY; i++)
        labels[count++] = (struct label){str_from(series->labels[i].name), str_from(series->labels[i].value)};
    return count;
}

static void add_one(struct batch *batch, struct batch_family *family, const struct sla_series_report *series,
                    const char *observer, const struct label *more, struct value value)
{
    struct label labels[MAX_LABELS];
    size_t count = base_labels(series, observer, labels);
    if (more)
        labels[count++] = *more;
    batch_add(batch, family, labels, count, value);
}

static void add_family(const struct sla_report *report, const char *observer, struct batch *batch,
                       enum slo_family which)
{
    struct batch_family *family = batch_family(batch, &descriptions[which]);
    for (size_t i = 0; i < report->series_count; i++) {
        const struct sla_series_report *series = &report->series[i];
        struct value values[] = {
            [FAMILY_OBJECTIVE] = VALUE_OF_F64((double)series->objective_ppb / 1e9),
            [FAMILY_GOOD] = VALUE_OF_U64(series->good),
            [FAMILY_TOTAL] = VALUE_OF_U64(series->total),
            [FAMILY_UNKNOWN] = VALUE_OF_U64(series->unknown),
            [FAMILY_COVERED] = VALUE_OF_F64(series->covered_ratio),
            [FAMILY_REMAINING] = VALUE_OF_F64(series->remaining_ratio),
        };
        if (which != FAMILY_REMAINING || series->has_allowed)
            add_one(batch, family, series, observer, NULL, values[which]);
    }
}

static void add_burns(const struct sla_report *report, const char *observer, struct batch *batch)
{
    struct batch_family *family = batch_family(batch, &descriptions[FAMILY_BURN]);
    for (size_t i = 0; i < report->series_count; i++) {
        const struct sla_series_report *series = &report->series[i];
        for (size_t j = 0; j < series->burn_count; j++) {
            struct label window = LABEL_TEXT("window", series->burns[j].window);
            if (series->burns[j].known)
                add_one(batch, family, series, observer, &window, VALUE_OF_F64(series->burns[j].rate));
        }
    }
}

static void add_events(const struct sla_report *report, const char *observer, struct batch *batch)
{
    struct batch_family *family = batch_family(batch, &descriptions[FAMILY_EVENTS]);
    for (size_t i = 0; i < report->series_count; i++) {
        const struct sla_series_report *series = &report->series[i];
        struct label good = LABEL("outcome", STR("good")), bad = LABEL("outcome", STR("bad"));
        struct label unknown = LABEL("outcome", STR("unknown"));
        add_one(batch, family, series, observer, &good, VALUE_OF_U64(series->events_good));
        add_one(batch, family, series, observer, &bad, VALUE_OF_U64(series->events_bad));
        add_one(batch, family, series, observer, &unknown, VALUE_OF_U64(series->events_unknown));
    }
}

void sla_report_to_batch(const struct sla_report *report, const char *observer, struct batch *batch)
{
    for (enum slo_family which = FAMILY_OBJECTIVE; which <= FAMILY_REMAINING; which++)
        add_family(report, observer, batch, which);
    add_burns(report, observer, batch);
    add_events(report, observer, batch);
}
