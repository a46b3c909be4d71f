#include "examples/service/stats.h"

static const double bounds_s[STATS_BUCKETS] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                               0.1,   0.25,   0.5,   1,    2.5,   5};

void stats_count_request(struct stats *stats, int status, int64_t duration_ns)
{
    size_t bucket = 0;
    while (bucket < STATS_BUCKETS && (double)duration_ns > bounds_s[bucket] * 1e9)
        bucket++;
    counter_add(&stats->requests, 1);
    counter_add(status >= 500   ? &stats->responses_5xx
                : status >= 400 ? &stats->responses_4xx
                                : &stats->responses_2xx,
                1);
    counter_add(&stats->buckets[bucket], 1);
    counter_add(&stats->duration_sum_ns, (uint64_t)duration_ns);
}

void stats_count_query(struct stats *stats, bool failed)
{
    counter_add(&stats->queries, 1);
    counter_add(failed ? &stats->queries_failed : &stats->queries_ok, 1);
}

static void write_family(struct buf *out, const char *name, const char *type, const char *help,
                         uint64_t value)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %llu\n", name, help, name, type, name,
               (unsigned long long)value);
}

static void write_histogram(const struct stats *stats, struct buf *out)
{
    static const char name[] = "fraiseql_http_request_duration_seconds";
    uint64_t sum = 0;
    buf_printf(out, "# HELP %s Time from the whole request to its answer.\n# TYPE %s histogram\n", name,
               name);
    for (size_t i = 0; i < STATS_BUCKETS; i++) {
        sum += counter_get(&stats->buckets[i]);
        buf_printf(out, "%s_bucket{le=\"%g\"} %llu\n", name, bounds_s[i], (unsigned long long)sum);
    }
    sum += counter_get(&stats->buckets[STATS_BUCKETS]);
    buf_printf(out, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %.9g\n%s_count %llu\n", name,
               (unsigned long long)sum, name, (double)counter_get(&stats->duration_sum_ns) / 1e9, name,
               (unsigned long long)sum);
}

void stats_write(const struct stats *stats, const struct store_counts *store, struct buf *out)
{
    write_family(out, "fraiseql_graphql_queries_total", "counter", "GraphQL operations.",
                 counter_get(&stats->queries));
    write_family(out, "fraiseql_graphql_queries_success", "counter", "GraphQL operations without errors.",
                 counter_get(&stats->queries_ok));
    write_family(out, "fraiseql_graphql_queries_error", "counter", "GraphQL operations with errors.",
                 counter_get(&stats->queries_failed));
    write_family(out, "fraiseql_http_requests_total", "counter", "HTTP requests.",
                 counter_get(&stats->requests));
    write_family(out, "fraiseql_http_responses_2xx", "counter", "Answers below 400.",
                 counter_get(&stats->responses_2xx));
    write_family(out, "fraiseql_http_responses_4xx", "counter", "Answers 400 to 499.",
                 counter_get(&stats->responses_4xx));
    write_family(out, "fraiseql_http_responses_5xx", "counter", "Answers from 500 on.",
                 counter_get(&stats->responses_5xx));
    write_histogram(stats, out);
    write_family(out, "fraiseql_database_queries_total", "counter", "Statements sent to the database.",
                 store->statements);
    write_family(out, "fraiseql_example_database_failures_total", "counter", "Statements that failed.",
                 store->failures);
    write_family(out, "fraiseql_example_database_retries_total", "counter", "Statements tried again.",
                 store->retries);
    write_family(out, "fraiseql_db_pool_connections_total", "gauge", "Open connections to the database.",
                 store->active + store->idle);
    write_family(out, "fraiseql_db_pool_connections_active", "gauge", "Connections that are busy.",
                 store->active);
    write_family(out, "fraiseql_db_pool_connections_idle", "gauge", "Connections that wait.", store->idle);
    write_family(out, "fraiseql_example_spans_sent_total", "counter", "Spans that the receiver accepted.",
                 counter_get(&stats->spans_sent));
    write_family(out, "fraiseql_example_spans_dropped_total", "counter", "Spans that were not delivered.",
                 counter_get(&stats->spans_dropped));
}
