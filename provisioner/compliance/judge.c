/* Reads the table of rules, asks the judge of each, applies waivers, counts. */
#include "provisioner/compliance/internal.h"

#include "lib/core/yaml.h"
#include "provisioner/catalog/csv.h"
#include "provisioner/embedded.h"

enum {
    COLUMN_ID,
    COLUMN_TITLE,
    COLUMN_FIRST_STANDARD,
    COLUMN_MEND = COLUMN_FIRST_STANDARD + COMPLIANCE_STANDARDS,
    COLUMNS
};
const char *const compliance_standards[COMPLIANCE_STANDARDS] = {"gdpr", "hipaa", "soc2", "sox"};

struct run {
    struct judging judging;
    const char *today;
    struct compliance_report *report;
    size_t capacity, not_applicable_capacity;
    bool *used; /* a waiver each */
};

static void append(const struct run *run, const struct compliance_result *result,
                   struct compliance_result **items, size_t *count, size_t *capacity)
{
    if (*count == *capacity) {
        *capacity = *capacity ? 2 * *capacity : 64;
        struct compliance_result *more = arena_alloc(run->judging.arena, *capacity * sizeof *more);
        if (*count)
            memcpy(more, *items, *count * sizeof *more);
        *items = more;
    }
    (*items)[(*count)++] = *result;
}

static bool has_expired(const struct compliance_waiver *waiver, const char *today)
{
    return strcmp(waiver->until, today) < 0;
}

static void waive(struct run *run, struct compliance_result *result)
{
    const struct section_list *waivers = &run->judging.deployment->compliance.waivers;
    for (size_t i = 0; i < waivers->count; i++) {
        const struct compliance_waiver *waiver = SECTION_AT(const struct compliance_waiver, *waivers, i);
        bool here = !waiver->region || (result->region && strcmp(waiver->region, result->region) == 0);
        if (strcmp(waiver->rule, result->rule) != 0 || !here)
            continue;
        run->used[i] = true;
        if (result->contradiction || has_expired(waiver, run->today))
            continue;
        result->outcome = COMPLIANCE_WAIVED;
        result->waiver_reason = waiver->reason;
        result->waiver_until = waiver->until;
    }
}

static void count(struct compliance_report *report, const struct compliance_result *result)
{
    report->passed += result->outcome == COMPLIANCE_PASS;
    report->failed += result->outcome == COMPLIANCE_FAIL;
    report->waived += result->outcome == COMPLIANCE_WAIVED;
    report->manual += result->outcome == COMPLIANCE_MANUAL;
    report->errors += result->outcome == COMPLIANCE_FAIL && result->severity == DIAG_ERROR;
}

static void judge_one(struct run *run, const struct predicate *predicate, struct compliance_result result)
{
    run->judging.rule = result.rule;
    result.region = run->judging.region ? run->judging.region->name : NULL;
    struct compliance_report *report = run->report;
    if (!predicate->judge(&run->judging, &result)) {
        append(run, &result, &report->not_applicable, &report->not_applicable_count,
               &run->not_applicable_capacity);
        return;
    }
    compliance_go_beyond(&run->judging, &result);
    if (result.outcome == COMPLIANCE_FAIL || result.outcome == COMPLIANCE_MANUAL)
        waive(run, &result);
    append(run, &result, &report->results, &report->count, &run->capacity);
    count(report, &result);
}

/* The clauses of the standards that are asked for; false when none is. */
static bool take_clauses(const struct run *run, const struct str *fields, struct compliance_result *result)
{
    const char *all = "";
    result->severity = DIAG_WARNING;
    for (size_t i = 0; i < COMPLIANCE_STANDARDS; i++) {
        struct str cell = fields[COLUMN_FIRST_STANDARD + i];
        const char *space = memchr(cell.ptr, ' ', cell.len);
        if (!space || !compliance_has_standard(run->judging.deployment, compliance_standards[i]))
            continue;
        struct compliance_clause *clause = &result->clauses[i];
        clause->severity = str_starts(cell, STR("error ")) ? DIAG_ERROR : DIAG_WARNING;
        clause->text = arena_printf(run->judging.arena, "%.*s",
                                    (int)(cell.len - (size_t)(space + 1 - cell.ptr)), space + 1);
        if (clause->severity == DIAG_ERROR)
            result->severity = DIAG_ERROR;
        all = arena_printf(run->judging.arena, "%s%s%s %s", all, *all ? "; " : "", compliance_standards[i],
                           clause->text);
    }
    result->clause = all;
    return *all;
}

static void judge_row(void *ctx, const struct str *fields, size_t field_count)
{
    struct run *run = ctx;
    struct compliance_result result = {0};
    /* What must stay in a zone must do so whatever the standards are. */
    if (field_count != COLUMNS)
        return;
    bool residency = str_starts(fields[COLUMN_ID], STR("residency-"));
    if (!take_clauses(run, fields, &result)) {
        if (!residency)
            return;
        result.severity = DIAG_ERROR;
        result.clause = "compliance.data-residency";
    }
    result.rule = arena_strdup(run->judging.arena, fields[COLUMN_ID]);
    result.title = arena_strdup(run->judging.arena, fields[COLUMN_TITLE]);
    result.mend = arena_strdup(run->judging.arena, fields[COLUMN_MEND]);
    for (const struct predicate *predicate = compliance_predicates; predicate->rule; predicate++) {
        if (strcmp(predicate->rule, result.rule) != 0)
            continue;
        size_t regions = deployment_region_count(run->judging.deployment);
        for (size_t i = 0; i < (predicate->each_region ? regions : 1); i++) {
            run->judging.region =
                predicate->each_region ? deployment_region(run->judging.deployment, i) : NULL;
            judge_one(run, predicate, result);
        }
    }
}

size_t compliance_rules(const char *ret_names[COMPLIANCE_RULES_MAX])
{
    size_t count = 0;
    for (; count < COMPLIANCE_RULES_MAX && compliance_predicates[count].rule; count++)
        ret_names[count] = compliance_predicates[count].rule;
    return count;
}

static const struct node *waiver_node(const struct deployment *deployment, size_t i)
{
    return deployment_node(deployment, arena_printf(deployment->arena, "compliance.waivers.%zu", i));
}

void compliance_warn_expired(const struct deployment *deployment, const char *today,
                             struct findings *findings)
{
    const struct section_list *waivers = &deployment->compliance.waivers;
    for (size_t i = 0; i < waivers->count; i++) {
        const struct compliance_waiver *waiver = SECTION_AT(const struct compliance_waiver, *waivers, i);
        if (has_expired(waiver, today))
            (void)findings_add(findings, DIAG_WARNING, "waiver-expired", waiver_node(deployment, i),
                               "the waiver of %s ended on %s and no longer counts", waiver->rule,
                               waiver->until);
    }
}

static void report_waivers(struct run *run)
{
    const struct deployment *deployment = run->judging.deployment;
    const struct section_list *waivers = &deployment->compliance.waivers;
    for (size_t i = 0; i < waivers->count; i++) {
        const struct compliance_waiver *waiver = SECTION_AT(const struct compliance_waiver, *waivers, i);
        const struct node *node = waiver_node(deployment, i);
        struct findings *findings = &run->report->findings;
        if (has_expired(waiver, run->today))
            (void)findings_add(findings, DIAG_ERROR, "waiver-expired", node, "the waiver of %s ended on %s",
                               waiver->rule, waiver->until);
        else if (!run->used[i])
            (void)findings_add(findings, DIAG_WARNING, "waiver-unused", node,
                               "the waiver of %s matches nothing that is not met", waiver->rule);
        else if (str_starts(str_from(waiver->rule), STR("residency-")))
            (void)findings_add(findings, DIAG_WARNING, "waiver-residency", node,
                               "a waiver of %s does not lift a contradiction of the file", waiver->rule);
    }
}

void compliance_judge(const struct deployment *deployment, const struct findings *loaded, const char *today,
                      struct arena *arena, struct compliance_report *ret_report)
{
    *ret_report = (struct compliance_report){0};
    findings_init(&ret_report->findings, arena);
    struct run run = {.judging = {.deployment = deployment, .loaded = loaded, .arena = arena},
                      .today = today,
                      .report = ret_report};
    run.used = arena_zalloc(arena, deployment->compliance.waivers.count + 1);
    const struct embedded_file *table = embedded_find("compliance/rules.csv");
    if (table)
        csv_each(table->bytes, judge_row, &run);
    report_waivers(&run);
}
