/* Names that the database and those who use it agree on. */
#ifndef FRAISEQL_PROVISIONER_SELF_HOSTED_DATABASE_ROLES_H
#define FRAISEQL_PROVISIONER_SELF_HOSTED_DATABASE_ROLES_H

#define DATABASE_NAME           "fraiseql"         /* the application's, owned by ROLE_SERVICE */
#define DATABASE_ROLE_SERVICE   "fraiseql_service" /* its password in the vault: */
#define DATABASE_SECRET_SERVICE "postgresql-service"
#define DATABASE_ROLE_MONITOR   "fraiseql_monitor" /* pg_monitor; connects to `postgres` */
#define DATABASE_SECRET_MONITOR "postgresql-monitor"

#endif
