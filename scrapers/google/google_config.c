#include "scrapers/google/google_internal.h"

#define TARGET(member) offsetof(struct google_config, member)

/* Types become parts of addresses and of names. */
static int check_type(const char *text, struct error *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-";
    if (strspn(text, allowed) != strlen(text) || !strchr(text, '/'))
        return error_set(err, ERR_CONFIG,
                         "\"%.100s\" is no metric type, such as cloudsql.googleapis.com/database/up", text);
    return 0;
}

static int check_project(const char *text, struct error *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-.:";
    if (strspn(text, allowed) != strlen(text))
        return error_set(err, ERR_CONFIG, "\"%.100s\" is not the id of a project", text);
    return 0;
}

static int check_profile(const char *text, struct error *err)
{
    struct buf names = BUF_INIT(4096);
    if (google_profile_find(text))
        return 0;
    for (const struct google_profile *at = google_profiles; at->name; at++)
        buf_printf(&names, "%s%s", at == google_profiles ? "" : ", ", at->name);
    int code =
        error_set(err, ERR_CONFIG, "there is no profile \"%.100s\"; there are %s", text, buf_text(&names));
    buf_deinit(&names);
    return code;
}

static const struct option_enum absent_choices[] = {{"auto", GOOGLE_ABSENT_AUTO},
                                                    {"zero", GOOGLE_ABSENT_IS_ZERO},
                                                    {"unknown", GOOGLE_ABSENT_IS_UNKNOWN},
                                                    {NULL, 0}};

static const struct option metric_options[] = {
    {.name = "type",
     .type = OPT_STRING,
     .offset = offsetof(struct google_metric_config, type),
     .required = true,
     .check = check_type,
     .help = "Metric type, such as loadbalancing.googleapis.com/https/request_count."},
    {.name = "period",
     .type = OPT_DURATION,
     .offset = offsetof(struct google_metric_config, period_ns),
     .min = GOOGLE_PERIOD_MIN_NS,
     .max = 86400 * NS_PER_S,
     .unit = "duration",
     .help = "Length of a bucket; default: the sample period that Google names, at least 60s."},
    {.name = "absent",
     .type = OPT_ENUM,
     .offset = offsetof(struct google_metric_config, absent),
     .default_text = "auto",
     .choices = absent_choices,
     .help =
         "What a period without a point says: `zero`, that nothing happened, as of metrics of which Google "
         "writes no zeros; `unknown`, that there is no value. `auto` is zero for the counts of which the "
         "profiles know it."},
    {.name = "filter",
     .type = OPT_STRING,
     .offset = offsetof(struct google_metric_config, filter),
     .not_empty = true,
     .help = "Further conditions of a monitoring filter, such as resource.labels.region = \"europe-west1\"."},
};

static const struct option_section metric_section = {
    .name = "scrapers.google[].metrics[]",
    .help = "A metric type besides those of the profiles.",
    .size = sizeof(struct google_metric_config),
    .options = metric_options,
    .option_count = ARRAY_LEN(metric_options),
    .has_position = true,
    .position_offset = offsetof(struct google_metric_config, position),
};

static const struct option target_options[] = {
    SCRAPER_TARGET_OPTIONS(struct google_config),
    {.name = "project",
     .type = OPT_STRING,
     .offset = TARGET(project),
     .required = true,
     .not_empty = true,
     .check = check_project,
     .help = "Project whose metrics are read."},
    {.name = "credentials_file",
     .type = OPT_PATH,
     .offset = TARGET(credentials_file),
     .help = "Key of a service account, or the description of a workload identity. Without it: what "
             "GOOGLE_APPLICATION_CREDENTIALS names, gcloud's login, the metadata server. Needed is "
             "roles/monitoring.viewer."},
    {.name = "profiles",
     .type = OPT_STRING_LIST,
     .offset = TARGET(profiles),
     .check = check_profile,
     .help = "Ready-made lists of metrics: cloudsql-postgresql, gce, load-balancing."},
    {.name = "metrics",
     .type = OPT_SECTION_LIST,
     .offset = TARGET(metrics),
     .section = &metric_section,
     .help = "Further metric types."},
    CLOUD_OPTIONS(struct google_config),
};

static void check_target(const void *config_pointer, const struct node *node, struct diag *diag)
{
    const struct google_config *config = config_pointer;
    scraper_target_check(&config->target, node, diag);
    cloud_config_check_endpoint("endpoint", config->cloud.endpoint, node, diag);
    if (!config->profiles.count && !config->metrics.count)
        (void)node_report(node, diag, DIAG_ERROR,
                          "neither profiles nor metrics are given: there is nothing to ask for");
}

const struct option_section google_section = {
    .name = "scrapers.google[]",
    .help = "Metrics of Google Cloud Monitoring, each asked once a period.",
    .size = sizeof(struct google_config),
    .options = target_options,
    .option_count = ARRAY_LEN(target_options),
    .has_position = true,
    .position_offset = offsetof(struct google_config, target.position),
    .check = check_target,
};
