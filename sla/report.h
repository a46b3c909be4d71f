/* What the API and /metrics say of every SLO: numbers of one commit, never ahead of what is durable.
 *
 * Definitions, over the SLO's window W ending at as_of, per series (one set of `by` labels):
 *   good, bad, unknown   events; `unknown` is what no_data makes of them: nothing, bad, or good
 *   total                good + bad, plus unknown unless no_data is exclude
 *   spent                bad, plus unknown when no_data is bad (= total - counted good)
 *   b                    1e9 - objective_ppb
 *   allowed              b * N / 1e9; N = events of a full window (basis expected) or total (basis observed)
 *   remaining_ratio      1 - spent / allowed; may be negative
 *   availability         counted good / total in percent, rounded down at the 7th decimal so that 100 means
 * none failed burn rate of w       (spent / total) / (b / 1e9) over w covered_ratio        share of the
 * seconds of W in which a collector with this journal ran and knew the series
 *
 * Ownership: reference-counted. Threads: immutable, so any thread may read. */
#ifndef FRAISEQL_SLA_REPORT_H
#define FRAISEQL_SLA_REPORT_H

#include "lib/core/arena.h"
#include "lib/core/atomic.h"
#include "lib/core/units.h"
#include "lib/metrics/alert.h"
#include "lib/metrics/batch.h"

struct sla_burn_report {
    const char *window; /* "5m" */
    bool known;         /* false: no events */
    double rate;
};

#define SLA_DECIMAL_MAX 48

struct sla_series_report {
    const char *slo;
    const struct alert_text *labels; /* the `by` labels that have a value, sorted by name */
    size_t label_count;
    uint64_t objective_ppb;
    const char *objective, *window;     /* "99.99", "30d" */
    uint64_t good, total, unknown;      /* good as counted: total - good is spent */
    bool has_availability;              /* false without events */
    char availability[SLA_DECIMAL_MAX]; /* "99.9912345" */
    double availability_ratio;
    double covered_ratio;
    bool expected;                 /* basis: expected or observed */
    bool has_allowed;              /* false: basis observed and no events */
    char allowed[SLA_DECIMAL_MAX]; /* "259.2" */
    uint64_t spent;
    double remaining_ratio;              /* when has_allowed */
    const struct sla_burn_report *burns; /* 5m, 1h, 6h, 3d and what triggers use, ascending */
    size_t burn_count;
    uint64_t events_good, events_bad, events_unknown; /* since this series is known: they never fall */
};

struct sla_report {
    struct refcount refs;
    struct arena *arena;
    int64_t as_of_wall_ns;
    int64_t durable_until_wall_ns;          /* every event before it is in the journal; 0: nothing yet */
    const struct sla_series_report *series; /* by SLO as configured, then by label text */
    size_t series_count;
};

struct sla_report *sla_report_ref(struct sla_report *report);
struct sla_report *sla_report_unref(struct sla_report *report); /* accepts NULL, returns NULL */

/* The families fraiseql_slo_* and fraiseql_sli_events_total of the contract. */
void sla_report_to_batch(const struct sla_report *report, const char *observer, struct batch *batch);

/* "b * events / 1e9" as an exact decimal without trailing zeros. */
void sla_format_allowed(uint64_t budget_ppb, uint64_t events, char text[SLA_DECIMAL_MAX]);
/* good / total in percent, 7 decimals, rounded down. */
void sla_format_availability(uint64_t good, uint64_t total, char text[SLA_DECIMAL_MAX]);

#endif
