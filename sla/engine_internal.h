/* Inside the SLA engine: objectives, series, triggers, incidents. See engine.h. */
#ifndef FRAISEQL_SLA_ENGINE_INTERNAL_H
#define FRAISEQL_SLA_ENGINE_INTERNAL_H

#include "lib/core/map.h"
#include "lib/metrics/selector.h"
#include "sla/burn.h"
#include "sla/engine.h"
#include "sla/history.h"
#include "sla/label_set.h"

#define MAX_SERIES_PER_SLO 1000U
#define MAX_CURSORS        200000U
#define MAX_SOURCES        10000U
#define KEEP_GOING_NS      (5 * NS_PER_S)  /* a longer gap between ticks is time in which we did not run */
#define RESTORE_GRACE_NS   (60 * NS_PER_S) /* an incident from before a restart waits so long for its data */
#define SLICE_RING         8U
#define SLICE_GRACE_NS     NS_PER_S /* a snapshot may be this late */
#define PENDING_COARSE     7200U /* pending buckets of a series beyond which they are put together by minutes */

/* --- objectives and their series (slo.c) --- */

struct slice {
    int64_t number; /* of the slice since 1970 */
    bool seen, broken;
};

struct series {
    struct slo *slo;
    struct label_set labels;
    struct history *history;
    struct bucket *pending; /* not handed to a flush yet */
    size_t pending_count, pending_capacity;
    bool dirty;
    struct bucket_counts events; /* since the series is known; never falls */
    uint64_t covered_at_birth;   /* engine->covered when the series was first seen */
    uint64_t carry;              /* counter ratios: part events that no total has told of yet */
    uint64_t expected;           /* events of a full window, 0: unknown */
    /* time slices */
    bool slicing;
    int64_t next_slice, last_sample_wall_ns;
    struct slice slices[SLICE_RING];
    /* counter ratios: sums of the snapshot at hand */
    uint64_t delta_total, delta_part;
    bool touched;
};

struct slo {
    const struct sla_slo_config *config; /* NULL: not configured at present; history is kept */
    char *name;
    enum sla_kind kind;
    enum sla_no_data no_data;
    uint64_t budget_ppb;
    int64_t window_s;
    char objective_text[UNITS_TEXT_MAX], window_text[UNITS_TEXT_MAX];
    int64_t *windows_s;            /* of burn rates, ascending; then that of the objective */
    size_t window_count;           /* of burn rates */
    size_t coverage_window;        /* index into the engine's coverage windows */
    struct selector *part, *total; /* counter ratios; part is bad or good */
    bool part_is_good;
    struct selector *metric; /* time slices */
    double bound;
    bool above;
    uint64_t definition; /* hash of the selectors: cursors of another definition do not count */
    struct map series;   /* by label text */
    struct series **list;
    size_t list_count, list_capacity;
};

struct slo *slo_new(const char *name);
void slo_free(struct slo *slo);
/* Compiles the configuration into slo; extra_windows_s: of triggers. */
int slo_configure(struct slo *slo, const struct sla_slo_config *config, const int64_t *extra_windows_s,
                  size_t extra_count, struct error *err) CHECK_RESULT;
/* Creates it when new; NULL when there are too many. */
struct series *slo_series(struct engine *engine, struct slo *slo, struct str label_text);
void series_add(struct engine *engine, struct series *series, int64_t wall_ns,
                const struct bucket_counts *counts);
/* The number of events in a full window, from the configuration. */
void series_set_expected(const struct engine *engine, struct series *series);
/* Puts buckets of a flush that failed back. */
void series_give_back(struct engine *engine, struct series *series, const struct bucket *buckets,
                      size_t count);
/* What is stored of a series beside its buckets. */
#define SERIES_STATE 7
void series_save(const struct series *series, uint64_t state[SERIES_STATE]);
void series_load(struct series *series, const uint64_t state[SERIES_STATE]);
void series_mark_dirty(struct engine *engine, struct series *series);

/* --- counters (counter_sli.c) --- */

/* The last value of one counter as one SLO sees it. */
struct counter_cursor {
    char *key; /* SLO LF definition LF role LF scraper LF target LF line */
    struct series *series;
    uint64_t value;
    bool part;  /* role: part or total */
    bool fresh; /* no value yet */
    bool dirty;
};

struct bound_counter {
    uint32_t slot;
    struct counter_cursor *cursor;
};

struct binding { /* of one counter SLO to one shape */
    struct slo *slo;
    uint64_t definition, shape_id;
    struct bound_counter *items;
    size_t count;
};

struct slice_binding {
    struct slo *slo;
    uint64_t shape_id;
    struct bound_slice {
        uint32_t slot;
        struct series *series;
    } * items;
    size_t count;
};

struct source {
    uint64_t id;
    char *scraper, *target, *name; /* name: "scraper LF target" */
    struct binding *bindings;
    size_t binding_count;
    struct slice_binding *slices;
    size_t slice_count;
    uint64_t start_shape_id;
    uint32_t start_slot;               /* of process_start_time_seconds; UINT32_MAX: none */
    int64_t last_mono_ns, interval_ns; /* of publishing */
};

void counter_on_snapshot(struct engine *engine, struct source *source, const struct snapshot *snapshot);
int counter_restore(struct engine *engine, const char *key, struct str value);
void counter_free_source(struct source *source);
/* A finite value that is not negative, as events; false otherwise. */
bool counter_value(struct value value, uint64_t *ret_events);

/* --- time slices (slice_sli.c) --- */

void slice_on_snapshot(struct engine *engine, struct source *source, const struct snapshot *snapshot);
/* Ends what is over. jumped_over: we did not run since the last tick, so what lies between is nobody's. */
void slice_tick(struct engine *engine, bool jumped_over);

/* --- triggers (trigger.c, trigger_eval.c) --- */

enum trigger_kind { TRIGGER_PROBE, TRIGGER_BURN, TRIGGER_METRIC };
enum member_state { MEMBER_OK, MEMBER_FIRING, MEMBER_NO_DATA };

/* One label set: at most one open incident. */
struct instance {
    struct trigger *trigger;
    struct label_set labels;
    bool open;
    enum alert_state state; /* when open */
    char id[CRYPTO_UUID_SIZE];
    int64_t started_wall_ns, grace_until_mono_ns;
    bool unknown_told;
    bool orphaned; /* while pruning */
    bool has_value;
    double value;
    /* of the evaluation at hand */
    bool any_firing, any_no_data, any_member;
};

/* What is watched: a probe, a series of an SLO, or a series of a source. */
struct member {
    char *key;
    struct instance *instance;
    enum member_state state;
    bool has_value;
    double value;
    int64_t seen_mono_ns; /* last known outcome or sample */
    /* probes: the last outcomes, a bit each (1: bad), newest at `at` - 1 */
    uint8_t *outcomes;
    uint32_t at, known, bad;         /* of the firing window */
    uint32_t since_known, since_bad; /* of the resolve window, since it fired */
    int64_t interval_ns;
    /* burn rates */
    struct series *series;
    /* metrics */
    uint64_t source_id, snapshot_no;
    /* when the condition became true (not firing) or false (firing); 0: it has not */
    int64_t since_mono_ns;
    bool beyond;
};

struct trigger {
    const struct sla_trigger_config *config;
    char *name;
    uint64_t definition;
    enum trigger_kind kind;
    uint32_t failures, of, successes, resolve_of;
    int64_t for_ns, resolve_for_ns;
    struct slo *slo;
    size_t *windows; /* indices into slo->windows_s */
    size_t window_count;
    struct selector *selector;
    double bound;
    bool above;
    struct map instances; /* by label text */
    struct map members;   /* by key */
    struct trigger_binding {
        uint64_t source_id, shape_id;
        struct bound_member {
            uint32_t slot;
            struct member *member;
        } * items;
        size_t count;
    } * bindings;
    size_t binding_count;
    uint64_t snapshot_no;
};

struct trigger *trigger_new(const struct sla_trigger_config *config, struct error *err);
void trigger_free(struct trigger *trigger);
uint64_t trigger_definition(const struct sla_trigger_config *config);
struct instance *trigger_instance(struct trigger *trigger, struct str label_text);
struct member *trigger_member(struct trigger *trigger, const char *key, struct str label_text);
const struct string_list *trigger_by(const struct trigger *trigger);
/* Members for what the configuration names: probes, series of the SLO. */
void trigger_populate(struct engine *engine, struct trigger *trigger, const struct sla_settings *settings);
/* Drops probes that are configured no more; an incident that was theirs alone ends. */
void trigger_prune(struct engine *engine, struct trigger *trigger, const struct sla_settings *settings);
void trigger_on_probe(struct engine *engine, const struct sli_probe_event *event);
void trigger_on_snapshot(struct engine *engine, struct source *source, const struct snapshot *snapshot);
void trigger_tick(struct engine *engine);
/* Ends its open incidents, because the trigger is gone. */
void trigger_resolve_all(struct engine *engine, struct trigger *trigger);

/* --- incidents (incident.c) --- */

/* One change, to be stored; owns its arena. */
struct incident_change {
    struct incident_change *next;
    struct arena *arena;
    struct alert alert;
    const char *labels_text;
    const char *const *receivers; /* who is told: none when the state changes silently */
    size_t receiver_count;
};

void incident_change_add(struct engine *engine, struct instance *instance, enum alert_state state, bool tell);
void incident_change_free(struct incident_change *change);

/* --- the whole --- */

struct engine {
    struct engine_options options;
    char *observer;
    struct slo **slos; /* as configured */
    size_t slo_count;
    struct map slo_by_name; /* also those not configured at present */
    struct slo *coverage_slo;
    struct series *coverage;
    int64_t *coverage_windows_s;
    size_t coverage_window_count;
    uint64_t covered; /* seconds, ever */
    struct sla_probe *probes;
    size_t probe_count;
    struct trigger **triggers;
    size_t trigger_count;
    struct map sources_by_id; /* key: the id's bytes */
    struct map cursors;       /* by key */
    struct map known_targets; /* key: SLO LF definition LF scraper LF target; value: the key */
    struct map start_times;   /* by source name: struct start_time */
    struct series **dirty;
    size_t dirty_count, dirty_capacity;
    struct counter_cursor **dirty_cursors;
    size_t dirty_cursor_count, dirty_cursor_capacity;
    struct incident_change *changes, **last_change;
    int64_t now_wall_ns; /* never falls */
    int64_t now_mono_ns;
    int64_t skew_ns; /* how far now_wall_ns is ahead of the clock after that stepped back */
    bool ticked;
    struct sla_flush *in_flight;
    struct sla_report *served;
    struct sla_stats stats;
    struct buf scratch, scratch2;
};

struct start_time {
    char *source;
    double value;
    bool dirty;
};

static inline int64_t engine_now_s(const struct engine *engine)
{
    return engine->now_wall_ns / NS_PER_S;
}

struct sla_report *engine_make_report(struct engine *engine);
/* Finds or creates, configured or not. */
struct slo *engine_slo(struct engine *engine, const char *name);
/* Takes over an open incident of before a restart or of a trigger that was changed. */
void instance_reopen(struct engine *engine, struct instance *instance, const char *id, enum alert_state state,
                     int64_t started_wall_ns);

#endif
