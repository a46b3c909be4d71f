/* Ready-made lists of metrics, and what is known of AWS's namespaces: data.
 *
 * Sources: AWS's own pages of metrics of each service. A statistic is chosen by what a reader wants to know:
 * the least free space, the greatest lag. Threads: immutable. */
#ifndef FRAISEQL_SCRAPERS_CLOUDWATCH_PROFILES_H
#define FRAISEQL_SCRAPERS_CLOUDWATCH_PROFILES_H

#include "lib/core/str.h"

#define CLOUDWATCH_PROFILES_MAX 16U

enum { CW_NEGATIVE_ABSENT = 1, CW_ABSENT_ZERO = 2 };

struct cloudwatch_profile_metric {
    const char *namespace_name, *name;
    const char *statistics; /* "Average,Maximum" */
    const char *dimensions; /* names of one set: "LoadBalancer,TargetGroup" */
    int period_s;
    unsigned flags;
    const char *word;      /* of the common vocabulary; NULL: none */
    const char *word_stat; /* the statistic that it is taken from */
    double scale, offset;
};

struct cloudwatch_profile {
    const char *name;
    const struct cloudwatch_profile_metric *metrics;
    size_t count;
};

/* Ended by a NULL name. */
extern const struct cloudwatch_profile cloudwatch_profiles[];
const struct cloudwatch_profile *cloudwatch_profile_find(const char *name);
size_t cloudwatch_profile_names(const char *names[CLOUDWATCH_PROFILES_MAX]);

/* Where metrics of a namespace are published, for a target in `location`. */
const char *cloudwatch_home(const char *namespace_name, const char *location);

/* Resources whose ARN the dimensions of a metric tell. */
struct cloudwatch_resource_kind {
    const char *namespace_name;
    const char *dimension;
    const char *type;    /* for GetResources: "rds:db" */
    const char *service; /* of the ARN */
    const char *prefix;  /* before the dimension's value: "db:" */
    bool global;         /* the ARN has neither region nor account */
};
extern const struct cloudwatch_resource_kind cloudwatch_resource_kinds[]; /* ended by a NULL namespace */

#endif
