/* Scraper of Amazon CloudWatch: GetMetricData in JSON 1.0, discovery by ListMetrics and tags, names and
 * labels as YACE gives them. */
#ifndef FRAISEQL_SCRAPERS_CLOUDWATCH_H
#define FRAISEQL_SCRAPERS_CLOUDWATCH_H

#include "scrapers/scraper.h"

extern const struct scraper_kind cloudwatch_scraper;

#endif
