#include "scrapers/postgres/options.h"

#include "lib/core/secret.h"
#include "lib/db/pg.h"

#include <stdlib.h>

static const struct option_enum names_choices[] = {{"default", NAMES_DEFAULT},
                                                   {"new", NAMES_NEW},
                                                   {"legacy", NAMES_LEGACY},
                                                   {"both", NAMES_BOTH},
                                                   {NULL, 0}};

#define CONFIG(member) .offset = offsetof(struct postgres_config, member)

static const struct option options[] = {
    SCRAPER_TARGET_OPTIONS(struct postgres_config),
    {.name = "cluster",
     .type = OPT_STRING,
     CONFIG(cluster),
     .help =
         "Database cluster: its members are compared with each other; the label `db_cluster`. Default: the "
         "target's name."},
    {.name = "dsn",
     .type = OPT_CONNINFO,
     CONFIG(dsn),
     .required = true,
     .check = pg_check_conninfo,
     .help = "How to connect, as libpq has it: keywords (host=... dbname=...) or a postgresql:// URI, with "
             "the TLS "
             "options. The role needs pg_monitor."},
    {.name = "password_file",
     .type = OPT_SECRET_FILE,
     CONFIG(password_file),
     .help = "File whose first line is the password; read anew for every connection."},
    {.name = "lag",
     .type = OPT_BOOL,
     CONFIG(lag),
     .default_text = "true",
     .help =
         "Sample WAL positions on a connection of its own, for replication lag and the loss of a failover."},
    {.name = "lag_interval",
     .type = OPT_DURATION,
     CONFIG(lag_interval_ns),
     .default_text = "250ms",
     .min = 10 * NS_PER_MS,
     .max = 60 * NS_PER_S,
     .unit = "duration",
     .help = "Time between samples of the WAL position: the resolution of replication lag."},
    {.name = "statement_timeout",
     .type = OPT_DURATION,
     CONFIG(statement_timeout_ns),
     .min = 10 * NS_PER_MS,
     .max = 3600 * NS_PER_S,
     .unit = "duration",
     .help = "The server's limit on each statement; default: four fifths of the timeout."},
    {.name = "lock_timeout",
     .type = OPT_DURATION,
     CONFIG(lock_timeout_ns),
     .default_text = "100ms",
     .min = NS_PER_MS,
     .max = 60 * NS_PER_S,
     .unit = "duration",
     .help = "How long a statement waits for a lock; only the size functions take any."},
    {.name = "settings_interval",
     .type = OPT_DURATION,
     CONFIG(settings_interval_ns),
     .default_text = "1m",
     .max = 86400 * NS_PER_S,
     .unit = "duration",
     .help = "Time between readings of pg_settings and pg_roles."},
    {.name = "table_interval",
     .type = OPT_DURATION,
     CONFIG(table_interval_ns),
     .default_text = "1m",
     .max = 86400 * NS_PER_S,
     .unit = "duration",
     .help = "Time between readings of statistics by table."},
    {.name = "size_interval",
     .type = OPT_DURATION,
     CONFIG(size_interval_ns),
     .default_text = "5m",
     .max = 86400 * NS_PER_S,
     .unit = "duration",
     .help = "Time between readings of the sizes of databases and tables."},
    {.name = "collect",
     .type = OPT_STRING_LIST,
     CONFIG(collect),
     .help = "Groups to read on top of the default ones: statements, statio_user_indexes."},
    {.name = "skip",
     .type = OPT_STRING_LIST,
     CONFIG(skip),
     .help = "Groups to leave out, e.g. stat_user_tables."},
    {.name = "tables",
     .type = OPT_BOOL,
     CONFIG(tables),
     .default_text = "true",
     .help = "Statistics by table, of the database that the dsn names."},
    {.name = "tables_max",
     .type = OPT_INT,
     CONFIG(tables_max),
     .default_text = "200",
     .min = 1,
     .max = 100000,
     .help = "Tables with statistics of their own: the largest ones."},
    {.name = "names",
     .type = OPT_ENUM,
     CONFIG(names),
     .default_text = "default",
     .choices = names_choices,
     .help = "Spelling of postgres_exporter's names: new (0.12 and later), legacy, or both."},
    {.name = "wal_disk",
     .type = OPT_SIZE,
     CONFIG(wal_disk_bytes),
     .unit = "bytes",
     .help = "Bytes that WAL may take on its volume (the volume less what else lives there), which no server "
             "tells. "
             "Gives fraiseql_postgres_slot_disk_full_seconds."},
};

static void check_groups(const struct string_list *list, const char *option,
                         const struct option_position *position, struct diag *diag)
{
    const char *known[GROUP_MAX + 1];
    size_t count = 0;

    for (; pg_groups[count] && count < GROUP_MAX; count++)
        known[count] = pg_groups[count]->name;
    for (size_t i = 0; i < list->count; i++) {
        if (pg_group_find(list->items[i]))
            continue;
        const char *nearest = str_nearest(list->items[i], known, count);
        diag_add(diag, DIAG_ERROR, position->file, position->line, position->column,
                 "unknown group \"%s\" in %s%s%s%s", list->items[i], option,
                 nearest ? ": did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
    }
}

static void check_section(const void *config_, const struct node *node, struct diag *diag)
{
    const struct postgres_config *config = config_;
    const struct option_position *position = &config->target.position;

    (void)node;
    check_groups(&config->collect, "collect", position, diag);
    check_groups(&config->skip, "skip", position, diag);
    for (size_t i = 0; i < config->skip.count; i++) {
        if (strcmp(config->skip.items[i], group_server.name) == 0)
            diag_add(diag, DIAG_ERROR, position->file, position->line, position->column,
                     "group \"server\" cannot be left out");
    }
}

const struct option_section postgres_section = {
    .name = "scrapers.postgres[]",
    .help = "A PostgreSQL server, version 13 to 18.",
    .size = sizeof(struct postgres_config),
    .options = options,
    .option_count = ARRAY_LEN(options),
    .has_position = true,
    .position_offset = offsetof(struct postgres_config, target.position),
    .check = check_section,
};

void postgres_check(const void *config_, struct diag *diag)
{
    const struct postgres_config *config = config_;
    const struct option_position *position = &config->target.position;
    size_t size = strlen(config->dsn) * 2 + sizeof SECRET_MASK;
    char *masked = malloc(size);

    if (masked) {
        secret_mask_conninfo(config->dsn, masked, size);
        if (strcmp(masked, config->dsn) != 0)
            diag_add(diag, DIAG_WARNING, position->file, position->line, position->column,
                     "the dsn of %s holds a password: put it into a password_file", config->target.name);
    }
    free(masked);
    if (config->statement_timeout_ns && config->target.timeout_ns &&
        config->statement_timeout_ns > config->target.timeout_ns)
        diag_add(diag, DIAG_WARNING, position->file, position->line, position->column,
                 "statement_timeout of %s is longer than its timeout: the scrape ends first",
                 config->target.name);
}

static bool is_listed(const struct string_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i], name) == 0)
            return true;
    }
    return false;
}

bool postgres_wants(const struct postgres_config *config, const struct pg_group *group,
                    enum postgres_names names)
{
    if (is_listed(&config->skip, group->name))
        return false;
    if ((group->flags & GROUP_TABLES) && !config->tables)
        return false;
    if ((group->flags & GROUP_NEW_NAMES) && names != NAMES_NEW)
        return false;
    if ((group->flags & GROUP_OLD_NAMES) && names == NAMES_NEW)
        return false;
    return !(group->flags & GROUP_OFF) || is_listed(&config->collect, group->name);
}

enum postgres_names postgres_names_of(const struct postgres_config *config, const struct scraper_env *env)
{
    if (config->names != NAMES_DEFAULT)
        return (enum postgres_names)config->names;
    return env->postgres_legacy_names ? NAMES_BOTH : NAMES_NEW;
}
