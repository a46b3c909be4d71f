#include "scrapers/cloud/config.h"

#include "lib/cloud/oauth.h"
#include "lib/core/yaml.h"
#include "lib/metrics/selector.h"

int cloud_config_check_selector(const char *text, struct error *err)
{
    struct selector *selector = NULL;
    int code = selector_parse(text, &selector, err);
    selector_free(selector);
    return code;
}

void cloud_config_check_endpoint(const char *name, const char *url, const struct node *node,
                                 struct diag *diag)
{
    if (url && !oauth_url_is_private(url))
        (void)node_report(
            node, diag, DIAG_ERROR,
            "%s is plain http to another machine, and what is sent there could be read on the way", name);
}

static const struct option budget_options[] = {
    {.name = "usd_per_month",
     .type = OPT_DECIMAL,
     .offset = offsetof(struct cloud_budget, microusd_per_month),
     .scale = 6,
     .required = true,
     .min = 1,
     .unit = "US dollars",
     .help =
         "In a calendar month (UTC), by list price. Polling gets slower before it is passed, without losing "
         "a bucket, and stops where the next call would pass it."},
};

const struct option_section cloud_budget_section = {
    .name = "scrapers.<cloud>[].budget",
    .help = "What the calls of this target may cost.",
    .size = sizeof(struct cloud_budget),
    .options = budget_options,
    .option_count = ARRAY_LEN(budget_options),
};
