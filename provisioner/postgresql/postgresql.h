#ifndef FRAISEQL_PROVISIONER_POSTGRESQL_H
#define FRAISEQL_PROVISIONER_POSTGRESQL_H

#include "provisioner/database.h"

extern const struct database database_postgresql;

#endif
