/* What the tests of the PostgreSQL scraper against real servers share: a loop on the test's thread, a hub,
 * and targets as the collector would make them. Waiting is running the loop until a condition holds; a wait
 * that is in vain aborts with what it waited for and the page as it is. */
#ifndef FRAISEQL_TESTS_POSTGRES_LIVE_H
#define FRAISEQL_TESTS_POSTGRES_LIVE_H

#include "scrapers/postgres/postgres.h"
#include "tests/support/pg_server.h"
#include "tests/support/support.h"

#include <sys/types.h>

struct live {
    struct loop *loop;
    struct resolver *resolver;
    struct hub *hub;
    struct scraper_env env;
};

struct live_target {
    struct live *live;
    struct arena *arena;
    struct postgres_config config;
    void *state;
    struct hub_source *source;
    bool busy;
    unsigned scrapes;
    int64_t duration_ns;
    struct error err; /* of the last scrape; code 0: none */
};

void live_init(struct live *live);
void live_deinit(struct live *live);
/* With the defaults of the option table; `change` may alter them (NULL: no). */
struct live_target *live_target_new(struct live *live, const char *name, const char *cluster, const char *dsn,
                                    void (*change)(struct postgres_config *config));
void live_target_free(struct live_target *target);

/* Starts a scrape; live_scrape() also waits for its end. */
void live_scrape_start(struct live_target *target, int64_t timeout_ns);
void live_scrape(struct live_target *target);

/* Runs the loop for a while, or until condition(ctx) holds. */
void live_run(struct live *live, int64_t duration_ns);
void live_wait(struct live *live, bool (*condition)(void *ctx), void *ctx, const char *what);

/* The value of the first line of `name` with target="..." whose labels contain `labels` (NULL: any); NaN:
 * none. */
double live_value(struct live *live, const char *target, const char *name, const char *labels);
size_t live_count(struct live *live, const char *target, const char *name, const char *labels);
/* The page of one target as text, malloc'd. */
char *live_page(struct live *live, const char *target);

/* Waits until the value is within [min, max]. */
void live_wait_value(struct live *live, const char *target, const char *name, double min, double max);
/* Until no line of that name is there. */
void live_wait_gone(struct live *live, const char *target, const char *name);

/* psql in the background with these statements, one after the other; ended by live_background_end(). */
pid_t live_background_sql(const struct pg_server *server, const char *sql);
pid_t live_background_load(const struct pg_server *server, const char *seconds);
void live_background_end(pid_t pid);
/* pg_server_sql() with its output dropped. */
void live_sql(struct pg_server *server, const char *sql);

#endif
