/* Which resources there are, page by page, and what is asked of them. Answers are outside bytes. */
#include "scrapers/azure/azure_internal.h"

#include "lib/net/percent.h"
#include "scrapers/cloud/vocabulary.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#define RESOURCES_VERSION "2021-04-01"
#define PAGES_MAX         1000U
#define ANSWER_MAX        (64UL << 20)
#define TEXT_MAX          8192U

struct azure_state *azure_state_new(const struct azure_config *config, const struct azure_cloud *cloud)
{
    struct azure_state *state = xcalloc(1, sizeof *state);
    state->config = config;
    state->cloud = cloud;
    state->arena = arena_new(0);
    return state;
}

void azure_state_free(void *state_pointer)
{
    struct azure_state *state = state_pointer;
    arena_free(state->arena);
    free(state->resources);
    free(state);
}

struct str azure_base(const struct azure_state *state)
{
    const char *endpoint = state->config->cloud.endpoint;
    struct str base = str_from(endpoint ? endpoint : state->cloud->manager);
    while (str_ends(base, STR("/")))
        base.len--;
    return base;
}

bool azure_is_global(const struct azure_resource *resource)
{
    return strcmp(resource->location, "global") == 0;
}

/* --- answers ------------------------------------------------------------------------------------------- */

/* {"error":{"code":"AuthorizationFailed","message":"..."}} */
static int failure(const struct http_response *answer, const char *what, struct arena *arena,
                   struct cloud_outcome *ret_outcome, struct error *err)
{
    struct node *root = NULL;
    struct error ignored = {0};
    if (json_parse(arena, answer->body, &root, &ignored) != 0)
        root = NULL;
    const struct node *error = root ? node_member(root, "error") : NULL;
    struct str message = error ? node_text(error, "message") : STR("");
    struct str word = error ? node_text(error, "code") : STR("");
    int status = answer->status;
    bool refused = status == 401 || status == 403;
    int code =
        error_set(err, refused ? ERR_AUTH : ERR_PEER, "%s answered %d: %.60s%s%.200s", what, status,
                  word.len ? word.ptr : "no reason", message.len ? ": " : "", message.len ? message.ptr : "");
    ret_outcome->verdict = status == 429 || status == 529   ? CLOUD_THROTTLED
                           : status == 401                  ? CLOUD_EXPIRED
                           : status >= 500 || status == 408 ? CLOUD_PASSING
                                                            : CLOUD_REFUSED;
    return ret_outcome->verdict == CLOUD_REFUSED ? code : 0;
}

int azure_parse(const struct http_response *answer, const char *what, struct arena *arena,
                const struct node **ret_root, struct cloud_outcome *ret_outcome, struct error *err)
{
    struct node *root = NULL;
    struct error reason = {0};
    *ret_root = NULL;
    if (answer->status < 200 || answer->status > 299)
        return failure(answer, what, arena, ret_outcome, err);
    if (json_parse(arena, answer->body, &root, &reason) != 0)
        return error_set(err, ERR_PEER, "%s answered with something that is not JSON: %.200s", what,
                         reason.message);
    *ret_root = root;
    return 0;
}

/* --- resources ----------------------------------------------------------------------------------------- */

static bool type_is_wanted(const struct azure_state *state, const char *type)
{
    for (const struct azure_set *set = azure_sets; set->profile; set++) {
        if (strcasecmp(set->type, type) == 0 && azure_profile_wanted(&state->config->profiles, set->profile))
            return true;
    }
    return false;
}

/* Ids and locations become parts of addresses. */
static bool is_part(struct str text, const char *besides)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (!isalnum(c) && (c == '\0' || !strchr(besides, c)))
            return false;
    }
    return text.len > 0 && text.len < 1024;
}

static const char *small(struct arena *arena, struct str text)
{
    char *copy = arena_strdup(arena, text);
    for (char *at = copy; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    return copy;
}

/* "/subscriptions/S/resourcegroups/G/providers/..." */
static const char *group_of(struct arena *arena, const char *id)
{
    const char *at = strstr(id, "/resourcegroups/");
    at = at ? at + sizeof "/resourcegroups/" - 1 : "";
    return arena_strdup(arena, (struct str){at, strcspn(at, "/")});
}

static void read_resource(struct azure_state *state, const struct node *item)
{
    struct str id = node_text(item, "id"), name = node_text(item, "name"), type = node_text(item, "type"),
               location = node_text(item, "location");
    if (!is_part(id, "/-._()") || id.ptr[0] != '/' || strstr(id.ptr, "/.") || !is_part(location, "") ||
        name.len == 0 || !type_is_wanted(state, type.ptr))
        return;
    struct azure_resource found = {.id = small(state->arena, id),
                                   .name = arena_strdup(state->arena, name),
                                   .type = arena_strdup(state->arena, type),
                                   .location = small(state->arena, location)};
    found.group = group_of(state->arena, found.id);
    for (size_t i = 0; i < state->resource_count; i++) {
        if (strcmp(found.id, state->resources[i].id) == 0)
            return; /* moved from one page to the next meanwhile */
    }
    if (state->resource_count == state->resource_capacity) {
        state->resource_capacity = state->resource_capacity ? state->resource_capacity * 2 : 16;
        state->resources = xrealloc(state->resources, state->resource_capacity * sizeof *state->resources);
    }
    state->resources[state->resource_count++] = found;
}

static void fill_request(const char *url, struct cloud_request *ret_request)
{
    *ret_request = (struct cloud_request){.http = {.method = "GET", .url = url, .max_body_bytes = ANSWER_MAX},
                                          .api = AZ_RESOURCES,
                                          .units = 1,
                                          .credential = AZ_MANAGER};
}

static void ask_first(const struct azure_state *state, struct arena *arena, struct cloud_request *ret_request)
{
    const struct azure_config *config = state->config;
    const char *last = "";
    struct str base = azure_base(state);
    struct buf filter = BUF_INIT(TEXT_MAX), url = BUF_INIT(4 * TEXT_MAX);
    for (const struct azure_set *set = azure_sets; set->profile; set++) {
        if (!azure_profile_wanted(&config->profiles, set->profile) || strcmp(last, set->type) == 0)
            continue;
        buf_printf(&filter, "%sresourceType eq '%s'", last[0] ? " or " : "", set->type);
        last = set->type;
    }
    buf_printf(&url, "%.*s/subscriptions/%s", STR_ARGS(base), config->subscription);
    if (config->resource_group) {
        buf_append_text(&url, "/resourceGroups/");
        percent_encode(&url, str_from(config->resource_group));
    }
    buf_append_text(&url, "/resources?api-version=" RESOURCES_VERSION "&$filter=");
    percent_encode(&url, buf_str(&filter));
    fill_request(arena_strdup(arena, buf_str(&url)), ret_request);
    buf_deinit(&filter);
    buf_deinit(&url);
}

/* The token goes nowhere but to Resource Manager. */
static int ask_next(struct azure_state *state, struct str link, struct arena *arena,
                    struct cloud_request *ret_request, struct error *err)
{
    struct str base = azure_base(state);
    if (!str_starts(link, base) || link.len <= base.len || link.ptr[base.len] != '/')
        return error_set(err, ERR_PEER, "Resource Manager's next page lies at another server");
    if (++state->pages > PAGES_MAX)
        return error_set(err, ERR_LIMIT, "there are more than %u pages of resources", PAGES_MAX);
    fill_request(arena_strdup(arena, link), ret_request);
    return 0;
}

/* --- the plan ------------------------------------------------------------------------------------------ */

/* azurerm_resource_metric_cpu_percent_average_percent: azure-metrics-exporter's template
 * {name}_{metric}_{aggregation}_{unit}. */
static void write_name(struct buf *out, const struct azure_row *row, bool total)
{
    const char *parts[] = {AZURE_PREFIX, row->name, total ? "" : azure_aggregations[row->aggregation],
                           row->unit, total ? "total" : ""};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (out->len && parts[i][0])
            buf_append_text(out, "_");
        for (const char *at = parts[i]; *at; at++)
            buf_printf(out, "%c", isalnum((unsigned char)*at) ? tolower((unsigned char)*at) : '_');
    }
}

static struct cloud_metric *metric_of(struct cloud_plan *plan, const struct azure_row *row)
{
    struct buf name = BUF_INIT(512), total = BUF_INIT(512), help = BUF_INIT(512);
    bool sums = row->aggregation == AZ_TOTAL;
    write_name(&name, row, false);
    write_name(&total, row, true);
    buf_printf(&help, "Azure Monitor's %s, %s, in %s.", row->name, azure_aggregations[row->aggregation],
               row->unit);
    const struct cloud_metric_desc desc = {.name = buf_text(&name),
                                           .help = buf_text(&help),
                                           .kind = sums ? CLOUD_SUM : CLOUD_GAUGE,
                                           .common = row->word ? cloud_common_find(row->word) : NULL,
                                           .scale = row->scale,
                                           .negative_is_absent = row->flags & AZ_NEGATIVE_ABSENT,
                                           .total_name = sums ? buf_text(&total) : NULL};
    struct cloud_metric *metric = cloud_plan_metric(plan, &desc);
    buf_deinit(&name);
    buf_deinit(&total);
    buf_deinit(&help);
    return metric;
}

struct cloud_series *azure_series(const struct azure_state *state, struct cloud_plan *plan,
                                  struct cloud_query *query, const struct azure_query *data, size_t row_index,
                                  const char *value)
{
    const struct azure_row *row = &data->set->rows[row_index];
    const struct azure_resource *resource = &data->resource;
    const struct label labels[] = {LABEL_TEXT("resourceID", resource->id),
                                   LABEL_TEXT("resourceName", resource->name),
                                   LABEL_TEXT("resourceGroup", resource->group),
                                   LABEL_TEXT("subscriptionID", state->config->subscription),
                                   LABEL_TEXT("dimension", value ? value : "")};
    struct buf key = BUF_INIT(TEXT_MAX), common = BUF_INIT(TEXT_MAX);
    buf_printf(&key, "%s|%s|%s|%s", resource->id, row->name, azure_aggregations[row->aggregation],
               value ? value : "");
    /* Values of a dimension add up in a counter; of a gauge each is shown. */
    if (value && row->aggregation != AZ_TOTAL)
        buf_printf(&common, "%s/%s", resource->name, value);
    else
        buf_append_text(&common, resource->name);
    struct cloud_series *series = NULL;
    if (!key.failed && !common.failed)
        series = cloud_plan_series(plan, query, metric_of(plan, row), buf_str(&key), labels,
                                   ARRAY_LEN(labels) - (value ? 0 : 1), buf_str(&common));
    buf_deinit(&key);
    buf_deinit(&common);
    return series;
}

static void plan_set(const struct azure_state *state, struct cloud_plan *plan, const struct azure_set *set,
                     const struct azure_resource *found)
{
    struct arena *arena = cloud_plan_arena(plan);
    struct azure_query *data = arena_zalloc(arena, sizeof *data);
    bool global = azure_is_global(found);
    unsigned group = (unsigned)(set - azure_sets);
    data->set = set;
    data->resource = (struct azure_resource){.id = arena_strdup(arena, str_from(found->id)),
                                             .name = arena_strdup(arena, str_from(found->name)),
                                             .type = arena_strdup(arena, str_from(found->type)),
                                             .group = arena_strdup(arena, str_from(found->group)),
                                             .location = arena_strdup(arena, str_from(found->location))};
    const struct cloud_query_desc desc = {
        .key = str_from(arena_printf(arena, "%s|%s", found->id, set->dimension ? set->dimension : "")),
        .period_ns = set->period_s * NS_PER_S,
        .lane = data->resource.location,
        .group = group,
        .weight = global ? AZURE_RESOURCES_MAX : 1,
        .api = global ? AZ_METRICS : AZ_BATCH,
        .units = 1,
        .data = data};
    struct cloud_query *query = cloud_plan_query(plan, &desc);
    for (size_t i = 0; i < set->row_count && !set->dimension; i++)
        data->series[i] = azure_series(state, plan, query, data, i, NULL);
}

static void make_plan(const struct azure_state *state, struct cloud_plan *plan)
{
    for (size_t i = 0; i < state->resource_count; i++) {
        const struct azure_resource *found = &state->resources[i];
        const struct label labels[] = {LABEL_TEXT("resourceID", found->id),
                                       LABEL_TEXT("resourceName", found->name),
                                       LABEL_TEXT("resourceGroup", found->group),
                                       LABEL_TEXT("resourceType", found->type),
                                       LABEL_TEXT("location", found->location),
                                       LABEL_TEXT("subscriptionID", state->config->subscription)};
        cloud_plan_info(plan, "azurerm_resource_info", "Resources that were found.", labels,
                        ARRAY_LEN(labels), 1);
        for (const struct azure_set *set = azure_sets; set->profile; set++) {
            if (strcasecmp(set->type, found->type) == 0 &&
                azure_profile_wanted(&state->config->profiles, set->profile))
                plan_set(state, plan, set, found);
        }
    }
}

int azure_discover(void *state_pointer, struct cloud_plan *plan, const struct http_response *answer,
                   int64_t wall_ns, struct arena *arena, enum cloud_step *ret_step,
                   struct cloud_request *ret_request, struct cloud_outcome *ret_outcome, struct error *err)
{
    struct azure_state *state = state_pointer;
    const struct node *root;
    (void)wall_ns;
    *ret_step = CLOUD_SEND;
    if (!answer) {
        arena_reset(state->arena);
        state->resource_count = 0;
        state->pages = 0;
        ask_first(state, arena, ret_request);
        return 0;
    }
    int code = azure_parse(answer, "Resource Manager", arena, &root, ret_outcome, err);
    if (code || !root)
        return code;
    const struct node *resources = node_member(root, "value");
    if (!resources || resources->kind != NODE_SEQUENCE)
        return error_set(err, ERR_PEER, "Resource Manager answered without a list of resources");
    for (size_t i = 0; i < resources->count; i++)
        read_resource(state, resources->items[i]);
    struct str next = node_text(root, "nextLink");
    if (next.len)
        return ask_next(state, next, arena, ret_request, err);
    make_plan(state, plan);
    *ret_step = CLOUD_READY;
    return 0;
}
