/* The page of a target: the peer's families, the common vocabulary, and what the frame tells of itself. */
#include "lib/core/clock.h"
#include "lib/core/map.h"
#include "scrapers/cloud/target_internal.h"
#include "scrapers/cloud/vocabulary.h"

#include <math.h>
#include <stdio.h>

#define STALE_LEAST_NS (300 * NS_PER_S)
#define STALE_PERIODS  3
#define FAILING_MAX    100 /* queries that are named */
#define EXACT_INTEGER  9007199254740992.0

/* A counter of the vocabulary adds up what several metrics tell of one resource: errors of a load balancer
 * and of its backends. */
struct common_sum {
    const struct cloud_common *common;
    struct str resource;
    double total;
    struct common_sum *next;
    char key[];
};

struct page {
    struct cloud_target *target;
    struct arena *arena;
    struct map sums;
    struct common_sum *first_sum, **sums_end;
    struct batch *batch;
    int64_t now_ns;
    struct label labels[LIMIT_LABELS_PER_SERIES + 4];
};

static struct value value_of(double number)
{
    if (number >= 0 && number < EXACT_INTEGER && number == floor(number))
        return VALUE_OF_U64((uint64_t)number);
    return VALUE_OF_F64(number);
}

/* --- series -------------------------------------------------------------------------------------------- */

/* The series' own labels and ours, anew each time: a batch reorders what it is given. */
static size_t labels_of(struct page *page, const struct cloud_series *series)
{
    const struct scraper_target *target = page->target->spec.target;
    size_t count =
        series->label_count < LIMIT_LABELS_PER_SERIES - 2 ? series->label_count : LIMIT_LABELS_PER_SERIES - 2;
    memcpy(page->labels, series->labels, count * sizeof *page->labels);
    page->labels[count++] = LABEL_TEXT("target", target->name);
    page->labels[count++] = LABEL_TEXT("deployment_region", target->region);
    return count;
}

static void put_word(struct page *page, const struct cloud_common *common, struct str resource, double number)
{
    const struct scraper_target *target = page->target->spec.target;
    char name[96];
    (void)snprintf(name, sizeof name, "fraiseql_region_%s", common->word);
    const struct metric_desc family = {.name = name,
                                       .type = common->counter ? METRIC_COUNTER : METRIC_GAUGE,
                                       .help = common->help,
                                       .unit = common->unit};
    page->labels[0] = LABEL_TEXT("region", target->region);
    page->labels[1] = LABEL_TEXT("target", target->name);
    page->labels[2] = LABEL("resource", resource);
    batch_put(page->batch, &family, page->labels, 3, value_of(number));
}

static void add_common(struct page *page, const struct cloud_common *common, struct str resource,
                       double number)
{
    size_t word = strlen(common->word), length = word + 1 + resource.len;
    struct common_sum *fresh = arena_zalloc(page->arena, sizeof *fresh + length);
    memcpy(fresh->key, common->word, word);
    if (resource.len)
        memcpy(fresh->key + word + 1, resource.ptr, resource.len);
    struct common_sum *sum = map_get(&page->sums, (struct str){fresh->key, length});
    if (!sum) {
        sum = fresh;
        sum->common = common;
        sum->resource = resource;
        (void)map_put(&page->sums, (struct str){sum->key, length}, sum);
        *page->sums_end = sum;
        page->sums_end = &sum->next;
    }
    sum->total += number;
}

static void put_common(struct page *page, const struct cloud_series *series, double number)
{
    const struct cloud_metric_desc *desc = &series->metric->desc;
    number = desc->offset + number * desc->scale;
    if (desc->common->counter)
        add_common(page, desc->common, series->resource, number);
    else
        put_word(page, desc->common, series->resource, number);
}

static void put_gauge(struct page *page, const struct cloud_series *series, double number)
{
    const struct cloud_metric_desc *desc = &series->metric->desc;
    const struct metric_desc family = {
        .name = desc->name,
        .type = desc->kind == CLOUD_CUMULATIVE ? METRIC_COUNTER : METRIC_GAUGE,
        .help = desc->help,
    };
    size_t count = labels_of(page, series);
    batch_put(page->batch, &family, page->labels, count, value_of(number));
    if (desc->common && desc->common->counter == (desc->kind == CLOUD_CUMULATIVE) &&
        !(desc->negative_is_absent && number < 0))
        put_common(page, series, number);
}

static void put_total(struct page *page, const struct cloud_series *series)
{
    const struct cloud_metric_desc *desc = &series->metric->desc;
    const struct metric_desc family = {.name = desc->total_name, .type = METRIC_COUNTER, .help = desc->help};
    /* OpenMetrics knows no counter of such a name. */
    const struct metric_desc bare = {.name = desc->name, .type = METRIC_UNTYPED, .help = desc->help};
    double total = series->account.shown[0];
    size_t count = labels_of(page, series);
    batch_put(page->batch, &family, page->labels, count, value_of(total));
    if (desc->runs_up)
        batch_put(page->batch, &bare, page->labels, count, value_of(total));
    if (desc->common && desc->common->counter)
        put_common(page, series, total);
}

static void put_histogram(struct page *page, const struct cloud_series *series)
{
    const struct cloud_metric_desc *desc = &series->metric->desc;
    const struct cloud_account *account = &series->account;
    const struct metric_desc family = {.name = desc->name, .type = METRIC_HISTOGRAM, .help = desc->help};
    struct histogram histogram;
    if (account->width < 2 || account->width - 2 > HISTOGRAM_MAX_BOUNDS || !account->bounds)
        return;
    histogram_init(&histogram, account->bounds, account->width - 2);
    for (uint32_t i = 0; i + 1 < account->width; i++)
        histogram.counts[i] = account->shown[i] > 0 ? (uint64_t)account->shown[i] : 0;
    histogram.sum = account->shown[account->width - 1];
    size_t count = labels_of(page, series);
    batch_add_histogram(page->batch, batch_family(page->batch, &family), page->labels, count, &histogram);
}

static int64_t stale_after_ns(const struct cloud_target *target, const struct cloud_series *series)
{
    int64_t period_ns = series->query->period_ns;
    int64_t ns = STALE_PERIODS * period_ns > STALE_LEAST_NS ? STALE_PERIODS * period_ns : STALE_LEAST_NS;
    return ns + cloud_settle_ns(&series->metric->settle) + cloud_plan_every_ns(target->plan, series->query) -
           period_ns;
}

/* Nothing happened: the query was answered lately, and had nothing to tell. */
static bool is_zero(const struct page *page, const struct cloud_series *series, int64_t stale_ns)
{
    return series->metric->desc.absent_is_zero && series->account.read_at_ns > 0 &&
           page->now_ns - series->account.read_at_ns < stale_ns;
}

static void put_series(struct page *page, struct cloud_series *series)
{
    struct cloud_metric *metric = series->metric;
    struct cloud_bucket bucket;
    int64_t period_ns = series->query->period_ns, stale_ns = stale_after_ns(page->target, series);
    if (series->hidden)
        return;
    if (metric->desc.kind == CLOUD_DISTRIBUTION) {
        if (series->account.shown)
            put_histogram(page, series);
        return;
    }
    if (cloud_account_latest(&series->account, period_ns, page->now_ns, cloud_settle_ns(&metric->settle),
                             stale_ns, &bucket)) {
        int64_t age_ns = page->now_ns - bucket.start_ns - period_ns;
        metric->shown++;
        metric->oldest_ns = age_ns > metric->oldest_ns ? age_ns : metric->oldest_ns;
        if (!metric->desc.runs_up)
            put_gauge(page, series, bucket.values[0]);
    } else if (is_zero(page, series, stale_ns) && !metric->desc.runs_up)
        put_gauge(page, series, 0);
    if (metric->desc.total_name && series->account.shown)
        put_total(page, series);
}

static void put_info(struct page *page, const struct cloud_info *info)
{
    const struct scraper_target *target = page->target->spec.target;
    const struct metric_desc family = {.name = info->name, .type = METRIC_GAUGE, .help = info->help};
    size_t count =
        info->label_count < LIMIT_LABELS_PER_SERIES - 2 ? info->label_count : LIMIT_LABELS_PER_SERIES - 2;
    memcpy(page->labels, info->labels, count * sizeof *page->labels);
    page->labels[count++] = LABEL_TEXT("target", target->name);
    page->labels[count++] = LABEL_TEXT("deployment_region", target->region);
    batch_put(page->batch, &family, page->labels, count, value_of(info->value));
}

/* --- ourselves ----------------------------------------------------------------------------------------- */

static void put_own(struct page *page, const char *name, enum metric_type type, const char *help,
                    const char *label, const char *label_value, double number)
{
    const struct scraper_target *target = page->target->spec.target;
    const struct metric_desc family = {.name = name, .type = type, .help = help};
    size_t count = 0;
    page->labels[count++] = LABEL_TEXT("region", target->region);
    page->labels[count++] = LABEL_TEXT("scraper", page->target->spec.source->name);
    page->labels[count++] = LABEL_TEXT("target", target->name);
    if (label)
        page->labels[count++] = (struct label){str_from(label), str_from(label_value)};
    batch_put(page->batch, &family, page->labels, count, value_of(number));
}

static void put_calls(struct page *page)
{
    const struct cloud_target *target = page->target;
    for (unsigned i = 0; i < target->cost.api_count; i++) {
        const struct cloud_api *api = &target->spec.source->apis[i];
        put_own(page, "fraiseql_cloud_requests_total", METRIC_COUNTER,
                "Calls that the cloud has served, or may have.", "api", api->name,
                (double)target->cost.meters[i].requests);
        put_own(page, "fraiseql_cloud_billed_units_total", METRIC_COUNTER,
                "Units of these calls as the cloud bills them: metrics, requests or time series.", "api",
                api->name, (double)target->cost.meters[i].units);
        put_own(page, "fraiseql_cloud_request_failures_total", METRIC_COUNTER,
                "Calls given up, tries included.", "api", api->name, (double)target->counts[i].failures);
        put_own(page, "fraiseql_cloud_throttled_total", METRIC_COUNTER, "Calls refused as too fast.", "api",
                api->name, (double)target->counts[i].throttled);
    }
}

static void put_cost(struct page *page)
{
    const struct cloud_target *target = page->target;
    const struct cloud_cost *cost = &target->cost;
    double month_usd = 0;
    for (unsigned i = 0; i < cost->api_count; i++)
        month_usd +=
            cloud_cost_usd(&cost->apis[i], 0, target->units_per_hour[i] * CLOUD_MONTH_HOURS / cost->stretch);
    put_own(page, "fraiseql_cloud_estimated_usd_per_month", METRIC_GAUGE,
            "What the calls cost in a month at the present speed, by list price.", NULL, NULL, month_usd);
    put_own(page, "fraiseql_cloud_month_usd", METRIC_GAUGE,
            "What the calls of this calendar month (UTC) have cost, by list price.", NULL, NULL,
            cloud_cost_month_usd(cost));
    if (cost->budget_usd > 0) {
        put_own(page, "fraiseql_cloud_budget_usd_per_month", METRIC_GAUGE, "The budget of a month.", NULL,
                NULL, cost->budget_usd);
        put_own(page, "fraiseql_cloud_stretch_ratio", METRIC_GAUGE,
                "How much slower than once a period metrics are asked to stay within the budget.", NULL, NULL,
                cost->stretch);
    }
}

static void put_plan(struct page *page)
{
    const struct cloud_target *target = page->target;
    struct cloud_plan_counts counts;
    cloud_plan_counts(target->plan, &counts);
    put_own(page, "fraiseql_cloud_queries", METRIC_GAUGE, "Queries that are asked once in their period.",
            NULL, NULL, (double)counts.queries);
    put_own(page, "fraiseql_cloud_series_refused_total", METRIC_COUNTER,
            "Series left out because max_series was reached.", NULL, NULL, (double)counts.refused_series);
    put_own(page, "fraiseql_cloud_lost_buckets_total", METRIC_COUNTER,
            "Buckets that an outage longer than catch_up, or than the cloud keeps them, has cost.", NULL,
            NULL, (double)counts.lost_buckets);
    for (int status = CLOUD_PARTIAL; status <= CLOUD_FAILED; status++)
        put_own(page, "fraiseql_cloud_query_failures_total", METRIC_COUNTER,
                "Results of queries that were not complete, by status.", "status",
                cloud_status_text((enum cloud_status)status), (double)target->failed_by_status[status]);
    int named = 0;
    for (const struct cloud_query *query = cloud_plan_queries(target->plan); query && named < FAILING_MAX;
         query = query->next) {
        if (query->status == CLOUD_COMPLETE)
            continue;
        named++;
        put_own(page, "fraiseql_cloud_query_failing", METRIC_GAUGE,
                "1 for each query (100 at most) whose last result was not complete.", "query", query->key, 1);
    }
}

static void put_dropped(struct page *page)
{
    const struct cloud_target *target = page->target;
    struct batch_counts counts;
    batch_counts(page->batch, &counts);
    static const char name[] = "fraiseql_scraper_dropped_lines_total";
    static const char help[] = "Lines that were not taken over up to the scrape before, by reason (syntax, "
                               "invalid, duplicate, limit, type).";
    put_own(page, name, METRIC_COUNTER, help, "reason", "duplicate", (double)counts.dropped_duplicate);
    put_own(page, name, METRIC_COUNTER, help, "reason", "invalid", (double)counts.dropped_invalid);
    put_own(page, name, METRIC_COUNTER, help, "reason", "limit", (double)counts.dropped_limit);
    put_own(page, name, METRIC_COUNTER, help, "reason", "type", (double)counts.dropped_type);
    static const char points[] = "fraiseql_cloud_points_dropped_total";
    static const char points_help[] = "Points of answers that were not taken, by reason (bad: no finite "
                                      "number or no time; limit; unknown: of "
                                      "nothing that was asked).";
    put_own(page, points, METRIC_COUNTER, points_help, "reason", "bad", (double)target->bad_points);
    put_own(page, points, METRIC_COUNTER, points_help, "reason", "limit", (double)target->points_over_limit);
    put_own(page, points, METRIC_COUNTER, points_help, "reason", "unknown", (double)target->unknown_results);
}

static void put_times(struct page *page)
{
    const struct cloud_target *target = page->target;
    static const char name[] = "fraiseql_cloud_last_success_timestamp_seconds";
    static const char help[] = "When a call of this kind (poll, discovery) last succeeded.";
    if (target->polled_wall_ns)
        put_own(page, name, METRIC_GAUGE, help, "call", "poll",
                (double)(target->polled_wall_ns / NS_PER_MS) / 1e3);
    if (target->discovered_wall_ns)
        put_own(page, name, METRIC_GAUGE, help, "call", "discovery",
                (double)(target->discovered_wall_ns / NS_PER_MS) / 1e3);
    put_own(page, "fraiseql_cloud_clock_offset_seconds", METRIC_GAUGE,
            "How far the cloud's clock is ahead of this machine's, where that is more than a minute; else 0.",
            NULL, NULL, (double)((page->now_ns - clock_wall_ns()) / NS_PER_S));
    for (size_t i = 0; i < target->spec.credential_count; i++) {
        struct cloud_identity_stats stats;
        cloud_identity_stats(target->identities[i], &stats);
        const char *which = i == 0 ? "0" : "1";
        put_own(page, "fraiseql_cloud_signins_total", METRIC_COUNTER,
                "Tokens got, by everybody with these credentials.", "credential", which,
                (double)stats.refreshes);
        put_own(page, "fraiseql_cloud_signin_failures_total", METRIC_COUNTER,
                "Tokens not got, by everybody with these credentials.", "credential", which,
                (double)stats.failures);
        if (stats.expires_wall_ns)
            put_own(page, "fraiseql_cloud_token_expiry_timestamp_seconds", METRIC_GAUGE,
                    "When the present token ends.", "credential", which,
                    (double)(stats.expires_wall_ns / NS_PER_S));
    }
}

static void put_ages(struct page *page)
{
    for (struct cloud_metric *metric = cloud_plan_metrics(page->target->plan); metric;
         metric = metric->next) {
        if (metric->shown == 0)
            continue;
        put_own(page, "fraiseql_cloud_sample_age_seconds", METRIC_GAUGE,
                "Age of the oldest sample shown of a metric: time since its bucket ended.", "metric",
                metric->desc.name, (double)metric->oldest_ns / (double)NS_PER_S);
        put_own(page, "fraiseql_cloud_settle_seconds", METRIC_GAUGE,
                "How long values of a metric still change after their bucket ended, as learnt.", "metric",
                metric->desc.name, (double)cloud_settle_ns(&metric->settle) / (double)NS_PER_S);
    }
}

struct snapshot *cloud_page_make(struct cloud_target *target)
{
    struct page page = {
        .target = target, .batch = target->page, .arena = arena_new(0), .now_ns = cloud_target_now(target)};
    page.sums_end = &page.first_sum;
    batch_begin(target->page);
    put_calls(&page);
    put_cost(&page);
    put_plan(&page);
    put_times(&page);
    put_dropped(&page);
    for (struct cloud_metric *metric = cloud_plan_metrics(target->plan); metric; metric = metric->next)
        metric->shown = 0, metric->oldest_ns = 0;
    for (struct cloud_series *series = cloud_plan_all_series(target->plan); series;
         series = series->plan_next)
        put_series(&page, series);
    for (const struct cloud_info *info = cloud_plan_infos(target->plan); info; info = info->next)
        put_info(&page, info);
    for (const struct common_sum *sum = page.first_sum; sum; sum = sum->next)
        put_word(&page, sum->common, sum->resource, sum->total);
    put_ages(&page);
    map_deinit(&page.sums);
    arena_free(page.arena);
    return batch_finish(target->page, clock_wall_ns(), clock_mono_ns());
}

/* --- keep and drop ------------------------------------------------------------------------------------- */

static bool matches_one(struct selector *const *selectors, size_t count, struct str name, struct str text)
{
    for (size_t i = 0; i < count; i++) {
        if (selector_matches(selectors[i], name, text))
            return true;
    }
    return false;
}

static bool is_left_out(const struct cloud_target *target, const struct cloud_series *series)
{
    const struct cloud_config *config = target->spec.config;
    struct page page = {.target = (struct cloud_target *)target};
    struct buf text = BUF_INIT(LIMIT_LABEL_TEXT_BYTES);
    size_t count = labels_of(&page, series);
    if (labels_render(page.labels, &count, &text) != 0) {
        buf_deinit(&text);
        return false; /* the batch drops and counts it */
    }
    struct str name = str_from(series->metric->desc.name);
    bool out = matches_one(target->drop, config->drop.count, name, buf_str(&text)) ||
               (config->keep.count && !matches_one(target->keep, config->keep.count, name, buf_str(&text)));
    buf_deinit(&text);
    return out;
}

void cloud_page_judge(struct cloud_target *target)
{
    const struct cloud_config *config = target->spec.config;
    if (config->keep.count == 0 && config->drop.count == 0)
        return;
    for (struct cloud_query *query = cloud_plan_queries(target->plan); query; query = query->next) {
        bool all_hidden = query->series != NULL;
        for (struct cloud_series *series = query->series; series; series = series->next) {
            if (!series->judged)
                series->hidden = is_left_out(target, series);
            series->judged = true;
            all_hidden = all_hidden && series->hidden && series->planned;
        }
        query->muted = all_hidden;
    }
}
