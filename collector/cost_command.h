/* `fraiseql-collector cost`: what the calls of every target to cloud APIs come to in a month (730 hours),
 * before any call is made. What a wildcard will find is not known then: the configuration's `expected` says
 * what is reckoned with. */
#ifndef FRAISEQL_COLLECTOR_COST_COMMAND_H
#define FRAISEQL_COLLECTOR_COST_COMMAND_H

#include "collector/config.h"

void cost_command_write(const struct config *config, bool json, struct buf *out);

#endif
