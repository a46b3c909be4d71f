/* HTTP(S), TCP and PostgreSQL-protocol probes on the control loop, down to 10 ms.
 *
 * Each interval has exactly one outcome, handed to the sink and counted: good, bad, or unknown when our own
 * tick was late. The timeout is at most the interval. Families: fraiseql_probe_* of the contract.
 *
 * Threads: everything on the control loop's thread. */
#ifndef FRAISEQL_SCRAPERS_PROBE_H
#define FRAISEQL_SCRAPERS_PROBE_H

#include "lib/core/option.h"
#include "lib/metrics/batch.h"
#include "lib/metrics/hub.h"
#include "lib/metrics/sli.h"
#include "lib/net/http_client.h"

struct probe_config; /* one element of `probes:`; see probe_section */
extern const struct option_section probe_section;

const char *probe_config_name(const struct probe_config *config);
const char *probe_config_region(const struct probe_config *config); /* NULL: the collector's */
const char *probe_config_target(const struct probe_config *config); /* default host:port */
const struct option_position *probe_config_position(const struct probe_config *config);
int64_t probe_config_interval_ns(const struct probe_config *config);
/* Fills what was left out: the defaults of the collector. Called once after parsing, before probe_new(). */
void probe_config_complete(struct probe_config *config, const char *region, int64_t interval_ns,
                           int64_t timeout_ns, struct arena *arena);
size_t probe_config_size(void);
int64_t probe_config_timeout_ns(const struct probe_config *config);
/* What can be said only after probe_config_complete(): a timeout above the default interval (error), a
 * certificate that is not verified (warning). */
void probe_config_check(const struct probe_config *config, struct diag *diag);

struct probe_env {
    struct loop *loop; /* the control loop */
    struct resolver *resolver;
    struct http_client *http; /* of the control loop */
    struct hub *hub;
    struct sli_sink sink;
    const char *observer;
};

struct probe;

/* The last outcome, for the status page. */
struct probe_status {
    const char *name, *target, *region;
    enum sli_outcome outcome;
    bool seen; /* false before the first outcome */
    int64_t last_duration_ns;
    char error[256]; /* empty when good */
};

/* A set of probes publishes one hub source, each second and whenever a state changes. */
struct probe_set;
int probe_set_new(const struct probe_env *env, struct probe_set **ret_set, struct error *err) CHECK_RESULT;
/* Replaces the probes: those with equal name, target and region keep their counters and histograms. configs
 * (pointers) stay valid until the next call or until probe_set_free() has finished. */
int probe_set_configure(struct probe_set *set, const struct probe_config *const *configs, size_t count,
                        struct error *err) CHECK_RESULT;
/* Any thread: calls fn for each probe with a copy of its status. */
void probe_set_status(struct probe_set *set, void (*fn)(void *ctx, const struct probe_status *status),
                      void *ctx);
void probe_set_free(struct probe_set *set, loop_fn *freed, void *ctx);

#endif
