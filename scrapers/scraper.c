#include "scrapers/scraper.h"

#include "lib/core/yaml.h"

void scraper_target_check(const struct scraper_target *target, const struct node *node, struct diag *diag)
{
    if (target->interval_ns > 0 && target->timeout_ns > target->interval_ns)
        (void)node_report(node, diag, DIAG_ERROR, "timeout is above interval");
}
