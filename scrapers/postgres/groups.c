#include "scrapers/postgres/groups.h"

#include <string.h>

const struct pg_group *const pg_groups[] = {
    &group_server,
    &group_replication,
    &group_standbys,
    &group_wal_receiver,
    &group_slots,
    &group_slot_stats,
    &group_wal,
    &group_wal_files,
    &group_archiver,
    &group_recovery_prefetch,
    &group_subscriptions,
    &group_subscription_stats,
    &group_origins,
    &group_database,
    &group_database_conflicts,
    &group_database_limits,
    &group_bgwriter,
    &group_checkpointer,
    &group_io,
    &group_locks,
    &group_long_transactions,
    &group_roles,
    &group_progress_vacuum,
    &group_activity,
    &group_activity_old,
    &group_settings,
    &group_statements,
    &group_tables,
    &group_table_io,
    &group_indexes,
    /* These take locks or walk files: last, so that what they cost falls on them alone. */
    &group_database_size,
    &group_table_sizes,
    NULL,
};

const struct pg_group *pg_group_find(const char *name)
{
    for (size_t i = 0; pg_groups[i]; i++) {
        if (strcmp(pg_groups[i]->name, name) == 0)
            return pg_groups[i];
    }
    return NULL;
}

size_t pg_group_label_count(const struct pg_group *group)
{
    size_t count = 0;

    while (count < GROUP_MAX_LABELS && group->labels[count].name)
        count++;
    return count;
}
