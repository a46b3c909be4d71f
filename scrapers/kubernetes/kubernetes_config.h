/* Configuration of one target of scrapers.kubernetes. */
#ifndef FRAISEQL_SCRAPERS_KUBERNETES_CONFIG_H
#define FRAISEQL_SCRAPERS_KUBERNETES_CONFIG_H

#include "scrapers/scraper.h"

struct kubernetes_config {
    struct scraper_target target;
    const char *kubeconfig, *context, *endpoint, *service_account;
    struct string_list namespaces, resources;
    int64_t page_size;
    uint64_t max_body_bytes;
    bool usage, cadvisor;
    struct string_list cadvisor_keep;
    int64_t max_sample_age_ns;
};

extern const struct option_section kubernetes_section;

/* What of cadvisor's page is kept when the configuration does not say; ended by NULL. */
extern const char *const kubernetes_cadvisor_keep[];

#endif
