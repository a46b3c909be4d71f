/* One target: target.c creates and destroys it, scrape.c talks to the server, report.c makes the snapshot. */
#ifndef FRAISEQL_SCRAPERS_POSTGRES_INTERNAL_H
#define FRAISEQL_SCRAPERS_POSTGRES_INTERNAL_H

#include "scrapers/postgres/catalog.h"
#include "scrapers/postgres/connection.h"
#include "scrapers/postgres/options.h"
#include "scrapers/postgres/sampler.h"
#include "scrapers/postgres/samples.h"

enum { POSTGRES_STATEMENT_NAME_MAX = 64, POSTGRES_TEXT_MAX = 128 };

struct group_state {
    struct query query; /* group NULL: not on this server */
    char statement_name[POSTGRES_STATEMENT_NAME_MAX];
    struct samples samples;
    int64_t due_ns;       /* when it is to be asked next */
    bool asked, answered; /* in the scrape under way */
    bool ok;              /* as last asked */
    bool failing;         /* and the log says so already */
    int64_t duration_ns;  /* of its last answer, within the pipeline */
};

/* What the server said about itself in this scrape. */
struct identity {
    bool known;
    bool standby, monitor; /* the role may read all statistics */
    uint32_t timeline;
    uint64_t version;
    char system_identifier[POSTGRES_TEXT_MAX], role[POSTGRES_TEXT_MAX], version_text[POSTGRES_TEXT_MAX];
};

struct target {
    const struct scraper_env *env;
    const struct postgres_config *config;
    enum postgres_names names;
    struct batch *batch;
    struct sampler *sampler; /* NULL: lag is switched off */
    struct connection connection;

    /* Of the connection: what the server has and the statements that follow from it. */
    struct catalog catalog;
    struct arena *queries;
    const char *catalog_statement;
    bool has_catalog, was_standby;
    unsigned generation; /* of the statements: part of their prepared names */
    struct group_state groups[GROUP_MAX];
    size_t group_count;
    char tables_max[24];

    /* Of the scrape under way. */
    scraper_done_fn *done;
    void *done_ctx;
    int64_t started_ns, deadline_ns, last_answer_ns;
    struct pg_statement statements[GROUP_MAX + 2];
    size_t statement_group[GROUP_MAX + 2]; /* index into groups, or one of enum statement_kind */
    size_t statement_count;
    struct identity identity;
    bool denied;          /* a statement ended with 42501 */
    struct error failure; /* code 0: none */

    /* Counters of its own. */
    uint64_t scrapes_total;
    int64_t last_duration_ns;
    bool last_failed;

    unsigned open; /* parts that are still to be closed */
    loop_fn *destroyed;
    void *destroyed_ctx;
};

enum statement_kind { STATEMENT_IDENTITY = GROUP_MAX, STATEMENT_CATALOG };

/* scrape.c */
void postgres_scrape(void *state, int64_t deadline_mono_ns, scraper_done_fn *done, void *ctx);
void postgres_cancel(void *state);

/* report.c: the snapshot of a scrape that ended; `up` false leaves out what was observed. */
struct snapshot *postgres_report(struct target *target, bool up);
/* derived.c: metrics computed of several others. */
void postgres_derive(struct target *target);

/* The error of a scrape that went through but must be seen: missing privileges, another database. False:
 * none. */
bool postgres_complaint(const struct target *target, struct error *err);

#endif
