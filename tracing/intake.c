#include "tracing/intake.h"

#define SPANS_A_TURN                                                                                         \
    4096U /* counted before a waiting publisher is let in: well under a millisecond or two                   \
           */

struct intake {
    struct span_shard *shard;
    const struct intake_places *places;
    struct str body;
    struct intake_counts *counts;
    struct otlp_frame frame;
    const struct span_group *group;
    struct str service;
    struct str peer_region;
    bool unnamed;
    bool indexed; /* entry_index_build() was tried */
    struct entry_index index;
};

/* The value of `key:` in the OpenTelemetry entry of a tracestate (list members by ',', sub-keys by ';'). */
static struct str sub_value(struct str trace_state, struct str member, struct str key)
{
    while (trace_state.len) {
        const char *comma = memchr(trace_state.ptr, ',', trace_state.len);
        size_t len = comma ? (size_t)(comma - trace_state.ptr) : trace_state.len;
        struct str entry = str_trim((struct str){trace_state.ptr, len});
        size_t skip = comma ? len + 1 : len;
        trace_state = (struct str){trace_state.ptr + skip, trace_state.len - skip};
        if (!str_starts(entry, member))
            continue;
        entry = (struct str){entry.ptr + member.len, entry.len - member.len};
        while (entry.len) {
            const char *end = memchr(entry.ptr, ';', entry.len);
            size_t part = end ? (size_t)(end - entry.ptr) : entry.len;
            if (part >= key.len && memcmp(entry.ptr, key.ptr, key.len) == 0)
                return (struct str){entry.ptr + key.len, part - key.len};
            part += end ? 1 : 0;
            entry = (struct str){entry.ptr + part, entry.len - part};
        }
    }
    return (struct str){NULL, 0};
}

bool intake_is_sampled(struct str trace_state)
{
    struct str threshold = sub_value(trace_state, STR("ot="), STR("th:"));
    for (size_t i = 0; i < threshold.len; i++)
        if (threshold.ptr[i] != '0')
            return true;
    return false;
}

static void on_resource(void *ctx, const struct otlp_resource *resource)
{
    struct intake *intake = ctx;
    const struct str regions[] = {resource->deployment_region, resource->region, resource->cloud_region,
                                  intake->peer_region, intake->places->own_region};
    struct str region = {NULL, 0};
    for (size_t i = 0; i < ARRAY_LEN(regions) && !region.len; i++)
        region = regions[i];
    intake->unnamed = resource->service.len == 0;
    intake->service = intake->unnamed ? STR(INTAKE_UNKNOWN_SERVICE) : resource->service;
    intake->group = span_shard_group(intake->shard, intake->service, region);
}

static COLD bool ask_parent(struct intake *intake, const struct otlp_span *span)
{
    if (intake->frame.groups < 2)
        return false;
    if (!intake->indexed) {
        intake->indexed = true;
        (void)entry_index_build(&intake->index, intake->body, &intake->frame);
    }
    struct str service = intake->unnamed ? STR("") : intake->service;
    return entry_parent_elsewhere(&intake->index, span, service);
}

static void on_span(void *ctx, const struct otlp_span *span)
{
    struct intake *intake = ctx;
    struct intake_counts *counts = intake->counts;
    enum entry_verdict verdict = entry_decide(span);
    bool entry = verdict == ENTRY_YES || (verdict == ENTRY_ASK_PARENT && ask_parent(intake, span));
    uint64_t duration_ns = span->end_ns - span->start_ns;
    if (unlikely(span->end_ns < span->start_ns || duration_ns > (uint64_t)INTAKE_MAX_DURATION_NS)) {
        duration_ns = 0;
        counts->skewed++;
    }
    counts->sampled += span->trace_state.len && intake_is_sampled(span->trace_state);
    counts->unnamed += intake->unnamed;
    counts->accepted++;
    span_shard_count(intake->shard, intake->group, span, entry, duration_ns);
    if (unlikely(counts->accepted % SPANS_A_TURN == 0))
        span_shard_yield(intake->shard);
}

static void on_reject(void *ctx, enum otlp_reject reason, uint64_t ordinal)
{
    struct intake *intake = ctx;
    struct intake_counts *counts = intake->counts;
    if (counts->rejected++ == 0) {
        counts->first_reason = reason;
        counts->first_ordinal = ordinal;
    }
    counts->rejected_by[reason]++;
}

int intake_count(struct span_shard *shard, const struct intake_places *places, struct str body,
                 struct intake_counts *ret_counts, struct error *err)
{
    *ret_counts = (struct intake_counts){0};
    struct intake intake = {
        .shard = shard,
        .places = places,
        .body = body,
        .counts = ret_counts,
        .peer_region = str_from(source_map_find(places->sources, places->peer)),
    };
    const struct otlp_visitor visitor = {&intake, on_resource, on_span, on_reject};
    span_shard_lock(shard);
    int rc = otlp_decode_traces(body, &visitor, &intake.frame, err);
    span_shard_unlock(shard);
    entry_index_deinit(&intake.index);
    return rc;
}
