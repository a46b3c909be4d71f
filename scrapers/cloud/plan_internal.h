/* Inside the plan: plan.c holds what there is, plan_time.c decides what is due. */
#ifndef FRAISEQL_SCRAPERS_CLOUD_PLAN_INTERNAL_H
#define FRAISEQL_SCRAPERS_CLOUD_PLAN_INTERNAL_H

#include "lib/core/map.h"
#include "scrapers/cloud/plan.h"

struct stored_account {
    struct str key, value;
    char bytes[];
};

struct stored_cursor {
    int64_t covered_ns;
    char key[];
};

struct cloud_plan {
    struct cloud_plan_options options;
    struct cloud_metric *metrics, **metrics_end;
    struct cloud_query *queries, **queries_end;
    struct cloud_series *series, **series_end;
    struct map by_metric, by_query, by_series;
    struct map stored;  /* struct stored_account, until a series claims it */
    struct map cursors; /* struct stored_cursor by query */
    const struct cloud_info *infos;
    struct arena *arena;
    /* Of the discovery under way; next_arena NULL: there is none. */
    struct arena *next_arena;
    struct cloud_info *next_infos, **infos_end;
    double stretch;
    struct cloud_plan_counts counts;
};

#endif
