#include "scrapers/cloudwatch/cloudwatch.h"

#include "lib/cloud/aws_signin.h"
#include "lib/core/env.h"
#include "scrapers/cloud/target.h"
#include "scrapers/cloud/vocabulary.h"
#include "scrapers/cloudwatch/cloudwatch_internal.h"
#include "scrapers/cloudwatch/cloudwatch_profiles.h"
#include "scrapers/url.h"

#include <stdio.h>
#include <stdlib.h>

#define DAY_NS (86400 * NS_PER_S)

/* Quotas: AWS's own default of each API, a second and region, of which others want their share. Prices:
 * CloudWatch's list price of 2026-11 in US dollars: 0.01 for a thousand metrics of GetMetricData, which has
 * no free tier, and for a thousand requests of ListMetrics beyond a million. The others are free. */
const struct cloud_source cloudwatch_source = {
    .name = "cloudwatch",
    .apis = {[CW_GET_METRIC_DATA] = {"GetMetricData", 25, 25, "metric", 1e-5, 0},
             [CW_LIST_METRICS] = {"ListMetrics", 12, 12, "request", 1e-5, 1000000},
             [CW_GET_RESOURCES] = {"GetResources", 5, 5, "request", 0, 0},
             [CW_CALLER_IDENTITY] = {"GetCallerIdentity", 5, 5, "request", 0, 0}},
    .api_count = CW_APIS,
    .batch_max = CW_QUERIES_MAX,
    .points_max = CW_POINTS_MAX,
    .settle_ns = 120 * NS_PER_S,
    .late_ns = 900 * NS_PER_S,
    .retention_ns = 15 * DAY_NS,
    .discover = cloudwatch_discover,
    .render = cloudwatch_render,
    .read = cloudwatch_read,
    .authorize = cloudwatch_authorize,
    .free = cloudwatch_state_free,
};

/* --- what is wanted ------------------------------------------------------------------------------------ */

static size_t count_wanted(const struct cloudwatch_config *config)
{
    size_t count = config->metrics.count;
    for (size_t i = 0; i < config->profiles.count; i++)
        count += cloudwatch_profile_find(config->profiles.items[i])->count;
    return count;
}

static void split_text(struct arena *arena, const char *text, const char **parts, size_t max,
                       size_t *ret_count)
{
    *ret_count = 0;
    while (*text && *ret_count < max) {
        size_t length = strcspn(text, ",");
        parts[(*ret_count)++] = arena_strdup(arena, (struct str){text, length});
        text += length + (text[length] == ',');
    }
}

static void want_of_profile(struct cloudwatch_state *state, const struct cloudwatch_profile_metric *metric)
{
    struct cloudwatch_wanted *wanted = &state->wanted[state->wanted_count++];
    const char *names[4];
    *wanted = (struct cloudwatch_wanted){
        .namespace_name = metric->namespace_name,
        .name = metric->name,
        .lane = cloudwatch_home(metric->namespace_name, state->config->location),
        .period_ns = metric->period_s * NS_PER_S,
        .flags = metric->flags,
        .common = metric->word ? cloud_common_find(metric->word) : NULL,
        .common_statistic = metric->word_stat,
        .scale = metric->scale,
        .offset = metric->offset,
    };
    split_text(state->arena, metric->statistics, wanted->statistics, CLOUDWATCH_STATISTICS_MAX,
               &wanted->statistic_count);
    split_text(state->arena, metric->dimensions, names, ARRAY_LEN(names), &wanted->dimension_count);
    struct string_pair *dimensions = arena_alloc(state->arena, wanted->dimension_count * sizeof *dimensions);
    for (size_t i = 0; i < wanted->dimension_count; i++)
        dimensions[i] = (struct string_pair){names[i], "*"};
    wanted->dimensions = dimensions;
}

static void want_of_config(struct cloudwatch_state *state, const struct cloudwatch_metric_config *metric)
{
    /* More than five statistics are billed as two metrics, and are two queries. */
    for (size_t from = 0; from < metric->statistics.count; from += CLOUDWATCH_STATISTICS_MAX) {
        struct cloudwatch_wanted *wanted = &state->wanted[state->wanted_count++];
        *wanted = (struct cloudwatch_wanted){
            .namespace_name = metric->namespace_name,
            .name = metric->name,
            .lane = cloudwatch_home(metric->namespace_name, state->config->location),
            .period_ns = metric->period_ns,
            .any_dimensions = metric->dimensions.count == 0,
            .dimensions = metric->dimensions.items,
            .dimension_count = metric->dimensions.count,
        };
        for (size_t i = from; i < metric->statistics.count && i < from + CLOUDWATCH_STATISTICS_MAX; i++)
            wanted->statistics[wanted->statistic_count++] = metric->statistics.items[i];
    }
}

/* "arn:aws:iam::123456789012:role/x" */
static const char *account_of_role(const char *arn, struct arena *arena)
{
    for (int i = 0; i < 4 && arn; i++) {
        arn = strchr(arn, ':');
        arn = arn ? arn + 1 : NULL;
    }
    size_t length = arn ? strspn(arn, "0123456789") : 0;
    return length ? arena_strdup(arena, (struct str){arn, length}) : NULL;
}

struct cloudwatch_state *cloudwatch_state_new(const struct cloudwatch_config *config)
{
    struct cloudwatch_state *state = xcalloc(1, sizeof *state);
    state->config = config;
    state->arena = arena_new(0);
    size_t count = count_wanted(config);
    for (size_t i = 0; i < config->metrics.count; i++)
        count += SECTION_AT(struct cloudwatch_metric_config, config->metrics, i)->statistics.count;
    state->wanted = xcalloc(count + 1, sizeof *state->wanted);
    for (size_t i = 0; i < config->profiles.count; i++) {
        const struct cloudwatch_profile *profile = cloudwatch_profile_find(config->profiles.items[i]);
        for (size_t k = 0; k < profile->count; k++)
            want_of_profile(state, &profile->metrics[k]);
    }
    for (size_t i = 0; i < config->metrics.count; i++)
        want_of_config(state, SECTION_AT(struct cloudwatch_metric_config, config->metrics, i));
    if (config->credentials.role_arn)
        state->account = account_of_role(config->credentials.role_arn, state->arena);
    return state;
}

void cloudwatch_state_free(void *state_pointer)
{
    struct cloudwatch_state *state = state_pointer;
    cloudwatch_discovery_free(state->discovery);
    free(state->wanted);
    arena_free(state->arena);
    free(state);
}

/* --- the target ---------------------------------------------------------------------------------------- */

static struct signin *open_signin(const void *arg)
{
    const struct cloudwatch_config *config = arg;
    const struct cloudwatch_credentials *credentials = &config->credentials;
    bool emulator = config->cloud.endpoint && strncmp(config->cloud.endpoint, "http://", 7) == 0;
    const char *sts = config->sts_endpoint ? config->sts_endpoint : emulator ? config->cloud.endpoint : NULL;
    const struct aws_signin_options options = {.region = config->location,
                                               .role_arn = credentials->role_arn,
                                               .external_id = credentials->external_id,
                                               .profile = credentials->profile,
                                               .credentials_file = credentials->credentials_file,
                                               .config_file = credentials->config_file,
                                               .sts_url = sts};
    return aws_signin_new(&options);
}

static const char *or_none(const char *text)
{
    return text ? text : "";
}

static int create(const struct scraper_env *env, const void *config_pointer, void **ret_state,
                  struct error *err)
{
    const struct cloudwatch_config *config = config_pointer;
    const struct cloudwatch_credentials *credentials = &config->credentials;
    struct buf key = BUF_INIT(16384);
    buf_printf(&key, "aws|%s|%s|%s|%s|%s|%s|%s", or_none(credentials->profile),
               or_none(credentials->role_arn), or_none(credentials->external_id),
               or_none(credentials->credentials_file), or_none(credentials->config_file),
               or_none(config->sts_endpoint ? config->sts_endpoint : config->cloud.endpoint),
               credentials->role_arn ? config->location : "");
    const struct cloud_target_spec spec = {
        .source = &cloudwatch_source,
        .target = &config->target,
        .config = &config->cloud,
        .state = cloudwatch_state_new(config),
        .credentials = {{.key = buf_text(&key), .open = open_signin, .arg = config}},
        .credential_count = 1,
        .tls = {.ca_file = env_get("AWS_CA_BUNDLE")},
    };
    struct cloud_target *target = NULL;
    int code = cloud_target_new(env, &spec, &target, err);
    buf_deinit(&key);
    *ret_state = target;
    return code;
}

static void address(const void *config_pointer, char *text, size_t size)
{
    const struct cloudwatch_config *config = config_pointer;
    if (config->cloud.endpoint)
        url_target(config->cloud.endpoint, text, size);
    else
        (void)snprintf(text, size, "monitoring.%s.amazonaws.com:443", config->location);
}

/* --- the price ----------------------------------------------------------------------------------------- */

static struct cloud_estimate *estimate(const void *config_pointer)
{
    const struct cloudwatch_config *config = config_pointer;
    struct cloudwatch_state *state = cloudwatch_state_new(config);
    double budget = config->cloud.budget ? (double)config->cloud.budget->microusd_per_month / 1e6 : 0;
    struct cloud_estimate *sum =
        cloud_estimate_new(cloudwatch_source.apis, cloudwatch_source.api_count, budget);
    size_t listings = 0;
    for (size_t i = 0; i < state->wanted_count; i++) {
        const struct cloudwatch_wanted *wanted = &state->wanted[i];
        bool fixed = cloudwatch_is_static(wanted);
        uint64_t resources = fixed ? 1 : (uint64_t)config->discover.expected;
        struct buf what = BUF_INIT(4096);
        buf_printf(&what, "%s %s", wanted->namespace_name, wanted->name);
        for (size_t k = 0; k < wanted->statistic_count; k++)
            buf_printf(&what, "%s%s", k ? "," : " ", wanted->statistics[k]);
        cloud_estimate_add(sum,
                           &(struct cloud_estimate_row){
                               .what = buf_text(&what),
                               .api = CW_GET_METRIC_DATA,
                               .resources = resources,
                               .series = resources * wanted->statistic_count,
                               .every_ns = wanted->period_ns,
                               .requests = (double)(resources * wanted->statistic_count) / CW_QUERIES_MAX,
                               .units = (double)resources});
        buf_deinit(&what);
        bool listed = fixed;
        for (size_t k = 0; k < i; k++)
            listed = listed || strcmp(state->wanted[k].namespace_name, wanted->namespace_name) == 0;
        listings += listed ? 0 : 1;
    }
    if (listings)
        cloud_estimate_add(sum, &(struct cloud_estimate_row){.what = "discovery",
                                                             .api = CW_LIST_METRICS,
                                                             .every_ns = config->cloud.discover_every_ns,
                                                             .requests = (double)listings,
                                                             .units = (double)listings});
    cloudwatch_state_free(state);
    return sum;
}

static const char *const prefixes[] = {"aws_", "fraiseql_region_", NULL};

/* The shortest period asked for: no metric comes more often, whatever the interval. */
static int64_t publish_interval_ns(const void *config_pointer, size_t prefix)
{
    const struct cloudwatch_config *config = config_pointer;
    int64_t least_ns = config->profiles.count ? 60 * NS_PER_S : DAY_NS;
    (void)prefix;
    for (size_t i = 0; i < config->metrics.count; i++) {
        int64_t period_ns = SECTION_AT(struct cloudwatch_metric_config, config->metrics, i)->period_ns;
        least_ns = period_ns < least_ns ? period_ns : least_ns;
    }
    return least_ns > config->target.interval_ns ? least_ns : config->target.interval_ns;
}

const struct scraper_kind cloudwatch_scraper = {
    .name = "cloudwatch",
    .section = &cloudwatch_section,
    .prefixes = prefixes,
    .publish_interval_ns = publish_interval_ns,
    .address = address,
    .create = create,
    .scrape = cloud_target_scrape,
    .cancel = cloud_target_cancel,
    .destroy = cloud_target_destroy,
    .estimate = estimate,
};
