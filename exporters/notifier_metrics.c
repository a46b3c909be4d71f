#include "exporters/notifier_internal.h"

#include "lib/core/clock.h"
#include "lib/core/log.h"

static const struct metric_desc results_desc = {
    .name = "fraiseql_notifications_total",
    .type = METRIC_COUNTER,
    .help = "Notifications accepted by a receiver (delivered), attempts that failed and are repeated "
            "(failed), and "
            "notifications that were given up (dead).",
};
static const struct metric_desc pending_desc = {
    .name = "fraiseql_notifications_pending",
    .type = METRIC_GAUGE,
    .help = "Notifications that a receiver has not accepted yet.",
};
static const struct metric_desc oldest_desc = {
    .name = "fraiseql_notifications_oldest_pending_seconds",
    .type = METRIC_GAUGE,
    .help = "Age of the oldest notification that a receiver has not accepted yet; 0 when there is none.",
    .unit = "seconds",
};

static const char *const result_names[RESULT_COUNT] = {"delivered", "failed", "dead"};

static void put_receiver(struct batch *batch, const struct receiver *receiver, int64_t now_wall_ns)
{
    for (size_t i = 0; i < RESULT_COUNT; i++) {
        struct label labels[] = {LABEL_TEXT("receiver", receiver->name),
                                 LABEL_TEXT("result", result_names[i])};
        batch_put(batch, &results_desc, labels, ARRAY_LEN(labels), VALUE_OF_U64(receiver->results[i]));
    }
    struct label label = LABEL_TEXT("receiver", receiver->name);
    batch_put(batch, &pending_desc, &label, 1, VALUE_OF_U64(receiver->ops->depth(receiver)));
    int64_t oldest_ns = receiver->ops->oldest(receiver);
    int64_t age_ms = oldest_ns && oldest_ns < now_wall_ns ? (now_wall_ns - oldest_ns) / NS_PER_MS : 0;
    label = LABEL_TEXT("receiver", receiver->name);
    batch_put(batch, &oldest_desc, &label, 1, VALUE_OF_F64((double)age_ms / 1e3));
}

void notifier_publish(struct notifier *notifier)
{
    int64_t now_wall_ns = clock_wall_ns();
    batch_begin(notifier->batch);
    for (const struct receiver *receiver = notifier->receivers; receiver; receiver = receiver->next)
        put_receiver(notifier->batch, receiver, now_wall_ns);
    struct error err = {0};
    if (hub_publish(notifier->source, batch_finish(notifier->batch, now_wall_ns, clock_mono_ns()), &err))
        LOG_EVENT(LOG_WARN, "notify.metrics_refused", LF_ERROR(&err));
}
