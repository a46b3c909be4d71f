/* One line a verb: the table of provisioner/command_table.c names them. */
#ifndef FRAISEQL_PROVISIONER_COMMANDS_H
#define FRAISEQL_PROVISIONER_COMMANDS_H

#include "provisioner/command.h"

extern const struct command command_backup;
extern const struct command command_backups;
extern const struct command command_compliance;
extern const struct command command_credentials;
extern const struct command command_render;
extern const struct command command_deploy;
extern const struct command command_destroy;
extern const struct command command_failover;
extern const struct command command_health;
extern const struct command command_plan;
extern const struct command command_prices;
extern const struct command command_restore;
extern const struct command command_state;
extern const struct command command_status;
extern const struct command command_switchover;
extern const struct command command_cost;
extern const struct command command_validate;
extern const struct command command_schema;
extern const struct command command_completion;
extern const struct command command_init;

#endif
