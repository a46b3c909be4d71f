/* Where sources publish and readers look: the current snapshot of every source.
 *
 * Publishing swaps one pointer under one short lock; a reader takes a view (references to everything) and
 * then needs no lock. No lock is held while anyone renders. The merge plan (families sorted by name over all
 * sources) is made once for a set of shapes and shared by views until a shape changes.
 *
 * Of two sources that publish one family with different types the one registered with the lower `order` wins;
 * the other's family is left out of views and named by hub_conflicts(). The total of series is bounded: a
 * publish that would pass max_series is refused with ERR_LIMIT and the source's former snapshot is withdrawn.
 *
 * Ownership: hub_publish() takes over the caller's reference. Threads: any; one mutex, held for O(sources).
 */
#ifndef FRAISEQL_METRICS_HUB_H
#define FRAISEQL_METRICS_HUB_H

#include "lib/core/error.h"
#include "lib/metrics/snapshot.h"

struct hub;
struct hub_source;

struct hub_options {
    uint64_t max_series; /* 0: LIMIT_SERIES */
};

struct hub *hub_new(const struct hub_options *options);
void hub_free(struct hub *hub); /* after every source is unregistered */
void hub_set_max_series(struct hub *hub, uint64_t max_series);

/* scraper and target name the source ("postgres", "orders-us-east"; "collector", "self"). Copied. */
struct hub_source *hub_register(struct hub *hub, const char *scraper, const char *target, uint32_t order);
void hub_unregister(struct hub_source *source); /* withdraws and frees; accepts NULL */

/* snapshot NULL withdraws. */
int hub_publish(struct hub_source *source, struct snapshot *snapshot, struct error *err) CHECK_RESULT;

/* Called after each publish, on the publisher's thread and outside the lock; must be quick (take a reference
 * and queue it). snapshot is NULL when a source withdrew. Registered before the first publish, never removed.
 */
typedef void hub_observer_fn(void *ctx, const struct hub_source *source, struct snapshot *snapshot);
void hub_observe(struct hub *hub, hub_observer_fn *fn, void *ctx);

const char *hub_source_scraper(const struct hub_source *source);
const char *hub_source_target(const struct hub_source *source);
uint64_t hub_source_id(const struct hub_source *source); /* unique in the process */

/* One family of the merged page: its parts, in source order. Of a metric that two parts have, the first
 * part's lines stay; the other's are listed in `skip` (indexes into shape->series, ascending) and must not be
 * shown. */
struct hub_part {
    const struct snapshot *snapshot;
    const struct shape_family *family;
    const uint32_t *skip;
    uint32_t skip_count;
};

struct hub_family {
    struct str name, help, unit;
    enum metric_type type;
    uint32_t first_part, part_count;
};

struct hub_view {
    struct refcount refs;
    uint32_t family_count, part_count, source_count;
    uint64_t series_count;    /* slots: lines, a histogram's bucket, sum and count lines each for one */
    uint64_t duplicate_count; /* series listed in parts' skip */
    const struct hub_family *families; /* sorted by name */
    const struct hub_part *parts;
};

/* scraper, target: NULL for all. The caller owns the reference. */
struct hub_view *hub_view_take(struct hub *hub, const char *scraper, const char *target);
/* The sources that `filter` picks; it is called under the hub's lock: quick, and no call back into the hub.
 */
typedef bool hub_filter_fn(void *ctx, const char *scraper, const char *target);
struct hub_view *hub_view_take_filtered(struct hub *hub, hub_filter_fn *filter, void *ctx);
struct hub_view *hub_view_unref(struct hub_view *view); /* returns NULL */

struct hub_conflict {
    const char *family;
    const char *kept_scraper, *kept_target, *left_out_scraper, *left_out_target;
    enum metric_type kept_type, left_out_type;
};
typedef void hub_conflict_fn(void *ctx, const struct hub_conflict *conflict);
void hub_conflicts(struct hub *hub, hub_conflict_fn *fn, void *ctx);

struct hub_stats {
    uint64_t sources, series, bytes, publishes, refused, conflicts, duplicates;
};
void hub_stats(struct hub *hub, struct hub_stats *ret_stats);

#endif
