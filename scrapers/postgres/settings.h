/* pg_settings as families pg_settings_<name>[_bytes|_seconds], one a numeric or boolean setting, in base
 * units (postgres_exporter's rule: a setting with a unit gets the base unit's suffix; -1 and 0 are not
 * scaled, since they mean "off" or "default"). Pure. Ownership: texts go into the caller's arena. */
#ifndef FRAISEQL_SCRAPERS_POSTGRES_SETTINGS_H
#define FRAISEQL_SCRAPERS_POSTGRES_SETTINGS_H

#include "lib/core/arena.h"
#include "scrapers/postgres/groups.h"

/* Columns: name, setting, unit, short_desc. */
extern const char settings_sql[];

/* False when the row gives no metric: an unknown unit, a value that is no number, a name that cannot be one.
 */
bool settings_convert(struct str name, struct str setting, struct str unit, struct str description,
                      struct arena *arena, struct pg_metric *ret_metric, struct value *ret_value);

#endif
