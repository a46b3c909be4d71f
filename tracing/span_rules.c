#include "tracing/span_rules.h"

#include "lib/core/arena.h"
#include "tracing/otlp_decode.h"

#include <stdlib.h>

static const char *const kinds[OTLP_KIND_COUNT] = {"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL",
                                                   "SPAN_KIND_SERVER",      "SPAN_KIND_CLIENT",
                                                   "SPAN_KIND_PRODUCER",    "SPAN_KIND_CONSUMER"};
static const char *const statuses[OTLP_STATUS_COUNT] = {"STATUS_CODE_UNSET", "STATUS_CODE_OK",
                                                        "STATUS_CODE_ERROR"};

const char *span_kind_text(unsigned kind)
{
    return kinds[kind];
}

const char *span_status_text(unsigned status)
{
    return statuses[status];
}

/* SERVER or SPAN_KIND_SERVER; -1 for neither. */
static int parse_kind(const char *text)
{
    static const char prefix[] = "SPAN_KIND_";
    for (int kind = 0; kind < OTLP_KIND_COUNT; kind++)
        if (!strcmp(text, kinds[kind]) || !strcmp(text, kinds[kind] + sizeof prefix - 1))
            return kind;
    return -1;
}

static void add_bound(struct span_rules *rules, uint64_t bound_ns)
{
    size_t at = rules->bucket_count;
    while (at > 0 && rules->bounds_ns[at - 1] > bound_ns)
        at--;
    if (at > 0 && rules->bounds_ns[at - 1] == bound_ns)
        return;
    memmove(&rules->bounds_ns[at + 1], &rules->bounds_ns[at],
            (rules->bucket_count - at) * sizeof rules->bounds_ns[0]);
    rules->bounds_ns[at] = bound_ns;
    rules->bucket_count++;
}

/* Bounds are all in: close with the infinite one and fill what is looked up by. */
static void seal_bounds(struct span_rules *rules, const int64_t *exposed_ns)
{
    rules->bounds_ns[rules->bucket_count++] = UINT64_MAX;
    size_t exposed = 0;
    for (size_t bucket = 0; bucket < rules->bucket_count; bucket++) {
        while (exposed < rules->exposed_count && rules->bounds_ns[bucket] > (uint64_t)exposed_ns[exposed])
            exposed++;
        rules->exposed_of[bucket] = (uint8_t)exposed;
    }
    size_t first = 0;
    for (unsigned octave = 0; octave < 64; octave++) {
        while (rules->bounds_ns[first] < UINT64_C(1) << octave)
            first++;
        /* Octave 0 also holds the duration 0. */
        rules->octave_first[octave] = octave ? (uint8_t)first : 0;
    }
}

static int add_rule(struct span_rules *rules, const struct sli_span_selector *selector, struct error *err)
{
    struct span_rule *rule = &rules->rules[rules->rule_count];
    rule->slo = arena_strdup(rules->arena, str_from(selector->slo));
    if (selector->service)
        rule->service = str_from(arena_strdup(rules->arena, str_from(selector->service)));
    if (selector->name)
        rule->name = str_from(arena_strdup(rules->arena, str_from(selector->name)));
    rule->kind = selector->kind ? parse_kind(selector->kind) : -1;
    if (selector->kind && rule->kind < 0) {
        (void)error_set(err, ERR_CONFIG, "slo %s: unknown span kind \"%.40s\"", selector->slo,
                        selector->kind);
        error_set_hint(err, "kinds are INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER and UNSPECIFIED");
        return ERR_CONFIG;
    }
    rule->entry = selector->entry;
    rule->timed = selector->faster_than_ns > 0;
    rules->rule_count++;
    return 0;
}

static int add_thresholds(struct span_rules *rules, const struct sli_span_selector *selectors, size_t count,
                          struct error *err)
{
    size_t before = rules->bucket_count;
    for (size_t i = 0; i < count; i++) {
        if (selectors[i].faster_than_ns <= 0)
            continue;
        if (rules->bucket_count - before == SPAN_MAX_THRESHOLDS)
            return error_set(err, ERR_CONFIG, "SLOs on spans have more than %u different faster_than",
                             SPAN_MAX_THRESHOLDS);
        add_bound(rules, (uint64_t)selectors[i].faster_than_ns - 1);
    }
    return 0;
}

int span_rules_new(const int64_t *bounds_ns, size_t bound_count, const struct sli_span_selector *selectors,
                   size_t selector_count, struct span_rules **ret_rules, struct error *err)
{
    if (bound_count > SPAN_MAX_EXPOSED)
        return error_set(err, ERR_CONFIG, "more than %u buckets", SPAN_MAX_EXPOSED);
    struct span_rules *rules = xcalloc(1, sizeof *rules);
    rules->arena = arena_new(0);
    rules->rules = xcalloc(selector_count + 1, sizeof *rules->rules);
    rules->exposed_count = bound_count;
    for (size_t i = 0; i < bound_count; i++) {
        rules->exposed_ms[i] = (double)bounds_ns[i] / 1e6;
        add_bound(rules, (uint64_t)bounds_ns[i]);
    }
    int rc = add_thresholds(rules, selectors, selector_count, err);
    for (size_t i = 0; rc == 0 && i < selector_count; i++)
        rc = add_rule(rules, &selectors[i], err);
    if (rc) {
        span_rules_free(rules);
        return rc;
    }
    seal_bounds(rules, bounds_ns);
    for (size_t i = 0; i < rules->rule_count; i++)
        if (rules->rules[i].timed)
            rules->rules[i].fast_buckets = span_rules_bucket(rules, (uint64_t)selectors[i].faster_than_ns);
    *ret_rules = rules;
    return 0;
}

void span_rules_free(struct span_rules *rules)
{
    if (!rules)
        return;
    arena_free(rules->arena);
    free(rules->rules);
    free(rules);
}

bool span_rule_matches(const struct span_rule *rule, struct str service, struct str name, unsigned kind,
                       bool entry)
{
    return (!rule->service.ptr || str_equal(rule->service, service)) &&
           (!rule->name.ptr || str_equal(rule->name, name)) &&
           (rule->kind < 0 || (unsigned)rule->kind == kind) && (!rule->entry || entry);
}

bool span_rules_name_service(const struct span_rules *rules, struct str service)
{
    for (size_t i = 0; i < rules->rule_count; i++)
        if (rules->rules[i].service.ptr && str_equal(rules->rules[i].service, service))
            return true;
    return false;
}

bool span_rules_name_span(const struct span_rules *rules, struct str name)
{
    for (size_t i = 0; i < rules->rule_count; i++)
        if (rules->rules[i].name.ptr && str_equal(rules->rules[i].name, name))
            return true;
    return false;
}
