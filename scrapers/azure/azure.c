#include "scrapers/azure/azure.h"

#include "scrapers/azure/azure_internal.h"
#include "scrapers/cloud/target.h"
#include "scrapers/url.h"

#include <stdio.h>

/* Quotas: a third of Azure's, which others want too: 360,000 calls an hour of getBatch, 12,000 reads an hour
 * of Resource Manager. Prices: list price of 2026-11 in US dollars, 0.01 for a thousand calls beyond a
 * million a month; each resource of a getBatch is taken to be a call, which is the most that it can be. Lists
 * are free. */
const struct cloud_source azure_source = {
    .name = "azure",
    .apis = {[AZ_BATCH] = {"getBatch", 30, 30, "resource", 1e-5, 1000000},
             [AZ_METRICS] = {"metrics", 1, 30, "request", 1e-5, 1000000},
             [AZ_RESOURCES] = {"resources", 1, 30, "request", 0, 0}},
    .api_count = AZ_APIS,
    .batch_max = AZURE_RESOURCES_MAX,
    .points_max = 10000,
    .settle_ns = 180 * NS_PER_S,
    .late_ns = 900 * NS_PER_S,
    .retention_ns = 90 * 86400 * NS_PER_S,
    .discover = azure_discover,
    .render = azure_render,
    .read = azure_read,
    .free = azure_state_free,
};

/* --- the target ---------------------------------------------------------------------------------------- */

static struct signin *open_signin(const struct azure_config *config, const char *audience)
{
    const struct azure_credentials *credentials = config->credentials;
    const char *endpoint = config->cloud.endpoint;
    /* An emulator on this machine stands for the sign-in too. */
    bool emulator = endpoint && strncmp(endpoint, "http://", 7) == 0;
    struct azure_given given = {.machine = true, .authority = emulator ? endpoint : NULL};
    char scope[128];
    if (credentials) {
        given.tenant = credentials->tenant;
        given.client = credentials->client;
        given.secret_file = credentials->secret_file;
        given.certificate_file = credentials->certificate_file;
        given.token_file = credentials->token_file;
    }
    (void)snprintf(scope, sizeof scope, "%s/.default", audience);
    return azure_signin_given(scope, &given);
}

/* That ARM_ENVIRONMENT names one of them was seen when the target was made. */
static const struct azure_cloud *cloud_of_environment(void)
{
    const struct azure_cloud *cloud = NULL;
    struct error ignored = {0};
    return azure_cloud(&cloud, &ignored) == 0 ? cloud : NULL;
}

static struct signin *open_manager(const void *arg)
{
    return open_signin(arg, cloud_of_environment()->manager);
}

static struct signin *open_monitor(const void *arg)
{
    return open_signin(arg, azure_monitor_audience(cloud_of_environment()));
}

static const char *or_none(const char *text)
{
    return text ? text : "";
}

static int create(const struct scraper_env *env, const void *config_pointer, void **ret_state,
                  struct error *err)
{
    static const struct azure_credentials none;
    const struct azure_config *config = config_pointer;
    const struct azure_credentials *given = config->credentials ? config->credentials : &none;
    const struct azure_cloud *cloud = NULL;
    int code = azure_cloud(&cloud, err);
    if (code)
        return code;
    struct arena *arena = arena_new(0);
    const char *key =
        arena_printf(arena, "azure|%s|%s|%s|%s|%s|%s", or_none(given->tenant), or_none(given->client),
                     or_none(given->secret_file), or_none(given->certificate_file),
                     or_none(given->token_file), or_none(config->cloud.endpoint));
    const struct cloud_target_spec spec = {
        .source = &azure_source,
        .target = &config->target,
        .config = &config->cloud,
        .state = azure_state_new(config, cloud),
        .credentials = {[AZ_MANAGER] = {.key = arena_printf(arena, "%s|manager", key),
                                        .open = open_manager,
                                        .arg = config},
                        [AZ_MONITOR] = {.key = arena_printf(arena, "%s|monitor", key),
                                        .open = open_monitor,
                                        .arg = config}},
        .credential_count = 2,
        .account = config->subscription,
    };
    struct cloud_target *target = NULL;
    code = cloud_target_new(env, &spec, &target, err);
    arena_free(arena);
    *ret_state = target;
    return code;
}

static void address(const void *config_pointer, char *text, size_t size)
{
    const struct azure_config *config = config_pointer;
    const struct azure_cloud *cloud = cloud_of_environment();
    const char *url = config->cloud.endpoint ? config->cloud.endpoint : cloud ? cloud->manager : NULL;
    if (url)
        url_target(url, text, size);
    else
        (void)snprintf(text, size, "management.azure.com:443");
}

/* One resource of each kind is assumed. */
static struct cloud_estimate *estimate(const void *config_pointer)
{
    const struct azure_config *config = config_pointer;
    double budget = config->cloud.budget ? (double)config->cloud.budget->microusd_per_month / 1e6 : 0;
    struct cloud_estimate *sum = cloud_estimate_new(azure_source.apis, azure_source.api_count, budget);
    struct arena *arena = arena_new(0);
    struct azure_sets sets = azure_sets_choose(config, arena);
    for (size_t i = 0; i < sets.count; i++)
        cloud_estimate_add(sum, &(struct cloud_estimate_row){.what = sets.items[i]->type,
                                                             .api = AZ_BATCH,
                                                             .resources = 1,
                                                             .series = sets.items[i]->row_count,
                                                             .every_ns = sets.items[i]->period_s * NS_PER_S,
                                                             .requests = 1,
                                                             .units = 1});
    arena_free(arena);
    cloud_estimate_add(sum, &(struct cloud_estimate_row){.what = "discovery",
                                                         .api = AZ_RESOURCES,
                                                         .every_ns = config->cloud.discover_every_ns,
                                                         .requests = 1,
                                                         .units = 1});
    return sum;
}

static const char *const prefixes[] = {"azurerm_", "fraiseql_region_", NULL};

static int64_t publish_interval_ns(const void *config_pointer, size_t prefix)
{
    const struct azure_config *config = config_pointer;
    (void)prefix;
    return config->target.interval_ns > 60 * NS_PER_S ? config->target.interval_ns : 60 * NS_PER_S;
}

const struct scraper_kind azure_scraper = {
    .name = "azure",
    .section = &azure_section,
    .prefixes = prefixes,
    .publish_interval_ns = publish_interval_ns,
    .address = address,
    .create = create,
    .scrape = cloud_target_scrape,
    .cancel = cloud_target_cancel,
    .destroy = cloud_target_destroy,
    .estimate = estimate,
};
