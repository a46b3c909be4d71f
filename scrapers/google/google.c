#include "scrapers/google/google.h"

#include "lib/cloud/google_signin.h"
#include "scrapers/cloud/target.h"
#include "scrapers/google/google_internal.h"
#include "scrapers/url.h"

#include <stdio.h>

#define SCOPE "https://www.googleapis.com/auth/monitoring.read"

/* Price: $0.50 a million time series returned since 2025-10-02, at least one a call, the first million a
 * month free (release notes of Cloud Monitoring). Rates: a tenth of the usual quota of 6000 queries a minute.
 * Points come up to four minutes late; raw ones are kept for six weeks. */
const struct cloud_source google_source = {
    .name = "google",
    .apis = {[GOOGLE_SERIES] = {"timeSeries.list", 10, 20, "time series", 0.5e-6, 1000000},
             [GOOGLE_DESCRIPTOR] = {"metricDescriptors.get", 10, 20, "request", 0, 0}},
    .api_count = GOOGLE_APIS,
    .batch_max = 1,
    .points_max = 0,
    .settle_ns = 180 * NS_PER_S,
    .late_ns = 900 * NS_PER_S,
    .retention_ns = 42 * 86400 * NS_PER_S,
    .discover = google_discover,
    .render = google_render,
    .read = google_read,
    .free = google_state_free,
};

static struct signin *open_signin(const void *arg)
{
    const struct google_config *config = arg;
    return config->credentials_file ? google_signin_with_file(SCOPE, config->credentials_file)
                                    : google_signin_new(SCOPE);
}

static int create(const struct scraper_env *env, const void *config_pointer, void **ret_state,
                  struct error *err)
{
    const struct google_config *config = config_pointer;
    struct buf key = BUF_INIT(16384);
    buf_printf(&key, "google|%s", config->credentials_file ? config->credentials_file : "");
    const struct cloud_target_spec spec = {
        .source = &google_source,
        .target = &config->target,
        .config = &config->cloud,
        .state = google_state_new(config),
        .credentials = {{.key = buf_text(&key), .open = open_signin, .arg = config}},
        .credential_count = 1,
        .account = config->project,
    };
    struct cloud_target *target = NULL;
    int code = cloud_target_new(env, &spec, &target, err);
    buf_deinit(&key);
    *ret_state = target;
    return code;
}

static void address(const void *config_pointer, char *text, size_t size)
{
    const struct google_config *config = config_pointer;
    if (config->cloud.endpoint)
        url_target(config->cloud.endpoint, text, size);
    else
        (void)snprintf(text, size, "monitoring.googleapis.com:443");
}

/* How many resources there are is not known before the first call: one is assumed. */
static struct cloud_estimate *estimate(const void *config_pointer)
{
    const struct google_config *config = config_pointer;
    double budget = config->cloud.budget ? (double)config->cloud.budget->microusd_per_month / 1e6 : 0;
    struct cloud_estimate *sum = cloud_estimate_new(google_source.apis, google_source.api_count, budget);
    struct google_state *state = google_state_new(config);
    for (size_t i = 0; i < state->wanted_count; i++) {
        const struct google_wanted *wanted = &state->wanted[i];
        cloud_estimate_add(sum, &(struct cloud_estimate_row){
                                    .what = wanted->metric.type,
                                    .api = GOOGLE_SERIES,
                                    .resources = 1,
                                    .series = 1,
                                    .every_ns = wanted->period_ns ? wanted->period_ns : GOOGLE_PERIOD_MIN_NS,
                                    .requests = 1,
                                    .units = 1});
    }
    cloud_estimate_add(sum, &(struct cloud_estimate_row){.what = "discovery",
                                                         .api = GOOGLE_DESCRIPTOR,
                                                         .every_ns = config->cloud.discover_every_ns,
                                                         .requests = (double)state->wanted_count,
                                                         .units = (double)state->wanted_count});
    google_state_free(state);
    return sum;
}

static const char *const prefixes[] = {"stackdriver_", "fraiseql_region_", NULL};

static int64_t publish_interval_ns(const void *config_pointer, size_t prefix)
{
    const struct google_config *config = config_pointer;
    (void)prefix;
    return config->target.interval_ns > GOOGLE_PERIOD_MIN_NS ? config->target.interval_ns
                                                             : GOOGLE_PERIOD_MIN_NS;
}

const struct scraper_kind google_scraper = {
    .name = "google",
    .section = &google_section,
    .prefixes = prefixes,
    .publish_interval_ns = publish_interval_ns,
    .address = address,
    .create = create,
    .scrape = cloud_target_scrape,
    .cancel = cloud_target_cancel,
    .destroy = cloud_target_destroy,
    .estimate = estimate,
};
