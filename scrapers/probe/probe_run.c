#include "lib/core/clock.h"
#include "lib/core/log.h"
#include "scrapers/probe/probe_internal.h"

#include <stdio.h>

#define SECRET_RETRY_NS (10 * NS_PER_S)

static void note_stall(struct probe_set *set, int64_t now_ns, int64_t lateness_ns)
{
    probe_stalls_note(&set->stalls, now_ns, lateness_ns);
    /* Callbacks of one round of the loop run before its timers: a heartbeat that is overdue says as much. */
    if (set->beat_due_ns > 0)
        probe_stalls_note(&set->stalls, now_ns, now_ns - set->beat_due_ns);
}

void probe_run_beat(void *ctx, int64_t lateness_ns)
{
    struct probe_set *set = ctx;
    int64_t now_ns = clock_mono_ns();
    probe_stalls_note(&set->stalls, now_ns, lateness_ns);
    set->beat_due_ns = now_ns + set->beat_period_ns;
    loop_timer_start(&set->heartbeat, set->beat_due_ns, 0);
}

static void emit(const struct probe *probe, enum sli_outcome outcome, int64_t due_ns, int64_t duration_ns)
{
    const struct probe_env *env = &probe->set->env;
    const struct sli_probe_event event = {
        .probe = probe->name,
        .target = probe->target,
        .region = probe->region,
        .outcome = outcome,
        .wall_ns = clock_wall_ns() - (clock_mono_ns() - due_ns),
        .mono_ns = due_ns,
        .duration_ns = duration_ns,
        .interval_ns = probe->grid.interval_ns,
    };
    if (env->sink.probe)
        env->sink.probe(env->sink.ctx, &event);
}

static void set_status(struct probe *probe, enum sli_outcome outcome, int64_t duration_ns,
                       const char *message)
{
    pthread_mutex_lock(&probe->set->lock);
    struct probe_status *status = &probe->status;
    status->outcome = outcome;
    status->seen = true;
    if (duration_ns > 0)
        status->last_duration_ns = duration_ns;
    (void)snprintf(status->error, sizeof status->error, "%s", message);
    pthread_mutex_unlock(&probe->set->lock);
}

static void log_change(const struct probe *probe, enum sli_outcome outcome, const char *message)
{
    if (outcome == SLI_GOOD)
        LOG_EVENT(LOG_INFO, "probe.good", LF_TEXT("probe", probe->name), LF_TEXT("target", probe->target),
                  LF_TEXT("region", probe->region));
    else
        LOG_EVENT(LOG_WARN, "probe.bad", LF_TEXT("probe", probe->name), LF_TEXT("target", probe->target),
                  LF_TEXT("region", probe->region), LF_TEXT("error", message));
}

/* The one place where an interval gets its outcome. */
static void record(struct probe *probe, enum sli_outcome outcome, enum probe_reason reason,
                   const char *message, int64_t due_ns, int64_t duration_ns)
{
    probe->attempt_count++;
    if (outcome == SLI_UNKNOWN) {
        probe->unknown_count++;
        duration_ns = 0;
    } else if (outcome == SLI_BAD) {
        probe->failure_count++;
        probe->reason_counts[reason]++;
    } else {
        histogram_observe(&probe->durations, (double)duration_ns / (double)NS_PER_S);
        message = "";
    }
    set_status(probe, outcome, duration_ns, message);
    emit(probe, outcome, due_ns, duration_ns);
    if (outcome == SLI_UNKNOWN)
        return;
    bool changed = probe->judged_ns == 0 || probe->judged != outcome;
    if (changed && (probe->judged_ns != 0 || outcome == SLI_BAD))
        log_change(probe, outcome, message);
    probe->judged = outcome;
    probe->judged_ns = due_ns;
    if (changed)
        probe_publish_change(probe->set);
}

int64_t probe_attempt_elapsed(const struct probe_attempt *attempt)
{
    return clock_mono_ns() - attempt->times.started_ns;
}

void probe_attempt_phase(struct probe_attempt *attempt, enum probe_phase phase, int64_t duration_ns)
{
    attempt->seen.phase_seen[phase] = true;
    attempt->seen.phase_ns[phase] = duration_ns > 0 ? duration_ns : 0;
}

static void conclude(struct probe_attempt *attempt, bool timed_out, enum probe_reason reason,
                     const char *message)
{
    struct probe *probe = attempt->probe;
    char text[sizeof probe->status.error];
    int64_t now_ns = clock_mono_ns();
    note_stall(probe->set, now_ns, 0);
    attempt->times.ended_ns = now_ns;
    attempt->times.stalled_ns = probe_stalls_within(&probe->set->stalls, attempt->times.started_ns, now_ns);
    bool failed = reason != PROBE_REASONS;
    enum sli_outcome outcome = probe_judge(&attempt->times, failed, timed_out);
    if (outcome == SLI_UNKNOWN) {
        message = "our own tick was late";
    } else if (outcome == SLI_BAD && !failed) {
        reason = PROBE_REASON_TIMEOUT;
        (void)snprintf(text, sizeof text, "answered only after %lld ms",
                       (long long)((now_ns - attempt->times.started_ns) / NS_PER_MS));
        message = text;
    }
    attempt->state = ATTEMPT_CLOSING;
    loop_timer_stop(&attempt->deadline);
    if (outcome != SLI_UNKNOWN)
        probe->observation = attempt->seen;
    record(probe, outcome, reason, message, attempt->due_ns, now_ns - attempt->times.started_ns);
}

void probe_attempt_verdict(struct probe_attempt *attempt, enum probe_reason reason, const char *message)
{
    if (attempt->state == ATTEMPT_RUNNING)
        conclude(attempt, reason == PROBE_REASON_TIMEOUT, reason, message);
}

void probe_attempt_released(struct probe_attempt *attempt)
{
    attempt->state = ATTEMPT_FREE;
    probe_handle_closed(attempt->probe);
}

void probe_run_deadline(void *ctx, int64_t lateness_ns)
{
    struct probe_attempt *attempt = ctx;
    int64_t now_ns = clock_mono_ns();
    if (attempt->state != ATTEMPT_RUNNING)
        return;
    note_stall(attempt->probe->set, now_ns, lateness_ns);
    if (!attempt->drained) {
        attempt->drained = true;
        loop_timer_start(&attempt->deadline, now_ns + NS_PER_MS, 0);
        return;
    }
    char text[64];
    (void)snprintf(text, sizeof text, "no answer within %lld ms",
                   (long long)((attempt->times.deadline_ns - attempt->times.started_ns) / NS_PER_MS));
    conclude(attempt, true, PROBE_REASON_TIMEOUT, text);
    attempt->probe->kind->abort(attempt);
}

void probe_attempt_void(struct probe_attempt *attempt, const char *why)
{
    if (attempt->state != ATTEMPT_RUNNING)
        return;
    attempt->state = ATTEMPT_CLOSING;
    loop_timer_stop(&attempt->deadline);
    record(attempt->probe, SLI_UNKNOWN, PROBE_REASONS, why, attempt->due_ns, 0);
}

void probe_run_void(struct probe *probe, const char *why)
{
    for (size_t i = 0; i < PROBE_ATTEMPTS; i++) {
        struct probe_attempt *attempt = &probe->attempts[i];
        if (attempt->state != ATTEMPT_RUNNING)
            continue;
        probe_attempt_void(attempt, why);
        probe->kind->abort(attempt);
    }
}

bool probe_attempt_secret(struct probe_attempt *attempt, const char *path)
{
    struct probe *probe = attempt->probe;
    int64_t now_ns = clock_mono_ns();
    bool wanted = path && (!probe->secret || probe->secret_stale);
    if (wanted && (probe->secret_tried_ns == 0 || now_ns - probe->secret_tried_ns >= SECRET_RETRY_NS)) {
        struct error err = {0};
        struct secret *fresh = NULL;
        probe->secret_tried_ns = now_ns;
        if (secret_read_file(path, &fresh, NULL, &err) == 0) {
            secret_free(probe->secret);
            probe->secret = fresh;
            probe->secret_stale = false;
        }
    }
    if (!path || probe->secret)
        return true;
    char text[sizeof probe->status.error];
    (void)snprintf(text, sizeof text, "the credentials cannot be read from %s", path);
    probe_attempt_verdict(attempt, PROBE_REASON_AUTH, text);
    probe_attempt_released(attempt);
    return false;
}

static struct probe_attempt *free_attempt(struct probe *probe)
{
    for (size_t i = 0; i < PROBE_ATTEMPTS; i++) {
        if (probe->attempts[i].state == ATTEMPT_FREE)
            return &probe->attempts[i];
    }
    return NULL;
}

static void start_attempt(struct probe *probe, int64_t due_ns, int64_t now_ns)
{
    struct probe_attempt *attempt = free_attempt(probe);
    if (!attempt) {
        record(probe, SLI_UNKNOWN, PROBE_REASONS, "the former attempts are still being closed", due_ns, 0);
        return;
    }
    int64_t timeout_ns = probe->config->timeout_ns;
    attempt->state = ATTEMPT_RUNNING;
    attempt->drained = false;
    attempt->due_ns = due_ns;
    attempt->seen = (struct probe_observation){0};
    attempt->times = (struct probe_attempt_times){
        .started_ns = now_ns,
        .deadline_ns = probe_deadline_ns(due_ns, now_ns, probe->grid.interval_ns, timeout_ns),
        .timeout_ns = timeout_ns,
    };
    probe->handles++;
    loop_timer_start(&attempt->deadline, attempt->times.deadline_ns, 0);
    probe->kind->start(attempt);
}

void probe_run_tick(void *ctx, int64_t lateness_ns)
{
    struct probe *probe = ctx;
    int64_t now_ns = clock_mono_ns();
    note_stall(probe->set, now_ns, lateness_ns);
    struct probe_tick tick = probe_grid_tick(&probe->grid, now_ns);
    loop_timer_start(&probe->tick, probe->grid.next_due_ns, 0);
    if (!tick.due)
        return;
    if (tick.lost > 0)
        LOG_EVENT(LOG_WARN, "probe.intervals_lost", LF_TEXT("probe", probe->name),
                  LF_I64("intervals", tick.lost));
    for (uint64_t i = 0; i < tick.missed; i++)
        record(probe, SLI_UNKNOWN, PROBE_REASONS, "our own tick was late",
               tick.first_missed_ns + (int64_t)i * probe->grid.interval_ns, 0);
    if (probe_starts_too_late(tick.due_ns, now_ns, probe->grid.interval_ns))
        record(probe, SLI_UNKNOWN, PROBE_REASONS, "our own tick was late", tick.due_ns, 0);
    else
        start_attempt(probe, tick.due_ns, now_ns);
}
