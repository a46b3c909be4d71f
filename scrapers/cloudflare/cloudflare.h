/* Cloudflare's GraphQL analytics and load balancers, as a cloud source (scrapers/cloud/source.h). */
#ifndef FRAISEQL_SCRAPERS_CLOUDFLARE_CLOUDFLARE_H
#define FRAISEQL_SCRAPERS_CLOUDFLARE_CLOUDFLARE_H

#include "scrapers/scraper.h"

extern const struct scraper_kind cloudflare_scraper;

#endif
