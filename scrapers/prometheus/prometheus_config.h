/* Configuration of one target of scrapers.prometheus. */
#ifndef FRAISEQL_SCRAPERS_PROMETHEUS_CONFIG_H
#define FRAISEQL_SCRAPERS_PROMETHEUS_CONFIG_H

#include "lib/net/http_options.h"
#include "scrapers/scraper.h"

enum prometheus_format {
    PROMETHEUS_FORMAT_AUTO,
    PROMETHEUS_FORMAT_TEXT,
    PROMETHEUS_FORMAT_OPENMETRICS,
    PROMETHEUS_FORMAT_PROTOBUF
};

struct prometheus_config {
    struct scraper_target target;
    const char *url;
    struct http_credential_files credentials;
    struct string_map headers;
    struct http_tls_options tls;
    struct string_list keep, drop; /* selectors */
    struct section_list relabel;   /* struct relabel_rule */
    uint64_t max_body_bytes;
    int64_t max_redirects;
    int format; /* enum prometheus_format: of an answer without a known Content-Type */
    int prefer; /* enum prometheus_format: what is asked for first */
    int64_t limit, label_limit, label_name_length_limit, label_value_length_limit; /* 0: none */
    bool honor_timestamps;
    int64_t max_sample_age_ns;
};

extern const struct option_section prometheus_section;

#endif
