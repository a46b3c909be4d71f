/* Scraper of PostgreSQL 13 to 18: one round trip a scrape, replication lag by the LSN ring.
 * Metric names are postgres_exporter's (both eras) and fraiseql_postgres_*. See docs/postgres-names.md.
 *
 * A target keeps two connections: one for scrapes, one that samples WAL positions every lag_interval. The
 * role needs LOGIN and pg_monitor; without pg_monitor the scrape works as far as it goes, ends with ERR_AUTH
 * and a hint that names the grant, and fraiseql_postgres_privileges_missing is 1. */
#ifndef FRAISEQL_SCRAPERS_POSTGRES_H
#define FRAISEQL_SCRAPERS_POSTGRES_H

#include "scrapers/scraper.h"

struct postgres_config {
    struct scraper_target target;
    const char *cluster; /* members of one cluster are compared; the label db_cluster; default: the name */
    const char *dsn;     /* conninfo or URI */
    const char *password_file;    /* read anew for every connection */
    bool lag;                     /* sample WAL positions */
    int64_t lag_interval_ns;      /* period of the LSN samples; default 250ms */
    int64_t statement_timeout_ns; /* 0: four fifths of the timeout */
    int64_t lock_timeout_ns;
    int64_t settings_interval_ns, table_interval_ns, size_interval_ns;
    struct string_list collect; /* groups on top of the default ones */
    struct string_list skip;    /* groups left out */
    bool tables;
    int64_t tables_max;
    int names;               /* enum postgres_names; NAMES_DEFAULT: the collector's switch */
    uint64_t wal_disk_bytes; /* 0: unknown */
};

extern const struct scraper_kind postgres_scraper;

#endif
