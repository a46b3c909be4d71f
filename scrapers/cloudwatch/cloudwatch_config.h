/* Configuration of one target of scrapers.cloudwatch. */
#ifndef FRAISEQL_SCRAPERS_CLOUDWATCH_CONFIG_H
#define FRAISEQL_SCRAPERS_CLOUDWATCH_CONFIG_H

#include "scrapers/cloud/config.h"
#include "scrapers/scraper.h"

struct cloudwatch_credentials {
    const char *profile, *role_arn, *external_id;
    const char *credentials_file, *config_file;
};

struct cloudwatch_metric_config {
    const char *namespace_name, *name;
    struct string_list statistics;
    int64_t period_ns;
    struct string_map dimensions; /* values may have `*` */
};

struct cloudwatch_discover {
    struct string_map tags;
    int64_t expected;
};

struct cloudwatch_config {
    struct scraper_target target;
    struct cloud_config cloud;
    const char *location;
    struct cloudwatch_credentials credentials;
    struct string_list profiles;
    struct section_list metrics;
    struct cloudwatch_discover discover;
    const char *tagging_endpoint, *sts_endpoint;
};

extern const struct option_section cloudwatch_section;
extern const struct option_section cloudwatch_metric_section;

#define CLOUDWATCH_STATISTICS_MAX 5U /* of one metric, which are billed as one */

#endif
