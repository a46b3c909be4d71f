/* Every database engine, one line each; those that are known and not deployed yet, with their refusal. */
#include "lib/core/str.h"
#include "provisioner/database.h"
#include "provisioner/postgresql/postgresql.h"

#define REFUSED(engine, text)                                                                                \
    {                                                                                                        \
        .name = engine, .title = text,                                                                       \
        .refusal = "engine \"" engine "\" is not part of this version; postgresql is"                        \
    }

static const struct database refused[] = {
    REFUSED("mysql", "MySQL"),
    REFUSED("sqlserver", "SQL Server"),
    REFUSED("cockroachdb", "CockroachDB"),
};

static const struct database *const databases[] = {
    &database_postgresql, &refused[0], &refused[1], &refused[2], NULL,
};

/* What people call them, and what speaks their protocol. */
static const struct str_alias aliases[] = {
    {"postgres", "postgresql"},
    {"pg", "postgresql"},
    {"pgsql", "postgresql"},
    {"mariadb", "mysql"},
    {"percona", "mysql"},
    {"mssql", "sqlserver"},
    {"sql-server", "sqlserver"},
    {"microsoft-sql-server", "sqlserver"},
    {"cockroach", "cockroachdb"},
    {"crdb", "cockroachdb"},
    {NULL, NULL},
};

const struct database *const *database_all(void)
{
    return databases;
}

const struct database *database_find(const char *name)
{
    for (size_t i = 0; databases[i]; i++) {
        if (strcmp(databases[i]->name, name) == 0)
            return databases[i];
    }
    return NULL;
}

int database_check_name(const char *text, struct error *err)
{
    if (database_find(text))
        return 0;
    const char *names[ARRAY_LEN(databases)];
    size_t count = 0;
    for (; databases[count]; count++)
        names[count] = databases[count]->name;
    const char *meant = str_meant(text, aliases);
    const char *nearest = meant ? meant : str_nearest(text, names, count);
    if (nearest)
        return error_set(err, ERR_CONFIG, "unknown engine \"%.60s\": did you mean \"%s\"?%s", text, nearest,
                         database_find(nearest)->refusal ? " postgresql is what can be deployed" : "");
    return error_set(err, ERR_CONFIG, "unknown engine \"%.60s\": postgresql is what can be deployed", text);
}
