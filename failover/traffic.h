/* Takes servers of HAProxy out of service while an incident is open, as a webhook says.
 *
 * A webhook changes what is remembered (traffic_state.h), durably; a reconciler on a loop brings HAProxy to
 * that and keeps it there: what HAProxy forgot by a restart is said again, and what could not be done yet is
 * done when it can. So an order is never lost between the two, and saying it twice changes nothing.
 *
 * Threads: traffic_receive() on any thread that may wait for the disk, some seconds at most;
 * traffic_publish() on any; the rest on the loop's. One mutex guards state, configuration and statistics. */
#ifndef FRAISEQL_FAILOVER_TRAFFIC_H
#define FRAISEQL_FAILOVER_TRAFFIC_H

#include "failover/traffic_config.h"
#include "lib/journal/journal.h"
#include "lib/metrics/hub.h"
#include "lib/net/loop.h"

struct traffic;

struct traffic_options {
    struct loop *loop;
    struct journal *journal;
    struct hub *hub;
    const char *observer;
};

/* Reads what a former process remembered. Not on a loop's thread. */
int traffic_new(const struct traffic_options *options, struct traffic **ret_traffic, struct error *err)
    CHECK_RESULT;
/* NULL: no rules; what is out is given back. config stays valid until the next call or the end. */
void traffic_configure(struct traffic *traffic, const struct traffic_config *config);
/* Nothing is given back: the next process goes on. No other call may come after this one. */
void traffic_free(struct traffic *traffic, loop_fn *freed, void *ctx);

/* A webhook whose signature was found right. 0 once its effect is durable (also when the id was taken before,
 * or nothing had to change). ERR_PARSE, ERR_PEER: refused for what it says (see traffic_message.h and
 * traffic_state.h). ERR_CONFLICT: another one is being taken. Else it could not be stored; after
 * ERR_TIMEOUT it may be later. */
int traffic_receive(struct traffic *traffic, const char *webhook_id, struct str body, struct error *err)
    CHECK_RESULT;
/* For refusals before that. */
void traffic_count_refused(struct traffic *traffic);

void traffic_publish(struct traffic *traffic);

#endif
