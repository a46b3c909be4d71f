/* PostgreSQL: versions, and the parameters that replication needs. The SQL is in replication.c.
 *
 * Parameters follow "Configuration Settings" in the chapter "Logical Replication" of PostgreSQL's manual:
 * where rows leave, a slot and a sender for every subscriber and as many again for first copies of tables;
 * where they arrive, a worker and an origin for every subscription, and workers for the first copies. */
#include "provisioner/postgresql/postgresql.h"

#include "provisioner/postgresql/replication.h"

#include <stdio.h>

#define ORIGIN_VERSION     16 /* subscriptions that tell local rows from copied ones */
#define ROW_FILTER_VERSION 15

static void refuse_version(const struct deployment *deployment, const struct region *region,
                           struct findings *findings, const char *why, int needed)
{
    char path[NODE_PATH_MAX];
    (void)snprintf(path, sizeof path, "regions.%s.database.version", region->name);
    struct finding *finding =
        findings_add(findings, DIAG_ERROR, "database-version", deployment_node(deployment, path),
                     "%s: %s needs PostgreSQL %d or later, found %lld", path, why, needed,
                     (long long)region->database.version);
    finding_hint(findings, finding, "Write version: %d or leave it out.", needed);
}

static void validate(const struct deployment *deployment, const struct region *region,
                     struct findings *findings)
{
    const struct deployment_replication *replication = &deployment->replication;
    if (!deployment_replicates(deployment, region))
        return;
    if (replication->mode == REPLICATION_ACTIVE_ACTIVE && region->database.version < ORIGIN_VERSION)
        refuse_version(deployment, region, findings,
                       "active-active replication, which must not send back what came from there,",
                       ORIGIN_VERSION);
    const struct replication_filter *filter = replication_filter_of(deployment, region);
    if (filter && filter->rows && region->database.version < ROW_FILTER_VERSION)
        refuse_version(deployment, region, findings, "a filter by row", ROW_FILTER_VERSION);
}

static void write_number(struct json_writer *json, const char *name, size_t value)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%zu", value);
    json_kv_text(json, name, text);
}

static void render_parameters(const struct deployment *deployment, const struct region *region,
                              struct json_writer *json)
{
    if (!deployment_replicates(deployment, region))
        return;
    size_t peers = 0;
    for (size_t i = 0; i < deployment_region_count(deployment); i++) {
        const struct region *other = deployment_region(deployment, i);
        peers += other != region && deployment_replicates(deployment, other) ? 1 : 0;
    }
    /* Ten and eight are what PostgreSQL itself starts with; a fixed floor spares a restart when a region or
     * two are added. */
    size_t slots = 2 * peers + 4, workers = 2 * peers + 2;
    write_number(json, "max_replication_slots", slots > 10 ? slots : 10);
    write_number(json, "max_wal_senders", slots > 10 ? slots : 10);
    write_number(json, "max_logical_replication_workers", workers > 4 ? workers : 4);
    write_number(json, "max_sync_workers_per_subscription", 2);
    write_number(json, "max_worker_processes", workers + 4 > 8 ? workers + 4 : 8);
    json_kv_text(json, "wal_sender_timeout", "60000");
    json_kv_text(json, "wal_receiver_timeout", "60000");
    json_kv_text(json, "track_commit_timestamp", "on");
}

const struct database database_postgresql = {
    .name = "postgresql",
    .title = "PostgreSQL",
    .default_version = 16,
    .min_version = 14,
    .max_version = 18,
    .port = 5432,
    .validate = validate,
    .render_parameters = render_parameters,
    .render_replication = replication_render,
    .render_source = replication_render_source,
};
