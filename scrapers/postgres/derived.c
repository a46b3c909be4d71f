/* Metrics made of several: how fast WAL is written, and how long slots and the disk last at that rate. */
#include "scrapers/postgres/postgres_internal.h"

#include "lib/core/clock.h"

#include <math.h>

/* Long enough for the bursts of checkpoints to even out, short enough to notice a bulk load. */
#define RATE_WINDOW_NS (300 * NS_PER_S)

static const struct metric_desc wal_rate = {
    "fraiseql_postgres_wal_bytes_per_second", METRIC_GAUGE,
    "WAL written by this primary a second, over the last five minutes.", NULL};
static const struct metric_desc slot_lost = {"fraiseql_postgres_slot_lost_seconds", METRIC_GAUGE,
                                             "Seconds until the slot is lost to max_slot_wal_keep_size if "
                                             "its consumer stopped now, at the present WAL rate.",
                                             "seconds"};
static const struct metric_desc slot_disk = {"fraiseql_postgres_slot_disk_full_seconds", METRIC_GAUGE,
                                             "Seconds until the WAL that the slot retains fills wal_disk if "
                                             "its consumer stopped now, at the present WAL "
                                             "rate.",
                                             "seconds"};

static struct value time_left(double bytes, double rate)
{
    if (bytes <= 0)
        return VALUE_OF_F64(0);
    return VALUE_OF_F64(rate > 0 ? bytes / rate : INFINITY);
}

static const struct samples *samples_of(const struct target *target, const struct pg_group *group)
{
    for (size_t i = 0; i < target->group_count; i++) {
        const struct group_state *state = &target->groups[i];
        if (state->query.group == group && state->samples.observed)
            return &state->samples;
    }
    return NULL;
}

static void put_slots(struct target *target, const struct samples *slots, const struct metric_desc *desc,
                      const char *family, double base, double sign, double rate)
{
    size_t count;
    const struct sample *sample = samples_find(slots, family, &count);

    for (size_t i = 0; i < count; i++) {
        struct label labels[GROUP_MAX_LABELS];
        for (size_t j = 0; j < sample[i].label_count; j++)
            labels[j] = sample[i].labels[j];
        batch_put(target->batch, desc, labels, sample[i].label_count,
                  time_left(base + sign * value_to_double(sample[i].value), rate));
    }
}

static void put_clock(struct target *target)
{
    static const struct metric_desc offset = {"fraiseql_postgres_clock_offset_seconds", METRIC_GAUGE,
                                              "The server's clock minus the collector's.", "seconds"};
    static const struct metric_desc uncertainty = {
        "fraiseql_postgres_clock_offset_uncertainty_seconds", METRIC_GAUGE,
        "Half the round trip: the offset is right to this much.", "seconds"};
    int64_t offset_ns, uncertainty_ns;

    if (!sampler_clock_offset(target->sampler, &offset_ns, &uncertainty_ns))
        return;
    batch_put(target->batch, &offset, NULL, 0, VALUE_OF_F64((double)offset_ns / (double)NS_PER_S));
    batch_put(target->batch, &uncertainty, NULL, 0, VALUE_OF_F64((double)uncertainty_ns / (double)NS_PER_S));
}

void postgres_derive(struct target *target)
{
    if (!target->sampler)
        return;
    put_clock(target);
    double rate = cluster_wal_rate(sampler_member(target->sampler), RATE_WINDOW_NS, clock_mono_ns());
    if (rate < 0)
        return;
    batch_put(target->batch, &wal_rate, NULL, 0, VALUE_OF_F64(rate));
    const struct samples *slots = samples_of(target, &group_slots);
    if (!slots)
        return;
    put_slots(target, slots, &slot_lost, "pg_replication_slots_safe_wal_size_bytes", 0, 1, rate);
    if (target->config->wal_disk_bytes)
        put_slots(target, slots, &slot_disk, "fraiseql_postgres_slot_retained_bytes",
                  (double)target->config->wal_disk_bytes, -1, rate);
}
