/* Scraper of Azure Monitor: metrics:getBatch of a region, the metrics API of Resource Manager for global
 * resources, discovery by Resource Manager's lists; names as azure-metrics-exporter's. */
#ifndef FRAISEQL_SCRAPERS_AZURE_AZURE_H
#define FRAISEQL_SCRAPERS_AZURE_AZURE_H

#include "scrapers/scraper.h"

extern const struct scraper_kind azure_scraper;

#endif
