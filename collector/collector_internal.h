/* The daemon's state, shared by the files that wire it and the pages that show it. */
#ifndef FRAISEQL_COLLECTOR_COLLECTOR_INTERNAL_H
#define FRAISEQL_COLLECTOR_COLLECTOR_INTERNAL_H

#include "collector/collector.h"
#include "collector/http_server.h"
#include "collector/schedule.h"
#include "exporters/notifier.h"
#include "exporters/webhook_sign.h"
#include "failover/traffic.h"
#include "lib/journal/journal.h"
#include "lib/net/watchdog.h"
#include "scrapers/cloud/shared.h"
#include "scrapers/probe/probe.h"
#include "sla/service.h"
#include "tracing/tracing.h"

#include <pthread.h>

enum { LOOP_CONTROL, LOOP_SCRAPE, LOOP_EGRESS, LOOP_COUNT };
enum { SERVER_HTTP, SERVER_OTLP_HTTP, SERVER_OTLP_GRPC, SERVER_COUNT };

struct collector {
    struct config *config;       /* lock: config_lock; see collector_config() */
    struct config *first_config; /* parts keep its names (observer, region, addresses) as long as they live */
    pthread_mutex_t config_lock;
    pthread_mutex_t reload_lock; /* one reload at a time */
    struct collector_overrides overrides;

    struct loop *loops[LOOP_COUNT];
    struct http_client *clients[LOOP_COUNT];
    struct watchdog *watchdog;
    struct resolver *resolver;
    struct hub *hub;
    struct journal *journal;
    struct notifier *notifier; /* lock: notifier_lock, since a late commit may still want to tell it */
    pthread_mutex_t notifier_lock;
    struct sla_service *sla;
    struct tracing *tracing;
    struct probe_set *probes;
    struct cloud_shared *cloud; /* the scrape loop's */
    struct schedule *schedule;
    struct http_server *servers[SERVER_COUNT];
    struct traffic *traffic;
    struct webhook_keys *traffic_keys; /* NULL: traffic is not configured; replaced and locked as `token` */
    struct secret *token; /* of endpoints that write; NULL: none. Replaced on reload; lock: config_lock */

    struct loop_timer housekeeping; /* scrape loop, 1 s */
    struct hub_source *self_source, *region_source;
    struct batch *self_batch;

    int64_t started_mono_ns;
    int64_t next_expiry_mono_ns; /* scrape loop */
    struct flag ready, memory_pressure;
    struct flag reload_ok, reload_wall_ns, files_refused;
    struct counter reloads, reload_failures;
};

/* A reference to the present generation; give it back with config_unref(). */
struct config *collector_config(struct collector *collector);

/* collector_apply.c: hands a generation to every part. `first` at the start. */
int collector_apply(struct collector *collector, struct config *config, bool first, struct error *err)
    CHECK_RESULT;

/* collector_sla.c */
int collector_make_sla(struct collector *collector, struct error *err) CHECK_RESULT;
int collector_make_tracing(struct collector *collector, struct error *err) CHECK_RESULT;
int collector_reconfigure_sla(struct collector *collector, const struct config *config, struct error *err)
    CHECK_RESULT;

/* self_metrics.c */
void self_metrics_publish(struct collector *collector);
void region_info_publish(struct collector *collector, const struct config *config);

/* routes.c, otlp_server.c: ctx is the collector. */
void routes_handle(void *ctx, struct http_exchange *exchange, struct http_reply *reply);
void otlp_handle(void *ctx, struct http_exchange *exchange, struct http_reply *reply);
void otlp_present(void *ctx, struct http_exchange *exchange, struct http_reply *reply);
/* True when the request may write: the listener is on loopback, or it carries the token. Else fills reply. */
bool routes_may_write(struct collector *collector, const struct http_exchange *exchange,
                      const struct address_option *listen, struct http_reply *reply);

/* pages */
void page_metrics(struct collector *collector, struct http_exchange *exchange, struct http_reply *reply);
void page_discovery(struct collector *collector, struct http_exchange *exchange, struct http_reply *reply);
void page_status(struct collector *collector, struct http_exchange *exchange, struct http_reply *reply);
void page_slos(struct collector *collector, struct http_exchange *exchange, struct http_reply *reply);
void page_incidents(struct collector *collector, struct http_exchange *exchange, struct http_reply *reply);
void page_config(struct collector *collector, struct http_exchange *exchange, struct http_reply *reply);
void page_traffic(struct collector *collector, struct http_exchange *exchange, struct http_reply *reply);
void page_landing(struct collector *collector, struct http_exchange *exchange, struct http_reply *reply);

#endif
