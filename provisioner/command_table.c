/* Every verb, one line each. A verb that this version does not have is in the table too and says so. */
#include "provisioner/command.h"
#include "provisioner/commands/commands.h"

#include "version.h"

#include <stdio.h>

static int refuse(struct command_context *ctx)
{
    struct error err = {0};
    (void)error_set(&err, ERR_CONFIG,
                    "`deploy %s` is not part of version " FRAISEQL_VERSION "; nothing was changed",
                    ctx->command->name);
    output_error(ctx->out, &err);
    return STATUS_FAILURE;
}

#define NOT_IN_THIS_VERSION(verb, text)                                                                      \
    static const struct command command_##verb = {.name = #verb,                                             \
                                                  .operands = "FILE",                                        \
                                                  .summary = text " (not part of this version)",             \
                                                  .takes_file = true,                                        \
                                                  .max_operands = COMMAND_MAX_OPERANDS,                      \
                                                  .run = refuse}

NOT_IN_THIS_VERSION(move, "Moves a region to another place");

const struct command *const command_table[] = {
    &command_deploy,     &command_init,
    &command_validate,   &command_credentials,
    &command_cost,       &command_compliance,
    &command_render,     &command_plan,
    &command_status,     &command_health,
    &command_destroy,    &command_backup,
    &command_backups,    &command_restore,
    &command_switchover, &command_move,
    &command_failover,   &command_state,
    &command_prices,     &command_schema,
    &command_completion, NULL,
};
