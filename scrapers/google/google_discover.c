/* What Google says of each metric type that is wanted: a descriptor a type. */
#include "lib/core/units.h"
#include "scrapers/cloud/vocabulary.h"
#include "scrapers/google/google_internal.h"

#include <ctype.h>
#include <stdlib.h>

#define ANSWER_MAX (64UL << 20)

/* Asked for by name: period, filter and what absence means go before a profile's. */
static void want(struct google_state *state, const struct google_profile_metric *metric, int64_t period_ns)
{
    for (size_t i = 0; i < state->wanted_count; i++) {
        struct google_wanted *known = &state->wanted[i];
        if (strcmp(known->metric.type, metric->type) != 0)
            continue;
        known->metric.flags = metric->flags;
        if (period_ns)
            known->period_ns = period_ns;
        if (metric->filter)
            known->metric.filter = metric->filter;
        return;
    }
    state->wanted[state->wanted_count++] = (struct google_wanted){*metric, period_ns};
}

static unsigned flags_of(const struct google_metric_config *metric)
{
    unsigned flags = google_type_flags(metric->type);
    if (metric->absent == GOOGLE_ABSENT_IS_ZERO)
        flags |= GOOGLE_ABSENT_ZERO;
    if (metric->absent == GOOGLE_ABSENT_IS_UNKNOWN)
        flags &= ~(unsigned)GOOGLE_ABSENT_ZERO;
    return flags;
}

struct google_state *google_state_new(const struct google_config *config)
{
    struct google_state *state = xcalloc(1, sizeof *state);
    size_t most = config->metrics.count;
    for (size_t i = 0; i < config->profiles.count; i++)
        most += google_profile_find(config->profiles.items[i])->count;
    state->config = config;
    state->wanted = xcalloc(most + 1, sizeof *state->wanted);
    for (size_t i = 0; i < config->profiles.count; i++) {
        const struct google_profile *profile = google_profile_find(config->profiles.items[i]);
        for (size_t k = 0; k < profile->count; k++)
            want(state, &profile->metrics[k], 0);
    }
    for (size_t i = 0; i < config->metrics.count; i++) {
        const struct google_metric_config *metric =
            SECTION_AT(const struct google_metric_config, config->metrics, i);
        const struct google_profile_metric wanted = {
            .type = metric->type, .flags = flags_of(metric), .filter = metric->filter};
        want(state, &wanted, metric->period_ns);
    }
    return state;
}

void google_state_free(void *state_pointer)
{
    struct google_state *state = state_pointer;
    free(state->wanted);
    free(state);
}

/* --- requests and answers ------------------------------------------------------------------------------ */

void google_request(const struct google_state *state, enum google_api api, const char *path,
                    struct arena *arena, struct cloud_request *ret_request)
{
    const char *base =
        state->config->cloud.endpoint ? state->config->cloud.endpoint : "https://monitoring.googleapis.com";
    size_t length = strlen(base);
    if (length && base[length - 1] == '/')
        length--;
    *ret_request = (struct cloud_request){
        .http = {.method = "GET",
                 .url = arena_printf(arena, "%.*s/v3/projects/%s%s", (int)length, base,
                                     state->config->project, path),
                 .max_body_bytes = ANSWER_MAX},
        .api = api,
        .units = 1,
    };
}

int google_parse(const struct http_response *answer, struct arena *arena, const struct node **ret_root,
                 struct cloud_outcome *ret_outcome, struct error *err)
{
    struct node *root = NULL;
    struct error reason = {0};
    int status = answer->status;
    bool parsed = json_parse(arena, answer->body, &root, &reason) == 0;
    *ret_root = NULL;
    if (status == 200 && parsed) {
        *ret_root = root;
        return 0;
    }
    if (status == 200)
        return error_set(err, ERR_PEER, "Google answered with something that is not JSON: %.200s",
                         reason.message);
    const struct node *error = parsed ? node_member(root, "error") : NULL;
    struct str message = error ? node_text(error, "message") : STR("");
    int code = error_set(err, status == 401 || status == 403 ? ERR_AUTH : ERR_PEER,
                         "Google Cloud Monitoring answered %d: %.300s", status,
                         message.len ? message.ptr : "without a reason");
    ret_outcome->verdict = status == 429                    ? CLOUD_THROTTLED
                           : status == 401                  ? CLOUD_EXPIRED
                           : status >= 500 || status == 408 ? CLOUD_PASSING
                                                            : CLOUD_REFUSED;
    return ret_outcome->verdict == CLOUD_REFUSED ? code : 0;
}

/* --- names --------------------------------------------------------------------------------------------- */

enum letter { LETTER_SMALL, LETTER_CAPITAL, LETTER_DIGIT, LETTER_OTHER };

static enum letter letter_of(char c)
{
    unsigned char letter = (unsigned char)c;
    return islower(letter)   ? LETTER_SMALL
           : isupper(letter) ? LETTER_CAPITAL
           : isdigit(letter) ? LETTER_DIGIT
                             : LETTER_OTHER;
}

/* Whether a word begins at `at`, of which something stands before. */
static bool is_word(const char *at)
{
    enum letter before = letter_of(at[-1]), here = letter_of(at[0]);
    if (here == LETTER_SMALL && before == LETTER_CAPITAL)
        return false;
    if (here == LETTER_CAPITAL && before == LETTER_CAPITAL)
        return letter_of(at[1]) == LETTER_SMALL;
    return before != here;
}

/* "k8s_container" becomes "k_8_s_container", "HTTPServer" "http_server". */
static void write_words(struct buf *out, const char *text)
{
    bool begun = false;
    for (const char *at = text; *at; at++) {
        if (letter_of(*at) == LETTER_OTHER)
            continue;
        if (begun && is_word(at))
            buf_append_text(out, "_");
        buf_printf(out, "%c", tolower((unsigned char)*at));
        begun = true;
    }
}

/* stackdriver_exporter's names: utils.NormalizeMetricName (utils/utils.go, which parts words as the package
 * fatih/camelcase does) and buildFQName (collectors/monitoring_metrics.go), looked up in 2026-11. */
const char *google_family_name(const char *resource, const char *type, struct arena *arena)
{
    struct buf name = BUF_INIT(4096);
    buf_append_text(&name, "stackdriver_");
    write_words(&name, resource);
    buf_append_text(&name, "_");
    write_words(&name, type);
    const char *copy = arena_strdup(arena, buf_str(&name));
    buf_deinit(&name);
    return copy;
}

/* --- descriptors --------------------------------------------------------------------------------------- */

/* "60s" */
static int64_t duration_of(const struct node *mapping, const char *key)
{
    struct str text = mapping ? node_text(mapping, key) : STR("");
    double seconds = 0;
    if (text.len < 2 || text.ptr[text.len - 1] != 's')
        return 0;
    text.len--;
    return str_to_double(text, &seconds) && seconds > 0 && seconds <= 86400 ? (int64_t)(seconds * 1e9) : 0;
}

static enum google_kind kind_of(struct str text)
{
    return str_equal_text(text, "DELTA")        ? GOOGLE_DELTA
           : str_equal_text(text, "CUMULATIVE") ? GOOGLE_CUMULATIVE
                                                : GOOGLE_GAUGE;
}

static enum google_value value_of(struct str text)
{
    if (str_equal_text(text, "INT64") || str_equal_text(text, "DOUBLE"))
        return GOOGLE_NUMBER;
    return str_equal_text(text, "BOOL")           ? GOOGLE_BOOL
           : str_equal_text(text, "DISTRIBUTION") ? GOOGLE_DISTRIBUTION
                                                  : GOOGLE_OTHER;
}

static enum cloud_kind cloud_kind_of(const struct google_query *query)
{
    if (query->value == GOOGLE_DISTRIBUTION)
        return CLOUD_DISTRIBUTION;
    return query->kind == GOOGLE_DELTA        ? CLOUD_SUM
           : query->kind == GOOGLE_CUMULATIVE ? CLOUD_CUMULATIVE
                                              : CLOUD_GAUGE;
}

static bool is_resource_kind(struct str text)
{
    return text.len > 0 && text.len < 100 &&
           strspn(text.ptr, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-") == text.len;
}

static void add_families(struct google_query *query, const struct google_wanted *wanted,
                         const struct node *descriptor, int64_t settle_ns, struct cloud_plan *plan)
{
    const struct node *kinds = node_member(descriptor, "monitoredResourceTypes");
    struct arena *arena = cloud_plan_arena(plan);
    struct str help = node_text(descriptor, "description");
    for (size_t i = 0; kinds && kinds->kind == NODE_SEQUENCE && i < kinds->count; i++) {
        if (kinds->items[i]->kind != NODE_SCALAR || !is_resource_kind(kinds->items[i]->scalar) ||
            query->family_count == GOOGLE_RESOURCES_MAX)
            continue;
        const char *resource = arena_strdup(arena, kinds->items[i]->scalar);
        const struct cloud_metric_desc desc = {
            .name = google_family_name(resource, query->type, arena),
            .help = arena_strdup(arena, help.len ? help : str_from(query->type)),
            .kind = cloud_kind_of(query),
            .settle_ns = settle_ns,
            .common = wanted->metric.word ? cloud_common_find(wanted->metric.word) : NULL,
            .scale = wanted->metric.scale,
            .negative_is_absent = wanted->metric.flags & GOOGLE_NEGATIVE_ABSENT,
            .absent_is_zero = wanted->metric.flags & GOOGLE_ABSENT_ZERO,
        };
        query->families[query->family_count++] =
            (struct google_family){resource, cloud_plan_metric(plan, &desc)};
    }
}

static void plan_metric(struct cloud_plan *plan, const struct google_wanted *wanted,
                        const struct node *descriptor)
{
    struct arena *arena = cloud_plan_arena(plan);
    struct google_query *query = arena_zalloc(arena, sizeof *query);
    const struct node *metadata = node_member(descriptor, "metadata");
    int64_t sampled_ns = duration_of(metadata, "samplePeriod"),
            late_ns = duration_of(metadata, "ingestDelay");
    int64_t period_ns = wanted->period_ns ? wanted->period_ns : sampled_ns;
    if (period_ns < GOOGLE_PERIOD_MIN_NS)
        period_ns = GOOGLE_PERIOD_MIN_NS;
    *query = (struct google_query){.type = wanted->metric.type,
                                   .filter = wanted->metric.filter,
                                   .unit = arena_strdup(arena, node_text(descriptor, "unit")),
                                   .kind = kind_of(node_text(descriptor, "metricKind")),
                                   .value = value_of(node_text(descriptor, "valueType"))};
    if (query->value == GOOGLE_OTHER)
        return; /* texts are no samples */
    add_families(query, wanted, descriptor, late_ns, plan);
    const struct cloud_query_desc desc = {.key = str_from(wanted->metric.type),
                                          .period_ns = period_ns,
                                          .api = GOOGLE_SERIES,
                                          .units = 1,
                                          .data = query};
    (void)cloud_plan_query(plan, &desc);
}

static void tell_found(struct cloud_plan *plan, const char *type, bool found)
{
    const struct label labels[] = {LABEL_TEXT("metric_type", type)};
    cloud_plan_info(plan, "stackdriver_metric_type_found", "Whether the project has the metric type.", labels,
                    1, found);
}

static void ask_next(const struct google_state *state, struct arena *arena, struct cloud_request *ret_request)
{
    const char *type = state->wanted[state->asked].metric.type;
    google_request(state, GOOGLE_DESCRIPTOR, arena_printf(arena, "/metricDescriptors/%s", type), arena,
                   ret_request);
}

int google_discover(void *state_pointer, struct cloud_plan *plan, const struct http_response *answer,
                    int64_t wall_ns, struct arena *arena, enum cloud_step *ret_step,
                    struct cloud_request *ret_request, struct cloud_outcome *ret_outcome, struct error *err)
{
    struct google_state *state = state_pointer;
    const struct node *root = NULL;
    (void)wall_ns;
    *ret_step = CLOUD_SEND;
    if (!answer) {
        state->asked = 0;
        ask_next(state, arena, ret_request);
        return 0;
    }
    const struct google_wanted *wanted = &state->wanted[state->asked];
    /* A type that nothing has written to yet is not there. */
    if (answer->status == 404) {
        tell_found(plan, wanted->metric.type, false);
    } else {
        int code = google_parse(answer, arena, &root, ret_outcome, err);
        if (code || !root)
            return code;
        if (!str_equal_text(node_text(root, "type"), wanted->metric.type))
            return error_set(err, ERR_PEER, "Google answered with another descriptor than that of %s",
                             wanted->metric.type);
        tell_found(plan, wanted->metric.type, true);
        plan_metric(plan, wanted, root);
    }
    if (++state->asked < state->wanted_count)
        ask_next(state, arena, ret_request);
    else
        *ret_step = CLOUD_READY;
    return 0;
}
