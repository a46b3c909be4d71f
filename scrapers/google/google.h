/* Google Cloud Monitoring, as a cloud source (scrapers/cloud/source.h). */
#ifndef FRAISEQL_SCRAPERS_GOOGLE_GOOGLE_H
#define FRAISEQL_SCRAPERS_GOOGLE_GOOGLE_H

#include "scrapers/scraper.h"

extern const struct scraper_kind google_scraper;

#endif
