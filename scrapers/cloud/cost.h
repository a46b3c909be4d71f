/* What calls cost, as the cloud bills them, and how much slower polling must be to stay within a budget.
 *
 * Every call that was answered, or may have been, counts with its units; one that was refused as too fast
 * does not. A month is the calendar's, in UTC, as bills are. Free units are taken to be this target's alone.
 * The stretch is what plan and remaining budget ask for: polling gets slower before the budget is passed, and
 * stops when the next call would pass it.
 *
 * Prices: each source's table of apis says its source and date. Pure. Threads: the scrape loop. */
#ifndef FRAISEQL_SCRAPERS_CLOUD_COST_H
#define FRAISEQL_SCRAPERS_CLOUD_COST_H

#include "lib/core/buf.h"
#include "lib/core/error.h"

/* One kind of call: how fast it may be made and what it costs. */
struct cloud_api {
    const char *name;    /* label `api`: "GetMetricData" */
    double rate_per_s;   /* of the cloud's quota, for one account and lane */
    double burst;        /* calls at once */
    const char *unit;    /* what is billed: "metric", "request", "time series" */
    double usd_per_unit; /* list price */
    uint64_t free_units_per_month;
};

#define CLOUD_APIS_MAX    6U
#define CLOUD_MONTH_HOURS 730.0
#define CLOUD_STRETCH_MAX 1000.0

/* Of one api. */
struct cloud_meter {
    uint64_t requests, units;             /* since the beginning of the process */
    uint64_t month_units, month_requests; /* of the present month */
};

struct cloud_cost {
    const struct cloud_api *apis;
    size_t api_count;
    struct cloud_meter meters[CLOUD_APIS_MAX];
    int32_t month;     /* year * 12 + month */
    double budget_usd; /* 0: none */
    double stretch;
    bool dirty;
};

void cloud_cost_init(struct cloud_cost *cost, const struct cloud_api *apis, size_t api_count,
                     double budget_usd);
void cloud_cost_add(struct cloud_cost *cost, unsigned api, uint64_t units, int64_t wall_ns);
double cloud_cost_month_usd(const struct cloud_cost *cost);
/* Whether a call of so many units stays within the budget. */
bool cloud_cost_allows(struct cloud_cost *cost, unsigned api, uint64_t units, int64_t wall_ns);
/* Given the units that an hour at full speed takes of each api: how much longer periods have to be for the
 * rest of the month to fit into what is left; 1 without a budget. Sets cost->stretch. */
double cloud_cost_plan(struct cloud_cost *cost, const double *units_per_hour, int64_t wall_ns);
/* What so many units of each api cost, `taken` having been taken in the month before. */
double cloud_cost_usd(const struct cloud_api *api, double taken, double units);

void cloud_cost_encode(const struct cloud_cost *cost, struct buf *out);
int cloud_cost_decode(struct cloud_cost *cost, struct str stored, struct error *err) CHECK_RESULT;

/* --- the plan before the first call: `fraiseql-collector cost` */
struct cloud_estimate_row {
    const char *what; /* "AWS/RDS CPUUtilization, Average" or "discovery"; copied */
    unsigned api;
    uint64_t resources; /* that are assumed */
    uint64_t series;
    int64_t every_ns;       /* how often it is asked */
    double requests, units; /* each time */
};

struct cloud_estimate;
struct cloud_estimate *cloud_estimate_new(const struct cloud_api *apis, size_t api_count, double budget_usd);
void cloud_estimate_free(struct cloud_estimate *estimate);
void cloud_estimate_add(struct cloud_estimate *estimate, const struct cloud_estimate_row *row);
size_t cloud_estimate_count(const struct cloud_estimate *estimate);
const struct cloud_estimate_row *cloud_estimate_row(const struct cloud_estimate *estimate, size_t i);

struct cloud_estimate_sum {
    double requests_per_month, units_per_month, usd_per_month; /* before the budget */
    double stretch;                                            /* that the budget asks for */
    uint64_t series;
};
/* api: one of them, or api_count for all. */
struct cloud_estimate_sum cloud_estimate_sum(const struct cloud_estimate *estimate, unsigned api);
double cloud_estimate_budget_usd(const struct cloud_estimate *estimate); /* 0: none */
/* NULL beyond the last one. */
const struct cloud_api *cloud_estimate_api(const struct cloud_estimate *estimate, unsigned api);

#endif
