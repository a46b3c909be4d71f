#include "scrapers/cloudflare/cloudflare_internal.h"

#define TARGET(member) offsetof(struct cloudflare_config, member)

static const struct option target_options[] = {
    SCRAPER_TARGET_OPTIONS(struct cloudflare_config),
    {.name = "zones",
     .type = OPT_STRING_LIST,
     .offset = TARGET(zones),
     .required = true,
     .not_empty = true,
     .help = "Names of zones, such as example.com; \"*\" is every zone that the token sees."},
    {.name = "token_file",
     .type = OPT_PATH,
     .offset = TARGET(token_file),
     .required = true,
     .help =
         "File with an API token that may read Zone and Analytics, with load_balancers also Load Balancing: "
         "Monitors and Pools. Read anew when Cloudflare refuses the token."},
    {.name = "load_balancers",
     .type = OPT_BOOL,
     .offset = TARGET(load_balancers),
     .default_text = "false",
     .help = "Also the requests of load balancers, and the health of their pools and origins."},
    CLOUD_OPTIONS(struct cloudflare_config),
};

static void check_target(const void *config_pointer, const struct node *node, struct diag *diag)
{
    const struct cloudflare_config *config = config_pointer;
    scraper_target_check(&config->target, node, diag);
    cloud_config_check_endpoint("endpoint", config->cloud.endpoint, node, diag);
}

const struct option_section cloudflare_section = {
    .name = "scrapers.cloudflare[]",
    .help = "Analytics of Cloudflare's zones, each minute exactly once, and the health of load balancers.",
    .size = sizeof(struct cloudflare_config),
    .options = target_options,
    .option_count = ARRAY_LEN(target_options),
    .has_position = true,
    .position_offset = offsetof(struct cloudflare_config, target.position),
    .check = check_target,
};
