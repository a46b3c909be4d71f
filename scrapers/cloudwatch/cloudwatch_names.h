/* Names and labels as YACE (prometheus-community) gives them, so that its dashboards work:
 * aws_rds_cpuutilization_average, dimension_DBInstanceIdentifier, tag_Name. As BuildMetricName
 * (pkg/promutil/migrate.go) and PromString (pkg/promutil/prometheus.go) of its repository, looked up in 2026-11.
 * Pure. */
#ifndef FRAISEQL_SCRAPERS_CLOUDWATCH_NAMES_H
#define FRAISEQL_SCRAPERS_CLOUDWATCH_NAMES_H

#include "lib/core/buf.h"

/* "aws_<namespace>_<metric>_<statistic>"; statistic NULL: without. What the metric's name repeats of the
 * namespace is left out. */
void cloudwatch_name(struct buf *out, const char *namespace_name, struct str metric, const char *statistic);
/* "dimension_" or "tag_" and the name, its case kept. */
void cloudwatch_label(struct buf *out, const char *prefix, struct str name);
/* `pattern` with `*` for anything. */
bool cloudwatch_matches(const char *pattern, struct str text);

#endif
