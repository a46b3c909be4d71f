#include "scrapers/cloudflare/cloudflare.h"

#include "scrapers/cloud/target.h"
#include "scrapers/cloudflare/cloudflare_internal.h"
#include "scrapers/url.h"

#include <stdio.h>
#include <stdlib.h>

/* Quotas: a third of Cloudflare's defaults of 300 queries and 1200 requests in five minutes, for one user.
 * Neither costs anything. Analytics of the last three minutes are partial, and a query of minutes may span a
 * day at most. */
const struct cloud_source cloudflare_source = {
    .name = "cloudflare",
    .apis =
        {[CF_GRAPHQL] = {"graphql", 0.35, 20, "query", 0, 0}, [CF_REST] = {"rest", 1.3, 20, "request", 0, 0}},
    .api_count = CF_APIS,
    .batch_max = CLOUDFLARE_ZONES_MAX,
    .points_max = 0,
    .settle_ns = 300 * NS_PER_S,
    .late_ns = 900 * NS_PER_S,
    .retention_ns = 23 * 3600 * NS_PER_S,
    .discover = cloudflare_discover,
    .render = cloudflare_render,
    .read = cloudflare_read,
    .free = cloudflare_state_free,
};

/* --- the token: the first line of a file --------------------------------------------------------------- */

struct file_signin {
    const char *path; /* the configuration's */
    struct secret *token;
};

static int file_next(void *state, const struct http_response *answer, const struct error *failure,
                     int64_t wall_ns, enum signin_step *ret_step, struct http_request *ret_request,
                     struct error *err)
{
    struct file_signin *file = state;
    struct secret *token = NULL;
    (void)answer;
    (void)failure;
    (void)wall_ns;
    (void)ret_request;
    int code = secret_read_file(file->path, &token, NULL, err);
    if (code)
        return code;
    secret_free(file->token);
    file->token = token;
    *ret_step = SIGNIN_READY;
    return 0;
}

static void file_token(const void *state, struct cloud_token *ret_token)
{
    const struct file_signin *file = state;
    *ret_token = (struct cloud_token){.secret = file->token, .source = "token_file"};
}

static void file_free(void *state)
{
    struct file_signin *file = state;
    secret_free(file->token);
    free(file);
}

static struct signin *open_signin(const void *arg)
{
    static const struct signin_ops ops = {file_next, file_token, file_free};
    const struct cloudflare_config *config = arg;
    struct file_signin *file = xcalloc(1, sizeof *file);
    file->path = config->token_file;
    return signin_new(&ops, file);
}

/* --- the target ---------------------------------------------------------------------------------------- */

static int create(const struct scraper_env *env, const void *config_pointer, void **ret_state,
                  struct error *err)
{
    const struct cloudflare_config *config = config_pointer;
    struct buf key = BUF_INIT(16384);
    buf_printf(&key, "cloudflare|%s|%s", config->token_file,
               config->cloud.endpoint ? config->cloud.endpoint : "");
    const struct cloud_target_spec spec = {
        .source = &cloudflare_source,
        .target = &config->target,
        .config = &config->cloud,
        .state = cloudflare_state_new(config),
        .credentials = {{.key = buf_text(&key), .open = open_signin, .arg = config}},
        .credential_count = 1,
    };
    struct cloud_target *target = NULL;
    int code = cloud_target_new(env, &spec, &target, err);
    buf_deinit(&key);
    *ret_state = target;
    return code;
}

static void address(const void *config_pointer, char *text, size_t size)
{
    const struct cloudflare_config *config = config_pointer;
    if (config->cloud.endpoint)
        url_target(config->cloud.endpoint, text, size);
    else
        (void)snprintf(text, size, "api.cloudflare.com:443");
}

static struct cloud_estimate *estimate(const void *config_pointer)
{
    const struct cloudflare_config *config = config_pointer;
    double budget = config->cloud.budget ? (double)config->cloud.budget->microusd_per_month / 1e6 : 0;
    struct cloud_estimate *sum =
        cloud_estimate_new(cloudflare_source.apis, cloudflare_source.api_count, budget);
    size_t zones = config->zones.count;
    double queries = (double)((zones + CLOUDFLARE_ZONES_MAX - 1) / CLOUDFLARE_ZONES_MAX);
    struct cloud_estimate_row row = {.what = "httpRequests1mGroups",
                                     .api = CF_GRAPHQL,
                                     .resources = zones,
                                     .series = zones * (CLOUDFLARE_SUMS + 1),
                                     .every_ns = CLOUDFLARE_PERIOD_NS,
                                     .requests = queries,
                                     .units = queries};
    cloud_estimate_add(sum, &row);
    if (config->load_balancers) {
        row.what = "loadBalancingRequestsAdaptiveGroups";
        row.series = zones;
        cloud_estimate_add(sum, &row);
        cloud_estimate_add(sum, &(struct cloud_estimate_row){.what = "pools",
                                                             .api = CF_REST,
                                                             .resources = 1,
                                                             .series = 1,
                                                             .every_ns = CLOUDFLARE_PERIOD_NS,
                                                             .requests = 1,
                                                             .units = 1});
    }
    cloud_estimate_add(sum, &(struct cloud_estimate_row){.what = "discovery",
                                                         .api = CF_REST,
                                                         .every_ns = config->cloud.discover_every_ns,
                                                         .requests = 1,
                                                         .units = 1});
    return sum;
}

static const char *const prefixes[] = {"cloudflare_", "fraiseql_region_", NULL};

static int64_t publish_interval_ns(const void *config_pointer, size_t prefix)
{
    const struct cloudflare_config *config = config_pointer;
    (void)prefix;
    return config->target.interval_ns > CLOUDFLARE_PERIOD_NS ? config->target.interval_ns
                                                             : CLOUDFLARE_PERIOD_NS;
}

const struct scraper_kind cloudflare_scraper = {
    .name = "cloudflare",
    .section = &cloudflare_section,
    .prefixes = prefixes,
    .publish_interval_ns = publish_interval_ns,
    .address = address,
    .create = create,
    .scrape = cloud_target_scrape,
    .cancel = cloud_target_cancel,
    .destroy = cloud_target_destroy,
    .estimate = estimate,
};
