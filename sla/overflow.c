#include "sla/overflow.h"

#include "lib/core/arena.h"
#include "sla/event_copy.h"

#include <pthread.h>
#include <stdlib.h>

struct held {
    struct sli_probe_event *probe; /* one of both */
    struct sli_span_counts *spans;
    uint64_t times;
};

struct overflow {
    pthread_mutex_t lock; /* over everything below */
    struct held items[OVERFLOW_MAX];
    size_t count;
};

struct overflow *overflow_new(void)
{
    struct overflow *overflow = xcalloc(1, sizeof *overflow);
    (void)pthread_mutex_init(&overflow->lock, NULL);
    return overflow;
}

static void ignore_probe(void *ctx, const struct sli_probe_event *event, uint64_t times)
{
    (void)ctx;
    (void)event;
    (void)times;
}

static void ignore_spans(void *ctx, const struct sli_span_counts *counts)
{
    (void)ctx;
    (void)counts;
}

void overflow_free(struct overflow *overflow)
{
    if (!overflow)
        return;
    overflow_drain(overflow, ignore_probe, ignore_spans, NULL);
    (void)pthread_mutex_destroy(&overflow->lock);
    free(overflow);
}

static bool same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool same_probe(const struct sli_probe_event *a, const struct sli_probe_event *b)
{
    return same_text(a->probe, b->probe) && same_text(a->target, b->target) &&
           same_text(a->region, b->region);
}

static bool same_spans(const struct sli_span_counts *a, const struct sli_span_counts *b)
{
    if (!same_text(a->slo, b->slo) || a->label_count != b->label_count)
        return false;
    for (size_t i = 0; i < a->label_count; i++) {
        if (!str_equal(a->labels[i].name, b->labels[i].name) ||
            !str_equal(a->labels[i].value, b->labels[i].value))
            return false;
    }
    return true;
}

bool overflow_add_probe(struct overflow *overflow, const struct sli_probe_event *event)
{
    struct held *held = NULL;
    (void)pthread_mutex_lock(&overflow->lock);
    for (size_t i = 0; i < overflow->count && !held; i++) {
        if (overflow->items[i].probe && same_probe(overflow->items[i].probe, event))
            held = &overflow->items[i];
    }
    if (!held && overflow->count < OVERFLOW_MAX) {
        held = &overflow->items[overflow->count++];
        *held = (struct held){.probe = event_copy_probe(event)};
        held->probe->outcome = SLI_UNKNOWN;
    }
    if (held)
        held->times++;
    (void)pthread_mutex_unlock(&overflow->lock);
    return held != NULL;
}

bool overflow_add_spans(struct overflow *overflow, const struct sli_span_counts *counts)
{
    struct held *held = NULL;
    (void)pthread_mutex_lock(&overflow->lock);
    for (size_t i = 0; i < overflow->count && !held; i++) {
        if (overflow->items[i].spans && same_spans(overflow->items[i].spans, counts))
            held = &overflow->items[i];
    }
    bool added = held || overflow->count < OVERFLOW_MAX;
    if (held) {
        held->spans->good += counts->good;
        held->spans->bad += counts->bad;
    } else if (added) {
        overflow->items[overflow->count++] = (struct held){.spans = event_copy_spans(counts)};
    }
    (void)pthread_mutex_unlock(&overflow->lock);
    return added;
}

void overflow_drain(struct overflow *overflow,
                    void (*probe)(void *ctx, const struct sli_probe_event *, uint64_t),
                    void (*spans)(void *ctx, const struct sli_span_counts *), void *ctx)
{
    (void)pthread_mutex_lock(&overflow->lock);
    size_t count = overflow->count;
    struct held *items = count ? xmalloc(count * sizeof *items) : NULL;
    if (count)
        memcpy(items, overflow->items, count * sizeof *items);
    overflow->count = 0;
    (void)pthread_mutex_unlock(&overflow->lock);
    for (size_t i = 0; i < count; i++) {
        if (items[i].probe)
            probe(ctx, items[i].probe, items[i].times);
        else
            spans(ctx, items[i].spans);
        free(items[i].probe);
        free(items[i].spans);
    }
    free(items);
}
