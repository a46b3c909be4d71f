/* Scraper of Prometheus text 0.0.4 and OpenMetrics endpoints with keep, drop and limits; a bad line costs
 * itself. */
#ifndef FRAISEQL_SCRAPERS_PROMETHEUS_H
#define FRAISEQL_SCRAPERS_PROMETHEUS_H

#include "scrapers/scraper.h"

extern const struct scraper_kind prometheus_scraper;

#endif
