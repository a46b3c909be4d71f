/* Results for people: a group a standard, its summary first, and in it what is not met before what is. */
#include "provisioner/compliance/compliance.h"

#include "lib/core/yaml.h"

/* In the order in which they are shown. */
enum bucket { BUCKET_FAIL, BUCKET_ADVICE, BUCKET_MANUAL, BUCKET_WAIVED, BUCKET_PASS, BUCKET_NONE, BUCKETS };
static const struct {
    const char *word;
    enum output_style style;
} looks[BUCKETS] = {
    [BUCKET_FAIL] = {"fail", STYLE_BAD},      [BUCKET_ADVICE] = {"advice", STYLE_WARN},
    [BUCKET_MANUAL] = {"manual", STYLE_WARN}, [BUCKET_WAIVED] = {"waived", STYLE_DIM},
    [BUCKET_PASS] = {"pass", STYLE_GOOD},     [BUCKET_NONE] = {"n/a", STYLE_DIM},
};

/* The last group: what must stay in a zone where gdpr is not asked for. */
enum { GROUP_RESIDENCY = COMPLIANCE_STANDARDS, GROUPS };
static const char *const titles[GROUPS] = {"GDPR", "HIPAA", "SOC2", "SOX", "Data residency"};

struct list {
    const struct compliance_result *items;
    size_t count;
    bool applicable;
};

struct view {
    const struct output *out;
    const char *file;
    struct list lists[2];
    size_t group;
};

/* The clause and severity of a result in a group; false: it is no part of it. */
static bool clause_in(const struct compliance_result *result, size_t group,
                      struct compliance_clause *ret_clause)
{
    if (group < COMPLIANCE_STANDARDS) {
        *ret_clause = result->clauses[group];
        return ret_clause->text != NULL;
    }
    *ret_clause = (struct compliance_clause){result->clause, result->severity};
    for (size_t i = 0; i < COMPLIANCE_STANDARDS; i++) {
        if (result->clauses[i].text)
            return false;
    }
    return true;
}

static enum bucket bucket_of(const struct list *list, const struct compliance_result *result,
                             enum diag_severity severity)
{
    if (!list->applicable)
        return BUCKET_NONE;
    switch (result->outcome) {
    case COMPLIANCE_FAIL:
        return severity == DIAG_ERROR ? BUCKET_FAIL : BUCKET_ADVICE;
    case COMPLIANCE_WAIVED:
        return BUCKET_WAIVED;
    case COMPLIANCE_MANUAL:
        return BUCKET_MANUAL;
    case COMPLIANCE_PASS:
        break;
    }
    return BUCKET_PASS;
}

/* How many of a list's results of the group lie in each bucket. */
static void tally(const struct list *list, size_t group, size_t counts[BUCKETS])
{
    struct compliance_clause clause;
    for (size_t i = 0; i < list->count; i++) {
        if (clause_in(&list->items[i], group, &clause))
            counts[bucket_of(list, &list->items[i], clause.severity)]++;
    }
}

static void show_summary(const struct output *out, const char *title, const size_t counts[BUCKETS])
{
    size_t failed = counts[BUCKET_FAIL] + counts[BUCKET_ADVICE];
    enum bucket worst = counts[BUCKET_FAIL] ? BUCKET_FAIL : failed ? BUCKET_ADVICE : BUCKET_PASS;
    output_printf(out, "%s%s%s: %zu passed, %s%zu failed%s", output_style(out, STYLE_BOLD), title,
                  output_style(out, STYLE_PLAIN), counts[BUCKET_PASS],
                  output_style(out, failed ? looks[worst].style : STYLE_PLAIN), failed,
                  output_style(out, STYLE_PLAIN));
    if (failed)
        output_printf(out, " (%zu as error%s, %zu as advice)", counts[BUCKET_FAIL],
                      PLURAL(counts[BUCKET_FAIL]), counts[BUCKET_ADVICE]);
    output_printf(out, ", %zu waived, %zu to check by hand, %zu not applicable\n", counts[BUCKET_WAIVED],
                  counts[BUCKET_MANUAL], counts[BUCKET_NONE]);
}

static bool is_in(const struct view *view, const struct list *list, const struct compliance_result *result,
                  enum bucket bucket)
{
    struct compliance_clause clause;
    return clause_in(result, view->group, &clause) && bucket_of(list, result, clause.severity) == bucket;
}

/* "fail    database-private us-east, apac: The database has no public address [Art. 32(1)(b)]" */
static void show_head(const struct view *view, const struct list *list, size_t first, size_t end,
                      enum bucket bucket)
{
    const struct compliance_result *result = &list->items[first];
    struct compliance_clause clause;
    (void)clause_in(result, view->group, &clause);
    output_printf(view->out, "  %s%-7s%s %s", output_style(view->out, looks[bucket].style),
                  looks[bucket].word, output_style(view->out, STYLE_PLAIN), result->rule);
    const char *comma = " ";
    for (size_t i = first; i < end; i++) {
        if (!list->items[i].region || !is_in(view, list, &list->items[i], bucket))
            continue;
        output_printf(view->out, "%s%s", comma, list->items[i].region);
        comma = ", ";
    }
    output_printf(view->out, ": %s [%s]\n", result->title, clause.text);
}

static void show_detail(const struct view *view, const struct compliance_result *result)
{
    if (result->node && result->node->line)
        output_printf(view->out, "          %s:%u: %s\n", result->node->file, result->node->line,
                      result->evidence);
    else
        output_printf(view->out, "          %s: %s\n", view->file, result->evidence);
}

/* The evidence of each region, and a mend once where neighbours share it. */
static void show_details(const struct view *view, const struct list *list, size_t first, size_t end,
                         enum bucket bucket)
{
    const struct compliance_result *before = NULL;
    for (size_t i = first; i < end; i++) {
        const struct compliance_result *result = &list->items[i];
        if (!is_in(view, list, result, bucket))
            continue;
        if (before && strcmp(before->mend, result->mend) != 0)
            output_printf(view->out, "          mend: %s\n", before->mend);
        show_detail(view, result);
        if (bucket == BUCKET_WAIVED)
            output_printf(view->out, "          waived until %s: %s\n", result->waiver_until,
                          result->waiver_reason);
        else
            before = result;
    }
    if (before)
        output_printf(view->out, "          mend: %s\n", before->mend);
}

static void show_bucket(const struct view *view, const struct list *list, enum bucket bucket)
{
    for (size_t i = 0, end; i < list->count; i = end) {
        for (end = i + 1; end < list->count && strcmp(list->items[end].rule, list->items[i].rule) == 0;)
            end++;
        size_t first = i;
        while (first < end && !is_in(view, list, &list->items[first], bucket))
            first++;
        if (first == end)
            continue;
        show_head(view, list, first, end, bucket);
        if (bucket < BUCKET_PASS)
            show_details(view, list, first, end, bucket);
    }
}

void compliance_show(const struct compliance_report *report, const char *file, const struct output *out)
{
    struct view view = {.out = out,
                        .file = file,
                        .lists = {{report->results, report->count, true},
                                  {report->not_applicable, report->not_applicable_count, false}}};
    for (view.group = 0; view.group < GROUPS; view.group++) {
        size_t counts[BUCKETS] = {0}, shown = 0;
        for (size_t i = 0; i < ARRAY_LEN(view.lists); i++)
            tally(&view.lists[i], view.group, counts);
        for (size_t i = 0; i < BUCKETS; i++)
            shown += counts[i];
        /* A file without any zone has nothing to say in the last group. */
        if (shown == (view.group == GROUP_RESIDENCY ? counts[BUCKET_NONE] : 0))
            continue;
        show_summary(out, titles[view.group], counts);
        for (enum bucket bucket = 0; bucket < BUCKETS; bucket++) {
            for (size_t i = 0; i < ARRAY_LEN(view.lists); i++)
                show_bucket(&view, &view.lists[i], bucket);
        }
        output_text(out, STR("\n"));
    }
    output_printf(out,
                  "All: %zu passed, %zu failed (%zu as error%s), %zu waived, %zu to check by hand, %zu not "
                  "applicable\n",
                  report->passed, report->failed, report->errors, PLURAL(report->errors), report->waived,
                  report->manual, report->not_applicable_count);
}
