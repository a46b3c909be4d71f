/* A request through the decoder, the sniffer and, for the differential part, the reference decoder: whatever
 * both take whole they must take alike. */
#include "lib/core/arena.h"
#include "tests/unit/tracing/otlp_record.h"
#include "tracing/entry.h"
#include "tracing/intake.h"
#include "tracing/otlp_reference.h"
#include "tracing/otlp_sniff.h"

#include <stdlib.h>

/* The reference recurses as deep as its input nests: small inputs keep it off the end of the stack. */
#define REFERENCE_MAX_BYTES 4096U

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* True when the decoder gave up a part for its wire format. The reference takes some of it: tags beyond 32
 * bits. A resource without spans that is given up shows only in that it was not handed out. */
static bool has_damage(const struct record *walked, const struct record *referred)
{
    return walked->by_reason[OTLP_REJECT_DAMAGED] || walked->by_reason[OTLP_REJECT_DEPTH] ||
           walked->by_reason[OTLP_REJECT_SCOPE] || walked->by_reason[OTLP_REJECT_RESOURCE] ||
           walked->resources < referred->resources;
}

static void compare(struct str request, const struct record *walked, const struct otlp_frame *frame)
{
    struct arena *arena CLEANUP(arena_free_cleanup) = arena_new(0);
    struct record referred;
    record_init(&referred);
    struct otlp_visitor visitor = record_visitor(&referred);
    struct otlp_frame reference_frame;
    if (otlp_reference_traces(request, arena, &visitor, &reference_frame, NULL) == 0 &&
        !has_damage(walked, &referred)) {
        if (frame->groups != reference_frame.groups || frame->spans != reference_frame.spans ||
            !str_equal(buf_str(&walked->text), buf_str(&referred.text)))
            abort();
    }
    buf_deinit(&referred.text);
}

static void count(struct str request)
{
    static const int64_t bounds_ns[] = {1000000, 100000000};
    const struct sli_span_selector selector = {.slo = "s", .entry = true, .faster_than_ns = 5000000};
    struct span_rules *rules;
    if (span_rules_new(bounds_ns, 2, &selector, 1, &rules, NULL))
        abort();
    struct span_shard *shard = span_shard_new(4, 2, rules);
    const struct source_map sources = {0};
    const struct intake_places places = {&sources, NULL, STR("eu")};
    struct intake_counts counts;
    (void)!intake_count(shard, &places, request, &counts, NULL);
    span_shard_free(shard);
    span_rules_free(rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct str request = {(const char *)bytes, size};
    struct record walked;
    record_init(&walked);
    struct otlp_visitor visitor = record_visitor(&walked);
    struct otlp_frame frame;
    struct error err;
    int rc = otlp_decode_traces(request, &visitor, &frame, &err);
    if (rc ? walked.text.len != 0 : walked.spans + walked.rejects != frame.spans)
        abort();
    if (rc == 0 && size <= REFERENCE_MAX_BYTES)
        compare(request, &walked, &frame);
    (void)otlp_sniff(request);
    count(request);
    buf_deinit(&walked.text);
    return 0;
}
