#include "scrapers/cloud/config.h"

#include "lib/metrics/selector.h"

int cloud_config_check_selector(const char *text, struct error *err)
{
    struct selector *selector = NULL;
    int code = selector_parse(text, &selector, err);
    selector_free(selector);
    return code;
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
