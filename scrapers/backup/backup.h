/* Scraper of a host's backups: reads the file that the schedule of backups writes (status.h), and counts how
 * old what it names has become. Ages grow while the schedule is dead, and while the file cannot be read. */
#ifndef FRAISEQL_SCRAPERS_BACKUP_H
#define FRAISEQL_SCRAPERS_BACKUP_H

#include "scrapers/scraper.h"

struct backup_config {
    struct scraper_target target;
    const char *status_file;
};

extern const struct scraper_kind backup_scraper;

#endif
