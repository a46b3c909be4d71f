/* What needs more than one section to be judged: see sla_config.h. */
#include "lib/core/units.h"
#include "sla/sla_config.h"

#include <stdio.h>
#include <stdlib.h>

#define PPB UINT64_C(1000000000)

static const struct sla_slo_config *slo_at(const struct sla_check_input *input, size_t i)
{
    return SECTION_AT(struct sla_slo_config, *input->slos, i);
}

static const struct sla_trigger_config *trigger_at(const struct sla_check_input *input, size_t i)
{
    return SECTION_AT(struct sla_trigger_config, *input->triggers, i);
}

static const struct sla_slo_config *find_slo(const struct sla_check_input *input, const char *name)
{
    for (size_t i = 0; i < input->slos->count; i++) {
        if (strcmp(slo_at(input, i)->name, name) == 0)
            return slo_at(input, i);
    }
    return NULL;
}

static struct error *report(struct diag *diag, enum diag_severity severity,
                            const struct option_position *position, const char *kind, const char *name,
                            const char *text)
{
    return diag_add(diag, severity, position->file, position->line, position->column, "%s \"%s\": %s", kind,
                    name, text);
}

/* An unknown name, with the nearest known one. */
static void report_unknown(struct diag *diag, const struct option_position *position, const char *kind,
                           const char *name, const char *what, const char *unknown, const char *const *known,
                           size_t known_count)
{
    char text[300];
    (void)snprintf(text, sizeof text, "there is no %s named \"%.200s\"", what, unknown);
    struct error *err = report(diag, DIAG_ERROR, position, kind, name, text);
    const char *nearest = str_nearest(unknown, known, known_count);
    if (nearest)
        error_set_hint(err, "did you mean \"%s\"?", nearest);
}

static bool contains(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

static void check_probe_name(const struct sla_check_input *input, const struct option_position *position,
                             const char *kind, const char *name, const char *probe, struct diag *diag)
{
    const char **names = xcalloc(input->probe_count + 1, sizeof *names);
    for (size_t i = 0; i < input->probe_count; i++)
        names[i] = input->probes[i].name;
    if (!contains(names, input->probe_count, probe))
        report_unknown(diag, position, kind, name, "probe", probe, names, input->probe_count);
    free(names);
}

static void check_slo_twice(const struct sla_check_input *input, size_t i, struct diag *diag)
{
    for (size_t j = 0; j < i; j++) {
        const struct option_position *first = &slo_at(input, j)->position;
        if (strcmp(slo_at(input, i)->name, slo_at(input, j)->name) != 0)
            continue;
        struct error *err = report(diag, DIAG_ERROR, &slo_at(input, i)->position, "SLO",
                                   slo_at(input, i)->name, "the name is taken");
        error_set_hint(err, "the first stands at %s:%u", first->file ? first->file : "", first->line);
        return;
    }
}

static void check_trigger_twice(const struct sla_check_input *input, size_t i, struct diag *diag)
{
    for (size_t j = 0; j < i; j++) {
        const struct option_position *first = &trigger_at(input, j)->position;
        if (strcmp(trigger_at(input, i)->name, trigger_at(input, j)->name) != 0)
            continue;
        struct error *err = report(diag, DIAG_ERROR, &trigger_at(input, i)->position, "trigger",
                                   trigger_at(input, i)->name, "the name is taken");
        error_set_hint(err, "the first stands at %s:%u", first->file ? first->file : "", first->line);
        return;
    }
}

static void check_trigger_slo(const struct sla_check_input *input, const struct sla_trigger_config *trigger,
                              struct diag *diag)
{
    const struct sla_slo_config *slo = find_slo(input, trigger->when.slo);
    char text[300], number[UNITS_TEXT_MAX];
    if (!slo) {
        const char **names = xcalloc(input->slos->count + 1, sizeof *names);
        for (size_t i = 0; i < input->slos->count; i++)
            names[i] = slo_at(input, i)->name;
        report_unknown(diag, &trigger->position, "trigger", trigger->name, "SLO", trigger->when.slo, names,
                       input->slos->count);
        free(names);
        return;
    }
    /* A full outage burns at 1e9 / b; the condition is "faster than", so the maximum itself never fires. */
    uint64_t budget_ppb = PPB - slo->objective_ppb;
    if ((unsigned __int128)trigger->when.burn_rate_milli * budget_ppb >= (unsigned __int128)PPB * 1000) {
        (void)snprintf(text, sizeof text, "it can never fire: with everything failing %s burns at %s",
                       slo->name, units_format_decimal(PPB * 1000 / budget_ppb, 3, number));
        (void)report(diag, DIAG_ERROR, &trigger->position, "trigger", trigger->name, text);
    }
    for (size_t i = 0; i < trigger->by.count; i++) {
        if (contains(slo->by.items, slo->by.count, trigger->by.items[i]))
            continue;
        (void)snprintf(text, sizeof text, "by: the SLO %.100s has no label \"%.100s\"", slo->name,
                       trigger->by.items[i]);
        (void)report(diag, DIAG_ERROR, &trigger->position, "trigger", trigger->name, text);
    }
}

static void check_trigger_by(const struct sla_trigger_config *trigger, struct diag *diag)
{
    static const char *const labels[] = {"probe", "target", "region"};
    for (size_t i = 0; trigger->when.probe && i < trigger->by.count; i++) {
        if (!contains(labels, ARRAY_LEN(labels), trigger->by.items[i]))
            report_unknown(diag, &trigger->position, "trigger", trigger->name, "label of a probe",
                           trigger->by.items[i], labels, ARRAY_LEN(labels));
    }
}

static void check_slo_by(const struct sla_slo_config *slo, struct diag *diag)
{
    static const char *const labels[] = {"probe", "target", "region"};
    for (size_t i = 0; slo->sli.probe && i < slo->by.count; i++) {
        if (!contains(labels, ARRAY_LEN(labels), slo->by.items[i]))
            report_unknown(diag, &slo->position, "SLO", slo->name, "label of a probe", slo->by.items[i],
                           labels, ARRAY_LEN(labels));
    }
}

void sla_config_check(const struct sla_check_input *input, struct diag *diag)
{
    for (size_t i = 0; i < input->slos->count; i++) {
        const struct sla_slo_config *slo = slo_at(input, i);
        check_slo_twice(input, i, diag);
        check_slo_by(slo, diag);
        if (slo->sli.probe)
            check_probe_name(input, &slo->position, "SLO", slo->name, slo->sli.probe, diag);
    }
    for (size_t i = 0; i < input->triggers->count; i++) {
        const struct sla_trigger_config *trigger = trigger_at(input, i);
        check_trigger_twice(input, i, diag);
        check_trigger_by(trigger, diag);
        if (trigger->when.probe)
            check_probe_name(input, &trigger->position, "trigger", trigger->name, trigger->when.probe, diag);
        if (trigger->when.slo)
            check_trigger_slo(input, trigger, diag);
        for (size_t j = 0; j < trigger->notify.count; j++) {
            if (!contains(input->receivers, input->receiver_count, trigger->notify.items[j]))
                report_unknown(diag, &trigger->position, "trigger", trigger->name, "receiver",
                               trigger->notify.items[j], input->receivers, input->receiver_count);
        }
    }
}

/* --- warnings --- */

static int64_t source_interval_ns(const struct sla_check_input *input, const char *metric)
{
    size_t best = 0;
    int64_t interval_ns = 0;
    for (size_t i = 0; i < input->source_count; i++) {
        size_t len = strlen(input->sources[i].prefix);
        if (strncmp(metric, input->sources[i].prefix, len) == 0 && (!interval_ns || len > best)) {
            best = len;
            interval_ns = input->sources[i].interval_ns;
        }
    }
    return interval_ns;
}

static void warn_slice(const struct sla_check_input *input, const struct sla_slo_config *slo,
                       struct diag *diag)
{
    const struct sla_slice_config *slice = slo->sli.time_slice;
    int64_t interval_ns = source_interval_ns(input, slice->metric);
    char text[300], every[UNITS_TEXT_MAX], interval[UNITS_TEXT_MAX];
    double bound;
    (void)units_format_duration(slice->every_ns, every);
    (void)units_format_duration(interval_ns, interval);
    if (interval_ns > slice->every_ns) {
        (void)snprintf(
            text, sizeof text,
            "its slices of %s are finer than its source, which is seen every %s: most will be unknown", every,
            interval);
        (void)report(diag, DIAG_WARNING, &slo->position, "SLO", slo->name, text);
    }
    /* A metric in seconds that is seen every I cannot tell a breach shorter than I. */
    if (slice->below && strstr(slice->metric, "_seconds") && str_to_double(str_from(slice->below), &bound) &&
        bound > 0 && (double)interval_ns / 1e9 > bound) {
        (void)snprintf(text, sizeof text,
                       "its bound of %s s is finer than its source, which is seen every %s", slice->below,
                       interval);
        (void)report(diag, DIAG_WARNING, &slo->position, "SLO", slo->name, text);
    }
}

static void warn_events(const struct sla_slo_config *slo, int64_t every_ns, struct diag *diag)
{
    uint64_t events = every_ns > 0 ? (uint64_t)(slo->window_ns / every_ns) : 0;
    uint64_t budget_ppb = PPB - slo->objective_ppb;
    if (!every_ns || (unsigned __int128)events * budget_ppb >= PPB)
        return;
    char text[300];
    (void)snprintf(text, sizeof text,
                   "a full window has %llu events, so that one failure spends more than the whole budget",
                   (unsigned long long)events);
    struct error *err = report(diag, DIAG_WARNING, &slo->position, "SLO", slo->name, text);
    error_set_hint(err, "measure more often, lower the objective or widen the window");
}

void sla_config_warn(const struct sla_check_input *input, struct diag *diag)
{
    for (size_t i = 0; i < input->slos->count; i++) {
        const struct sla_slo_config *slo = slo_at(input, i);
        if (slo->sli.time_slice) {
            warn_slice(input, slo, diag);
            warn_events(slo, slo->sli.time_slice->every_ns, diag);
        }
        int64_t longest_ns = 0;
        for (size_t j = 0; slo->sli.probe && j < input->probe_count; j++) {
            if (strcmp(input->probes[j].name, slo->sli.probe) == 0 &&
                input->probes[j].interval_ns > longest_ns)
                longest_ns = input->probes[j].interval_ns;
        }
        if (slo->sli.probe)
            warn_events(slo, longest_ns, diag);
    }
}

struct sli_span_selector *sla_config_span_selectors(const struct section_list *slos, struct arena *arena,
                                                    size_t *ret_count)
{
    struct sli_span_selector *selectors = arena_zalloc(arena, (slos->count + 1) * sizeof *selectors);
    size_t count = 0;
    for (size_t i = 0; i < slos->count; i++) {
        const struct sla_slo_config *slo = SECTION_AT(struct sla_slo_config, *slos, i);
        const struct sla_spans_config *spans = slo->sli.spans;
        if (spans)
            selectors[count++] = (struct sli_span_selector){.slo = slo->name,
                                                            .service = spans->service,
                                                            .name = spans->name,
                                                            .kind = spans->kind,
                                                            .entry = spans->entry,
                                                            .faster_than_ns = spans->faster_than_ns};
    }
    *ret_count = count;
    return selectors;
}
