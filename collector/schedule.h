/* When targets are scraped, and what came of it.
 *
 * Each target runs on its own fixed grid, shifted by a hash of its name so that targets do not bunch; a
 * scrape that is still under way when the next is due makes that one be skipped and counted, never run twice.
 * Results go to the hub: one source a target for the scraper's families, one for fraiseql_target_*.
 *
 * Threads: configure and free on the scrape loop's thread; status from any. */
#ifndef FRAISEQL_COLLECTOR_SCHEDULE_H
#define FRAISEQL_COLLECTOR_SCHEDULE_H

#include "collector/config.h"

struct schedule;

struct schedule_status {
    const char *scraper, *name, *region;
    bool seen, up;
    int64_t last_success_wall_ns; /* 0: never */
    int64_t last_duration_ns;
    uint64_t series, scrapes, failures, skipped, refused;
    char error[ERROR_MESSAGE_MAX + ERROR_TEXT_MAX]; /* empty when up */
};

int schedule_new(const struct scraper_env *env, struct schedule **ret_schedule, struct error *err)
    CHECK_RESULT;
/* Takes over the targets of a generation: equal ones go on undisturbed, changed ones are made anew. */
void schedule_configure(struct schedule *schedule, struct config *config);
void schedule_free(struct schedule *schedule, loop_fn *freed, void *ctx);

/* Any thread; strings are valid during the call. */
void schedule_status(struct schedule *schedule, void (*fn)(void *ctx, const struct schedule_status *status),
                     void *ctx);

#endif
