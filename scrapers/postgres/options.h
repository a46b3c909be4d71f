/* The option table of a PostgreSQL target. See postgres.h for the struct. */
#ifndef FRAISEQL_SCRAPERS_POSTGRES_OPTIONS_H
#define FRAISEQL_SCRAPERS_POSTGRES_OPTIONS_H

#include "scrapers/postgres/groups.h"
#include "scrapers/postgres/postgres.h"
#include "scrapers/postgres/query.h"

extern const struct option_section postgres_section;

/* Warnings of `--check`. */
void postgres_check(const void *config, struct diag *diag);
bool postgres_wants(const struct postgres_config *config, const struct pg_group *group,
                    enum postgres_names names);
/* What NAMES_DEFAULT stands for. */
enum postgres_names postgres_names_of(const struct postgres_config *config, const struct scraper_env *env);

#endif
