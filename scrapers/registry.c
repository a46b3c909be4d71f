#include "scrapers/azure/azure.h"
#include "scrapers/backup/backup.h"
#include "scrapers/cloudflare/cloudflare.h"
#include "scrapers/cloudwatch/cloudwatch.h"
#include "scrapers/google/google.h"
#include "scrapers/kubernetes/kubernetes.h"
#include "scrapers/postgres/postgres.h"
#include "scrapers/prometheus/prometheus.h"
#include "scrapers/scraper.h"

const struct scraper_kind *const scraper_kinds[] = {
    &postgres_scraper,   &prometheus_scraper, &backup_scraper,
    &kubernetes_scraper, &cloudwatch_scraper, &google_scraper,
    &cloudflare_scraper, &azure_scraper,      NULL,
};

const struct scraper_kind *scraper_kind_find(const char *name)
{
    for (size_t i = 0; scraper_kinds[i]; i++) {
        if (strcmp(scraper_kinds[i]->name, name) == 0)
            return scraper_kinds[i];
    }
    return NULL;
}
