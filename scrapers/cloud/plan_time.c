#include "scrapers/cloud/plan_internal.h"

#define PHASE_STEP_NS (15 * NS_PER_S) /* settle delays that are alike share a request */
#define FAR_AHEAD     3

static int64_t align_down(int64_t ns, int64_t period_ns)
{
    int64_t over = ns % period_ns;
    return ns - (over < 0 ? over + period_ns : over);
}

int64_t cloud_plan_every_ns(const struct cloud_plan *plan, const struct cloud_query *query)
{
    return (int64_t)((double)query->every_ns * plan->stretch);
}

/* Behind the end of a period by what its newest values take to settle. */
static int64_t phase_ns(const struct cloud_plan *plan, const struct cloud_query *query)
{
    int64_t settle_ns = query->series ? 0 : plan->options.settle_ns;
    for (const struct cloud_series *series = query->series; series; series = series->next) {
        int64_t ns = cloud_settle_ns(&series->metric->settle);
        settle_ns = ns > settle_ns ? ns : settle_ns;
    }
    settle_ns += PHASE_STEP_NS - 1;
    return (settle_ns - settle_ns % PHASE_STEP_NS + plan->options.jitter_ns) % query->period_ns;
}

static int64_t next_due(const struct cloud_plan *plan, const struct cloud_query *query, int64_t now_ns)
{
    int64_t phase = phase_ns(plan, query);
    int64_t due = align_down(now_ns - phase + cloud_plan_every_ns(plan, query), query->period_ns) + phase;
    return due > now_ns ? due : due + query->period_ns;
}

/* A due time far ahead is of a clock that has been set back since. */
static bool is_due(const struct cloud_plan *plan, const struct cloud_query *query, int64_t now_ns)
{
    return !query->asking && !query->muted &&
           (query->due_ns <= now_ns || query->due_ns - now_ns > FAR_AHEAD * cloud_plan_every_ns(plan, query));
}

/* Where the window of a query begins that ends at to_ns. */
static int64_t window_from(struct cloud_plan *plan, struct cloud_query *query, int64_t to_ns)
{
    int64_t period_ns = query->period_ns;
    int64_t least_ns = plan->options.late_ns > 2 * period_ns ? plan->options.late_ns : 2 * period_ns;
    int64_t first_ns = align_down(to_ns - least_ns, period_ns);
    int64_t back_ns = plan->options.catch_up_ns < plan->options.retention_ns ? plan->options.catch_up_ns
                                                                             : plan->options.retention_ns;
    int64_t limit_ns = align_down(to_ns - back_ns, period_ns);
    if (limit_ns > first_ns)
        limit_ns = first_ns;
    if (query->covered_ns == 0) {
        query->covered_ns = first_ns; /* where we begin: what comes after is not to be missed */
        return first_ns;
    }
    if (query->covered_ns < limit_ns) {
        uint64_t series_count = 0;
        for (const struct cloud_series *series = query->series; series; series = series->next)
            series_count++;
        plan->counts.lost_buckets += (uint64_t)((limit_ns - query->covered_ns) / period_ns) * series_count;
        query->covered_ns = limit_ns; /* cannot be had any more, whatever comes of this call */
    }
    int64_t from_ns = align_down(query->covered_ns - plan->options.late_ns, period_ns);
    if (from_ns < limit_ns)
        from_ns = limit_ns;
    return from_ns < first_ns ? from_ns : first_ns;
}

static bool belongs(const struct cloud_query *query, const struct cloud_query *first)
{
    return query->period_ns == first->period_ns && query->group == first->group &&
           (query->lane == first->lane || strcmp(query->lane, first->lane) == 0);
}

size_t cloud_plan_take(struct cloud_plan *plan, int64_t now_ns, double stretch, size_t max, size_t points_max,
                       struct cloud_query **queries, int64_t *ret_from_ns, int64_t *ret_to_ns)
{
    const struct cloud_query *first = NULL;
    size_t count = 0, weight = 0;
    int64_t to_ns = 0, from_ns = INT64_MAX;
    plan->stretch = stretch < 1 ? 1 : stretch;
    for (struct cloud_query *query = plan->queries; query && weight < max; query = query->next) {
        if (!is_due(plan, query, now_ns) || (first && !belongs(query, first)) ||
            (first && weight + query->weight > max))
            continue;
        if (!first)
            to_ns = align_down(now_ns, query->period_ns);
        int64_t wanted_ns = window_from(plan, query, to_ns);
        wanted_ns = wanted_ns < from_ns ? wanted_ns : from_ns;
        uint64_t points = (uint64_t)((to_ns - wanted_ns) / query->period_ns);
        if (first && points_max && points * (weight + query->weight) > points_max)
            continue; /* goes with the next batch */
        first = first ? first : query;
        from_ns = wanted_ns;
        weight += query->weight;
        query->asking = true;
        queries[count++] = query;
    }
    *ret_from_ns = from_ns;
    *ret_to_ns = to_ns;
    return count;
}

int64_t cloud_plan_next_due(const struct cloud_plan *plan)
{
    int64_t due_ns = INT64_MAX;
    for (const struct cloud_query *query = plan->queries; query; query = query->next) {
        if (!query->asking && !query->muted && query->due_ns < due_ns)
            due_ns = query->due_ns;
    }
    return due_ns;
}

void cloud_plan_answered(struct cloud_plan *plan, struct cloud_query *query, int64_t to_ns, int64_t now_ns)
{
    /* The window may have been that of a clock which ran ahead: the answer knows better. */
    int64_t last_ns = align_down(now_ns, query->period_ns);
    to_ns = to_ns < last_ns ? to_ns : last_ns;
    for (struct cloud_series *series = query->series; series; series = series->next)
        cloud_account_close(&series->account, to_ns, query->period_ns, now_ns, plan->options.late_ns);
    query->covered_ns = to_ns;
    query->asking = false;
    query->answers++;
    query->status = CLOUD_COMPLETE;
    query->error[0] = '\0';
    query->due_ns = next_due(plan, query, now_ns);
}

void cloud_plan_failed(struct cloud_plan *plan, struct cloud_query *query, enum cloud_status status,
                       const char *error, int64_t now_ns, int64_t retry_ns)
{
    size_t len = strnlen(error, sizeof query->error - 1);
    query->asking = false;
    query->failures++;
    query->status = status;
    memcpy(query->error, error, len);
    query->error[len] = '\0';
    query->due_ns = retry_ns ? retry_ns : next_due(plan, query, now_ns);
}

double cloud_plan_units_per_hour(const struct cloud_plan *plan, unsigned api)
{
    double units = 0;
    for (const struct cloud_query *query = plan->queries; query; query = query->next) {
        if (query->api == api && !query->muted)
            units += query->units * (double)(3600 * NS_PER_S) / (double)query->every_ns;
    }
    return units;
}
