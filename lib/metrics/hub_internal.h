/* The merge plan: which families the page has and which parts they are made of, for one set of shapes. */
#ifndef FRAISEQL_METRICS_HUB_INTERNAL_H
#define FRAISEQL_METRICS_HUB_INTERNAL_H

#include "lib/core/arena.h"
#include "lib/core/buf.h"
#include "lib/metrics/hub.h"

/* A source as the plan sees it; its index in the array is its rank. */
struct plan_source {
    struct shape *shape;
    uint64_t id;
    const char *scraper, *target;
};

struct plan_part {
    uint32_t source; /* rank */
    const struct shape_family *family;
    const uint32_t *skip;
    uint32_t skip_count;
};

struct plan_conflict {
    struct str family;
    uint32_t kept, left_out; /* ranks */
    enum metric_type kept_type, left_out_type;
};

struct hub_plan {
    struct refcount refs;
    uint64_t version; /* of the hub's set of shapes */
    struct arena *arena;
    struct plan_source *sources; /* with references on the shapes; texts are copies */
    uint32_t source_count, family_count, part_count, conflict_count;
    uint64_t duplicate_count;
    struct hub_family *families;
    struct plan_part *parts;
    struct plan_conflict *conflicts;
};

/* full: the plan of all sources when these are some of them, else NULL: what it leaves out for a conflict of
 * types is left out here too. */
struct hub_plan *hub_plan_new(const struct plan_source *sources, uint32_t count, const struct hub_plan *full);
struct hub_plan *hub_plan_ref(struct hub_plan *plan);
struct hub_plan *hub_plan_unref(struct hub_plan *plan); /* accepts NULL; returns NULL */

/* Fills the skip lists of the parts of one family. */
void hub_plan_find_duplicates(struct hub_plan *plan, struct plan_part *parts, uint32_t count);

#endif
