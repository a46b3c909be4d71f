#include "sla/sla_config.h"

#include "lib/core/units.h"
#include "lib/metrics/selector.h"

#include <math.h>

/* --- checks of single values --- */

static int check_selector(const char *text, struct error *err)
{
    struct selector *selector = NULL;
    int code = selector_parse(text, &selector, err);
    if (!code)
        selector_free(selector);
    return code;
}

static int check_number(const char *text, struct error *err)
{
    double number;
    if (!str_to_double(str_from(text), &number) || !isfinite(number))
        return error_set(err, ERR_CONFIG, "\"%s\" is not a number", text);
    return 0;
}

static int check_label(const char *text, struct error *err)
{
    if (!label_name_valid(str_from(text)))
        return error_set(err, ERR_CONFIG, "\"%s\" is not a label name", text);
    return 0;
}

static int check_window(const char *text, struct error *err)
{
    int64_t ns;
    int code = units_parse_duration(str_from(text), &ns, err);
    if (code)
        return code;
    if (ns < 10 * NS_PER_S || ns > SLA_MAX_WINDOW_NS || ns % NS_PER_S)
        return error_set(err, ERR_CONFIG, "a window is 10s to 400d in whole seconds, not %s", text);
    return 0;
}

/* --- slos --- */

#define SPANS(member) offsetof(struct sla_spans_config, member)
static const struct option spans_options[] = {
    {.name = "service", .type = OPT_STRING, .offset = SPANS(service), .help = "service.name; default: any."},
    {.name = "name", .type = OPT_STRING, .offset = SPANS(name), .help = "Name of the span; default: any."},
    {.name = "kind",
     .type = OPT_STRING,
     .offset = SPANS(kind),
     .help = "SERVER, CLIENT, INTERNAL, PRODUCER or CONSUMER; default: any."},
    {.name = "entry",
     .type = OPT_BOOL,
     .offset = SPANS(entry),
     .default_text = "false",
     .help = "Only spans without a parent span in the same service, whatever their kind."},
    {.name = "faster_than",
     .type = OPT_DURATION,
     .offset = SPANS(faster_than_ns),
     .min = 1,
     .max = INT64_MAX,
     .unit = "duration",
     .help = "A span that takes longer is bad; an error is bad whatever its time."},
};
static const struct option_section spans_section = {
    .name = "slos[].sli.spans",
    .help = "Spans received by OTLP; good is a span without error.",
    .size = sizeof(struct sla_spans_config),
    .options = spans_options,
    .option_count = ARRAY_LEN(spans_options)};

#define SLICE(member) offsetof(struct sla_slice_config, member)
static const struct option slice_options[] = {
    {.name = "metric",
     .type = OPT_STRING,
     .offset = SLICE(metric),
     .required = true,
     .check = check_selector,
     .help = "Selector of the series that are judged."},
    {.name = "below",
     .type = OPT_STRING,
     .offset = SLICE(below),
     .check = check_number,
     .unit = "number",
     .help = "A slice is bad when a value in it is not below this."},
    {.name = "above",
     .type = OPT_STRING,
     .offset = SLICE(above),
     .check = check_number,
     .unit = "number",
     .help = "A slice is bad when a value in it is not above this."},
    {.name = "every",
     .type = OPT_DURATION,
     .offset = SLICE(every_ns),
     .default_text = "10s",
     .min = NS_PER_S,
     .max = 3600 * NS_PER_S,
     .unit = "duration",
     .help = "Length of a slice, in whole seconds."},
};
static const char *const slice_bounds[] = {"below", "above", NULL};
static const struct option_section slice_section = {
    .name = "slos[].sli.time_slice",
    .help = "One event a slice of time: good when every value seen in it keeps the bound, unknown when none "
            "was seen.",
    .size = sizeof(struct sla_slice_config),
    .options = slice_options,
    .option_count = ARRAY_LEN(slice_options),
    .one_of = slice_bounds,
    .one_of_required = true};

#define SLI(member) offsetof(struct sla_sli_config, member)
static const struct option sli_options[] = {
    {.name = "probe",
     .type = OPT_STRING,
     .offset = SLI(probe),
     .help = "Outcomes of the probes of this name."},
    {.name = "faster_than",
     .type = OPT_DURATION,
     .offset = SLI(faster_than_ns),
     .min = 1,
     .max = INT64_MAX,
     .unit = "duration",
     .help = "With probe: a slower success is bad, as is a failure whatever its time."},
    {.name = "spans",
     .type = OPT_SECTION_PTR,
     .offset = SLI(spans),
     .section = &spans_section,
     .help = "Spans received by OTLP."},
    {.name = "bad",
     .type = OPT_STRING,
     .offset = SLI(bad),
     .check = check_selector,
     .help = "Selector of counters of bad events; goes with total."},
    {.name = "good",
     .type = OPT_STRING,
     .offset = SLI(good),
     .check = check_selector,
     .help = "Selector of counters of good events; goes with total."},
    {.name = "total",
     .type = OPT_STRING,
     .offset = SLI(total),
     .check = check_selector,
     .help = "Selector of counters of all events."},
    {.name = "time_slice",
     .type = OPT_SECTION_PTR,
     .offset = SLI(time_slice),
     .section = &slice_section,
     .help = "Slices of time in which a metric keeps a bound."},
};
static const char *const sli_kinds[] = {"probe", "spans", "total", "time_slice", NULL};

static void check_sli(const void *config, const struct node *node, struct diag *diag)
{
    const struct sla_sli_config *sli = config;
    if (sli->faster_than_ns && !sli->probe)
        (void)node_report(node, diag, DIAG_ERROR,
                          "faster_than goes with probe; that of spans stands inside spans");
    if (sli->total && !sli->bad == !sli->good)
        (void)node_report(node, diag, DIAG_ERROR, "total goes with exactly one of bad and good");
    if (!sli->total && (sli->bad || sli->good))
        (void)node_report(node, diag, DIAG_ERROR, "bad and good go with total");
    if (sli->time_slice && sli->time_slice->every_ns % NS_PER_S)
        (void)node_report(node, diag, DIAG_ERROR, "time_slice.every is not in whole seconds");
}

static const struct option_section sli_section = {.name = "slos[].sli",
                                                  .help = "What an event is, and when it is good.",
                                                  .size = sizeof(struct sla_sli_config),
                                                  .options = sli_options,
                                                  .option_count = ARRAY_LEN(sli_options),
                                                  .one_of = sli_kinds,
                                                  .one_of_required = true,
                                                  .check = check_sli};

static const struct option_enum no_data_choices[] = {
    {"exclude", SLA_NO_DATA_EXCLUDE}, {"bad", SLA_NO_DATA_BAD}, {"good", SLA_NO_DATA_GOOD}, {0}};

#define SLO(member) offsetof(struct sla_slo_config, member)
static const struct option slo_options[] = {
    {.name = "name",
     .type = OPT_STRING,
     .offset = SLO(name),
     .required = true,
     .not_empty = true,
     .help = "Name of the objective, the label `slo`; history is kept under it."},
    {.name = "objective",
     .type = OPT_DECIMAL,
     .offset = SLO(objective_ppb),
     .required = true,
     .scale = 7,
     .min = 1,
     .max = 999999999,
     .unit = "percent",
     .help = "Share of good events, above 0 and below 100."},
    {.name = "window",
     .type = OPT_DURATION,
     .offset = SLO(window_ns),
     .default_text = "30d",
     .min = 60 * NS_PER_S,
     .max = SLA_MAX_WINDOW_NS,
     .unit = "duration",
     .help = "Rolling window of the objective, at most 400d."},
    {.name = "by",
     .type = OPT_STRING_LIST,
     .offset = SLO(by),
     .check = check_label,
     .help = "Labels that make series of their own."},
    {.name = "sli",
     .type = OPT_SECTION,
     .offset = SLO(sli),
     .required = true,
     .section = &sli_section,
     .help = "What an event is."},
    {.name = "no_data",
     .type = OPT_ENUM,
     .offset = SLO(no_data),
     .default_text = "exclude",
     .choices = no_data_choices,
     .help = "How events of unknown outcome count; exclude: not at all. They stay visible as unknown."},
};

static void check_by_twice(const struct string_list *by, const struct node *node, struct diag *diag)
{
    for (size_t i = 0; i < by->count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(by->items[i], by->items[j]) == 0)
                (void)node_report(node, diag, DIAG_ERROR, "by: the label \"%s\" is given twice",
                                  by->items[i]);
        }
    }
}

static void check_slo(const void *config, const struct node *node, struct diag *diag)
{
    const struct sla_slo_config *slo = config;
    if (slo->window_ns % NS_PER_S)
        (void)node_report(node, diag, DIAG_ERROR, "window is not in whole seconds");
    if (slo->by.count > SLA_MAX_BY)
        (void)node_report(node, diag, DIAG_ERROR, "by has %zu labels, more than %d", slo->by.count,
                          SLA_MAX_BY);
    for (size_t i = 0; i < slo->by.count; i++) {
        if (strcmp(slo->by.items[i], "slo") == 0 || strcmp(slo->by.items[i], "observer") == 0 ||
            strcmp(slo->by.items[i], "window") == 0 || strcmp(slo->by.items[i], "outcome") == 0)
            (void)node_report(node, diag, DIAG_ERROR, "by: the label \"%s\" is our own", slo->by.items[i]);
    }
    check_by_twice(&slo->by, node, diag);
}

const struct option_section sla_slo_section = {.name = "slos[]",
                                               .help = "A service level objective.",
                                               .size = sizeof(struct sla_slo_config),
                                               .options = slo_options,
                                               .option_count = ARRAY_LEN(slo_options),
                                               .has_position = true,
                                               .position_offset = SLO(position),
                                               .check = check_slo};

/* --- triggers --- */

#define WHEN(member) offsetof(struct sla_when_config, member)
static const struct option when_options[] = {
    {.name = "probe",
     .type = OPT_STRING,
     .offset = WHEN(probe),
     .help = "Fires on outcomes of the probes so named."},
    {.name = "failures",
     .type = OPT_INT,
     .offset = WHEN(failures),
     .default_text = "3",
     .min = 1,
     .max = SLA_MAX_OUTCOMES,
     .help = "With probe: bad outcomes among the last `of`."},
    {.name = "of",
     .type = OPT_INT,
     .offset = WHEN(of),
     .min = 0,
     .max = SLA_MAX_OUTCOMES,
     .help = "With probe: how many outcomes are looked at; unknown ones are none. Default: failures."},
    {.name = "slo",
     .type = OPT_STRING,
     .offset = WHEN(slo),
     .help = "Fires on the burn rate of this objective."},
    {.name = "burn_rate",
     .type = OPT_DECIMAL,
     .offset = WHEN(burn_rate_milli),
     .scale = 3,
     .min = 0,
     .max = INT64_MAX,
     .help = "With slo: fires while every window burns faster than this."},
    {.name = "windows",
     .type = OPT_STRING_LIST,
     .offset = WHEN(windows),
     .check = check_window,
     .unit = "duration",
     .help = "With slo: windows of the burn rate."},
    {.name = "metric",
     .type = OPT_STRING,
     .offset = WHEN(metric),
     .check = check_selector,
     .help = "Fires on values of the series this selects."},
    {.name = "above",
     .type = OPT_STRING,
     .offset = WHEN(above),
     .check = check_number,
     .unit = "number",
     .help = "With metric: fires above this."},
    {.name = "below",
     .type = OPT_STRING,
     .offset = WHEN(below),
     .check = check_number,
     .unit = "number",
     .help = "With metric: fires below this."},
    {.name = "for",
     .type = OPT_DURATION,
     .offset = WHEN(for_ns),
     .min = 0,
     .max = 86400 * NS_PER_S,
     .unit = "duration",
     .help = "With metric: how long the value must be beyond the bound."},
};
static const char *const when_kinds[] = {"probe", "slo", "metric", NULL};

static void check_when(const void *config, const struct node *node, struct diag *diag)
{
    const struct sla_when_config *when = config;
    if (when->probe && when->of && when->failures > when->of)
        (void)node_report(node, diag, DIAG_ERROR, "%lld failures of %lld can never be",
                          (long long)when->failures, (long long)when->of);
    if (when->slo && (!when->burn_rate_milli || !when->windows.count))
        (void)node_report(node, diag, DIAG_ERROR, "slo goes with burn_rate (above 0) and windows");
    if (!when->slo && (when->burn_rate_milli || when->windows.count))
        (void)node_report(node, diag, DIAG_ERROR, "burn_rate and windows go with slo");
    if (when->metric && !when->above == !when->below)
        (void)node_report(node, diag, DIAG_ERROR, "metric goes with exactly one of above and below");
    if (!when->metric && (when->above || when->below || when->for_ns))
        (void)node_report(node, diag, DIAG_ERROR, "above, below and for go with metric");
}

static const struct option_section when_section = {.name = "triggers[].when",
                                                   .help = "The condition.",
                                                   .size = sizeof(struct sla_when_config),
                                                   .options = when_options,
                                                   .option_count = ARRAY_LEN(when_options),
                                                   .one_of = when_kinds,
                                                   .one_of_required = true,
                                                   .check = check_when};

#define RESOLVE(member) offsetof(struct sla_resolve_config, member)
static const struct option resolve_options[] = {
    {.name = "successes",
     .type = OPT_INT,
     .offset = RESOLVE(successes),
     .min = 0,
     .max = SLA_MAX_OUTCOMES,
     .help = "Of probe triggers: good outcomes among the last `of` since it fired. Default: of."},
    {.name = "of",
     .type = OPT_INT,
     .offset = RESOLVE(of),
     .min = 0,
     .max = SLA_MAX_OUTCOMES,
     .help = "Of probe triggers: outcomes looked at. Default: successes, else `of` of the condition."},
    {.name = "for",
     .type = OPT_DURATION,
     .offset = RESOLVE(for_ns),
     .min = 0,
     .max = 86400 * NS_PER_S,
     .unit = "duration",
     .help = "Of other triggers: how long the condition must be over."},
};
static const struct option_section resolve_section = {.name = "triggers[].resolve",
                                                      .help = "When an incident ends.",
                                                      .size = sizeof(struct sla_resolve_config),
                                                      .options = resolve_options,
                                                      .option_count = ARRAY_LEN(resolve_options)};

static const struct option_enum on_no_data_choices[] = {
    {"hold", SLA_NO_DATA_HOLD}, {"fire", SLA_NO_DATA_FIRE}, {"resolve", SLA_NO_DATA_RESOLVE}, {0}};

#define TRIGGER(member) offsetof(struct sla_trigger_config, member)
static const struct option trigger_options[] = {
    {.name = "name",
     .type = OPT_STRING,
     .offset = TRIGGER(name),
     .required = true,
     .not_empty = true,
     .help = "Name of the trigger, the label `trigger` and the alert's `alertname`."},
    {.name = "when",
     .type = OPT_SECTION,
     .offset = TRIGGER(when),
     .required = true,
     .section = &when_section,
     .help = "The condition."},
    {.name = "by",
     .type = OPT_STRING_LIST,
     .offset = TRIGGER(by),
     .check = check_label,
     .help = "One incident for each set of these labels. Default: the SLO's `by`, else all labels."},
    {.name = "resolve",
     .type = OPT_SECTION_PTR,
     .offset = TRIGGER(resolve),
     .section = &resolve_section,
     .help = "When an incident ends; default: as many successes as outcomes were looked at, or 1 minute "
             "after the "
             "condition is over (metrics: after `for`)."},
    {.name = "on_no_data",
     .type = OPT_ENUM,
     .offset = TRIGGER(on_no_data),
     .default_text = "hold",
     .choices = on_no_data_choices,
     .help =
         "What missing data does to an incident: hold it (state unknown, notified once), fire or resolve."},
    {.name = "labels",
     .type = OPT_STRING_MAP,
     .offset = TRIGGER(labels),
     .help = "Labels added to the alert."},
    {.name = "annotations",
     .type = OPT_STRING_MAP,
     .offset = TRIGGER(annotations),
     .help = "Texts of the alert; {{label}} and {{value}} are filled in."},
    {.name = "notify", .type = OPT_STRING_LIST, .offset = TRIGGER(notify), .help = "Receivers, by name."},
};

static void check_trigger(const void *config, const struct node *node, struct diag *diag)
{
    const struct sla_trigger_config *trigger = config;
    const struct sla_resolve_config *resolve = trigger->resolve;
    if (trigger->by.count > SLA_MAX_BY)
        (void)node_report(node, diag, DIAG_ERROR, "by has %zu labels, more than %d", trigger->by.count,
                          SLA_MAX_BY);
    check_by_twice(&trigger->by, node, diag);
    for (size_t i = 0; i < trigger->labels.count; i++) {
        const char *name = trigger->labels.items[i].key;
        if (!label_name_valid(str_from(name)) || strcmp(name, "alertname") == 0)
            (void)node_report(node, diag, DIAG_ERROR, "labels: \"%s\" cannot be a label of an alert", name);
        if (strstr(trigger->labels.items[i].value, "{{"))
            (void)node_report(
                node, diag, DIAG_ERROR,
                "labels: {{ }} works in annotations only, because labels are an alert's identity");
    }
    if (resolve && !trigger->when.probe && (resolve->successes || resolve->of))
        (void)node_report(node, diag, DIAG_ERROR, "resolve: successes and of go with a probe");
    if (resolve && trigger->when.probe && resolve->for_ns)
        (void)node_report(node, diag, DIAG_ERROR, "resolve: for goes with slo and metric");
    if (resolve && resolve->of && resolve->successes > resolve->of)
        (void)node_report(node, diag, DIAG_ERROR, "resolve: %lld successes of %lld can never be",
                          (long long)resolve->successes, (long long)resolve->of);
}

const struct option_section sla_trigger_section = {.name = "triggers[]",
                                                   .help =
                                                       "When an incident begins and ends, and who is told.",
                                                   .size = sizeof(struct sla_trigger_config),
                                                   .options = trigger_options,
                                                   .option_count = ARRAY_LEN(trigger_options),
                                                   .has_position = true,
                                                   .position_offset = TRIGGER(position),
                                                   .check = check_trigger};

enum sla_kind sla_slo_kind(const struct sla_slo_config *slo)
{
    if (slo->sli.probe)
        return SLA_PROBE;
    if (slo->sli.spans)
        return SLA_SPANS;
    return slo->sli.time_slice ? SLA_TIME_SLICE : SLA_COUNTER;
}
