/* The snapshot of a scrape: what the groups gave, and what is known of the target itself. */
#include "scrapers/postgres/postgres_internal.h"

#include "lib/core/clock.h"

static void put(struct target *target, const char *name, enum metric_type type, const char *help,
                struct value value)
{
    struct metric_desc desc = {.name = name, .type = type, .help = help};

    batch_put(target->batch, &desc, NULL, 0, value);
}

static double seconds(int64_t ns)
{
    return (double)ns / (double)NS_PER_S;
}

/* postgres_exporter's words about itself. */
static void put_exporter(struct target *target, bool up)
{
    static const struct metric_desc success = {"pg_scrape_collector_success", METRIC_GAUGE,
                                               "1 when the group was read as last asked for.", NULL};
    static const struct metric_desc duration = {"pg_scrape_collector_duration_seconds", METRIC_GAUGE,
                                                "Time between the group's answer and the one before it.",
                                                NULL};

    put(target, "pg_up", METRIC_GAUGE, "1 when the last scrape could ask the server.", VALUE_OF_BOOL(up));
    put(target, "pg_exporter_last_scrape_duration_seconds", METRIC_GAUGE, "Duration of the last scrape.",
        VALUE_OF_F64(seconds(target->last_duration_ns)));
    put(target, "pg_exporter_last_scrape_error", METRIC_GAUGE, "1 when something of the last scrape failed.",
        VALUE_OF_BOOL(target->last_failed));
    put(target, "pg_exporter_scrapes_total", METRIC_COUNTER, "Scrapes of this target.",
        VALUE_OF_U64(target->scrapes_total));
    for (size_t i = 0; i < target->group_count; i++) {
        const struct group_state *state = &target->groups[i];
        struct label label = LABEL_TEXT("collector", state->query.group->name);
        if (!state->query.sql)
            continue;
        batch_put(target->batch, &success, &label, 1, VALUE_OF_BOOL(up && state->ok));
        if (up && state->ok)
            batch_put(target->batch, &duration, &label, 1, VALUE_OF_F64(seconds(state->duration_ns)));
    }
}

static void put_identity(struct target *target)
{
    static const struct metric_desc info = {"fraiseql_postgres_info", METRIC_GAUGE,
                                            "Version and identity of the server.", NULL};
    const struct identity *identity = &target->identity;
    struct label labels[] = {LABEL_TEXT("version", identity->version_text),
                             LABEL_TEXT("system_identifier", identity->system_identifier)};

    if (!identity->known)
        return;
    put(target, "fraiseql_postgres_in_recovery", METRIC_GAUGE, "1 on a standby.",
        VALUE_OF_BOOL(identity->standby));
    put(target, "fraiseql_postgres_timeline", METRIC_GAUGE,
        "Timeline that the server writes, or as a standby receives.", VALUE_OF_U64(identity->timeline));
    put(target, "fraiseql_postgres_privileges_missing", METRIC_GAUGE, "1 while the role lacks pg_monitor.",
        VALUE_OF_BOOL(!identity->monitor || target->denied));
    batch_put(target->batch, &info, labels, ARRAY_LEN(labels), VALUE_OF_U64(1));
}

static void put_connections(struct target *target)
{
    uint64_t opened = target->connection.opened_total;
    uint64_t round_trips = connection_round_trips(&target->connection);

    if (target->sampler) {
        put(target, "fraiseql_postgres_lag_samples_total", METRIC_COUNTER, "Samples of the WAL position.",
            VALUE_OF_U64(sampler_samples(target->sampler)));
        round_trips += sampler_round_trips(target->sampler);
    }
    put(target, "fraiseql_postgres_connections_opened_total", METRIC_COUNTER,
        "Attempts to open the connection for scrapes.", VALUE_OF_U64(opened));
    put(target, "fraiseql_postgres_round_trips_total", METRIC_COUNTER, "Round trips to the server.",
        VALUE_OF_U64(round_trips));
}

/* Of the scrapes so far: what the batch refused. */
static void put_dropped(struct target *target)
{
    static const struct metric_desc dropped = {"fraiseql_postgres_series_dropped_total", METRIC_COUNTER,
                                               "Series left out of scrapes of this target.", NULL};
    struct batch_counts counts;

    batch_counts(target->batch, &counts);
    const struct {
        const char *reason;
        uint64_t count;
    } rows[] = {{"duplicate", counts.dropped_duplicate},
                {"invalid", counts.dropped_invalid},
                {"limit", counts.dropped_limit},
                {"type", counts.dropped_type}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct label label = LABEL_TEXT("reason", rows[i].reason);
        batch_put(target->batch, &dropped, &label, 1, VALUE_OF_U64(rows[i].count));
    }
}

struct snapshot *postgres_report(struct target *target, bool up)
{
    batch_begin(target->batch);
    put_exporter(target, up);
    if (up)
        put_identity(target);
    put_connections(target);
    put_dropped(target);
    if (up)
        postgres_derive(target);
    for (size_t i = 0; i < target->group_count; i++)
        samples_publish(&target->groups[i].samples, target->batch, target->names);
    return batch_finish(target->batch, clock_wall_ns(), clock_mono_ns());
}

bool postgres_complaint(const struct target *target, struct error *err)
{
    const struct identity *identity = &target->identity;
    const struct error *conflict = target->sampler ? sampler_conflict(target->sampler) : NULL;

    if (conflict) {
        *err = *conflict;
        return true;
    }
    if (!identity->known || (identity->monitor && !target->denied))
        return false;
    error_set(err, ERR_AUTH,
              "role \"%s\" may not see all statistics: metrics of replication, sessions and WAL "
              "are missing",
              identity->role);
    error_set_hint(err, "GRANT pg_monitor TO \"%s\"", identity->role);
    return true;
}
