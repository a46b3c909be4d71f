#include "lib/core/clock.h"
#include "lib/core/log.h"
#include "scrapers/probe/probe_internal.h"

#define PUBLISH_PERIOD_NS (1 * NS_PER_S)
#define CHANGE_PERIOD_NS  (100 * NS_PER_MS) /* of publishing for changes of state */

/* fraiseql_probe_success is withdrawn when there was no judged outcome for so long. */
#define STALE_INTERVALS 5
#define STALE_MIN_NS    (5 * NS_PER_S)

const double probe_duration_bounds[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                        0.2,    0.25,  0.5,    1,     2.5,  5,     10};
const size_t probe_duration_bound_count = ARRAY_LEN(probe_duration_bounds);

static const char *const reason_texts[PROBE_REASONS] = {
    [PROBE_REASON_TIMEOUT] = "timeout",
    [PROBE_REASON_RESOLVE] = "resolve",
    [PROBE_REASON_CONNECT] = "connect",
    [PROBE_REASON_TLS] = "tls",
    [PROBE_REASON_CERTIFICATE] = "certificate",
    [PROBE_REASON_STATUS] = "status",
    [PROBE_REASON_HEADER] = "header",
    [PROBE_REASON_BODY] = "body",
    [PROBE_REASON_AUTH] = "auth",
    [PROBE_REASON_QUERY] = "query",
    [PROBE_REASON_PROTOCOL] = "protocol",
};

static const char *const phase_texts[PROBE_PHASES] = {
    [PROBE_PHASE_RESOLVE] = "resolve",       [PROBE_PHASE_CONNECT] = "connect",   [PROBE_PHASE_TLS] = "tls",
    [PROBE_PHASE_PROCESSING] = "processing", [PROBE_PHASE_TRANSFER] = "transfer",
};

/* One row a family: its description and what it says of one probe. */
struct probe_family {
    struct metric_desc desc;
    void (*add)(struct batch *batch, struct batch_family *family, const struct probe *probe);
};

/* labels are reordered by the batch: each call works on a copy. */
struct label_set {
    struct label items[PROBE_LABELS + 1];
};

static struct label_set labels_of(const struct probe *probe)
{
    struct label_set set;
    memcpy(set.items, probe->labels, sizeof probe->labels);
    return set;
}

static void put(struct batch *batch, struct batch_family *family, const struct probe *probe,
                struct value value)
{
    struct label_set set = labels_of(probe);
    batch_add(batch, family, set.items, PROBE_LABELS, value);
}

static void put_with(struct batch *batch, struct batch_family *family, const struct probe *probe,
                     struct label extra, struct value value)
{
    struct label_set set = labels_of(probe);
    set.items[PROBE_LABELS] = extra;
    batch_add(batch, family, set.items, PROBE_LABELS + 1, value);
}

static void add_attempts(struct batch *batch, struct batch_family *family, const struct probe *probe)
{
    put(batch, family, probe, VALUE_OF_U64(probe->attempt_count));
}

static void add_failures(struct batch *batch, struct batch_family *family, const struct probe *probe)
{
    put(batch, family, probe, VALUE_OF_U64(probe->failure_count));
}

static void add_unknown(struct batch *batch, struct batch_family *family, const struct probe *probe)
{
    put(batch, family, probe, VALUE_OF_U64(probe->unknown_count));
}

static void add_durations(struct batch *batch, struct batch_family *family, const struct probe *probe)
{
    struct label_set set = labels_of(probe);
    batch_add_histogram(batch, family, set.items, PROBE_LABELS, &probe->durations);
}

static void add_reasons(struct batch *batch, struct batch_family *family, const struct probe *probe)
{
    for (size_t i = 0; i < PROBE_REASONS; i++) {
        if (probe->kind->reasons & (1U << i))
            put_with(batch, family, probe, LABEL_TEXT("reason", reason_texts[i]),
                     VALUE_OF_U64(probe->reason_counts[i]));
    }
}

static bool is_current(const struct probe *probe)
{
    int64_t limit_ns = STALE_INTERVALS * probe->grid.interval_ns;
    if (limit_ns < STALE_MIN_NS)
        limit_ns = STALE_MIN_NS;
    return probe->judged_ns != 0 && clock_mono_ns() - probe->judged_ns <= limit_ns;
}

static void add_success(struct batch *batch, struct batch_family *family, const struct probe *probe)
{
    if (is_current(probe))
        put(batch, family, probe, VALUE_OF_BOOL(probe->judged == SLI_GOOD));
}

static void add_phases(struct batch *batch, struct batch_family *family, const struct probe *probe)
{
    for (size_t i = 0; is_current(probe) && i < PROBE_PHASES; i++) {
        if (probe->observation.phase_seen[i])
            put_with(batch, family, probe, LABEL_TEXT("phase", phase_texts[i]),
                     VALUE_OF_F64((double)probe->observation.phase_ns[i] / (double)NS_PER_S));
    }
}

static void add_status(struct batch *batch, struct batch_family *family, const struct probe *probe)
{
    if (is_current(probe) && probe->observation.http_status > 0)
        put(batch, family, probe, VALUE_OF_U64(probe->observation.http_status));
}

static void add_certificate(struct batch *batch, struct batch_family *family, const struct probe *probe)
{
    if (is_current(probe) && probe->observation.certificate_not_after_s > 0)
        put(batch, family, probe, VALUE_OF_I64(probe->observation.certificate_not_after_s));
}

static const struct probe_family families[] = {
    {{"fraiseql_probe_attempts_total", METRIC_COUNTER, "Intervals of the probe, each with one outcome.",
      NULL},
     add_attempts},
    {{"fraiseql_probe_certificate_not_after_timestamp_seconds", METRIC_GAUGE,
      "When the first certificate of the chain expires, in seconds since 1970.", "seconds"},
     add_certificate},
    {{"fraiseql_probe_duration_seconds", METRIC_HISTOGRAM, "Time of good probes.", "seconds"}, add_durations},
    {{"fraiseql_probe_failure_reasons_total", METRIC_COUNTER, "Bad outcomes by what went wrong.", NULL},
     add_reasons},
    {{"fraiseql_probe_failures_total", METRIC_COUNTER, "Intervals with a bad outcome.", NULL}, add_failures},
    {{"fraiseql_probe_http_status_code", METRIC_GAUGE, "HTTP status of the last answer.", NULL}, add_status},
    {{"fraiseql_probe_phase_duration_seconds", METRIC_GAUGE,
      "Time of the last probe by phase (resolve, connect, tls, processing, transfer).", "seconds"},
     add_phases},
    {{"fraiseql_probe_success", METRIC_GAUGE,
      "1 when the last judged interval was good, 0 when it was bad; absent when none was judged lately.",
      NULL},
     add_success},
    {{"fraiseql_probe_unknown_total", METRIC_COUNTER,
      "Intervals that say nothing about the service, as our own tick was late.", NULL},
     add_unknown},
};

void probe_publish(struct probe_set *set)
{
    struct error err = {0};
    int64_t now_ns = clock_mono_ns();
    batch_begin(set->batch);
    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        struct batch_family *family = batch_family(set->batch, &families[i].desc);
        for (const struct probe *probe = set->probes; probe; probe = probe->next)
            families[i].add(set->batch, family, probe);
    }
    set->published_ns = now_ns;
    set->publish_soon = false;
    if (hub_publish(set->source, batch_finish(set->batch, clock_wall_ns(), now_ns), &err) != 0)
        LOG_EVENT(LOG_WARN, "probe.publish_refused", LF_ERROR(&err));
}

void probe_publish_tick(void *ctx, int64_t lateness_ns)
{
    struct probe_set *set = ctx;
    (void)lateness_ns;
    probe_publish(set);
    loop_timer_start(&set->publish, set->published_ns + PUBLISH_PERIOD_NS, 0);
}

void probe_publish_change(struct probe_set *set)
{
    int64_t now_ns = clock_mono_ns();
    if (set->publish_soon || set->closing || !loop_timer_active(&set->publish))
        return;
    set->publish_soon = true;
    int64_t due_ns = set->published_ns + CHANGE_PERIOD_NS;
    loop_timer_start(&set->publish, due_ns > now_ns ? due_ns : now_ns, 0);
}
