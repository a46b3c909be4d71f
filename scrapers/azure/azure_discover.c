/* Which resources there are, page by page, and what is asked of them. Answers are outside bytes. */
#include "scrapers/azure/azure_internal.h"

#include "lib/net/percent.h"

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
    state->own = arena_new(0);
    state->sets = azure_sets_choose(config, state->own);
    state->subscription = azure_small(state->own, str_from(config->subscription));
    return state;
}

void azure_state_free(void *state_pointer)
{
    struct azure_state *state = state_pointer;
    arena_free(state->arena);
    arena_free(state->own);
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
    for (size_t i = 0; i < state->sets.count; i++) {
        if (strcasecmp(state->sets.items[i]->type, type) == 0)
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

static void read_resource(struct azure_state *state, const struct node *item)
{
    struct str id = node_text(item, "id"), name = node_text(item, "name"), type = node_text(item, "type"),
               location = node_text(item, "location");
    if (!is_part(id, "/-._()") || id.ptr[0] != '/' || strstr(id.ptr, "/.") || !is_part(location, "") ||
        name.len == 0 || !type_is_wanted(state, type.ptr))
        return;
    struct azure_resource found = {.id = azure_small(state->arena, id),
                                   .name = arena_strdup(state->arena, name),
                                   .type = arena_strdup(state->arena, type),
                                   .location = azure_small(state->arena, location)};
    found.group = azure_id_part(found.id, "/resourcegroups/", 0, state->arena);
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
    for (size_t i = 0; i < state->sets.count; i++) {
        const char *type = state->sets.items[i]->type;
        if (strcasecmp(last, type) == 0)
            continue;
        buf_printf(&filter, "%sresourceType eq '%s'", last[0] ? " or " : "", type);
        last = type;
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

/* A query's cursor outlives a restart by its key, so that hangs on what is asked, not on where it stands. */
static struct str query_key(const struct azure_set *set, const char *asked_id, struct arena *arena)
{
    struct buf key = BUF_INIT(TEXT_MAX);
    buf_printf(&key, "%s|", asked_id);
    for (size_t i = 0; i < set->dimension_count; i++)
        buf_printf(&key, "%s%s", i ? "," : "", set->dimensions[i].name);
    for (size_t i = 0; i < set->row_count && !set->profile; i++)
        buf_printf(&key, "|%s", set->rows[i].name);
    if (!set->profile || set->period_s != 60)
        buf_printf(&key, "|%d", set->period_s);
    const char *copy = arena_strdup(arena, buf_str(&key));
    buf_deinit(&key);
    return str_from(copy);
}

static void plan_set(const struct azure_state *state, struct cloud_plan *plan, size_t group,
                     const struct azure_resource *found)
{
    struct arena *arena = cloud_plan_arena(plan);
    struct azure_query *data = arena_zalloc(arena, sizeof *data);
    const struct azure_set *set = state->sets.items[group];
    bool global = azure_is_global(found);
    data->set = set;
    data->resource = (struct azure_resource){.id = arena_strdup(arena, str_from(found->id)),
                                             .name = arena_strdup(arena, str_from(found->name)),
                                             .type = arena_strdup(arena, str_from(found->type)),
                                             .group = arena_strdup(arena, str_from(found->group)),
                                             .location = arena_strdup(arena, str_from(found->location))};
    data->asked_id = azure_asked_id(set, data->resource.id, arena);
    const struct cloud_query_desc desc = {.key = query_key(set, data->asked_id, arena),
                                          .period_ns = set->period_s * NS_PER_S,
                                          .lane = data->resource.location,
                                          .group = (unsigned)group,
                                          .weight = global ? AZURE_RESOURCES_MAX : 1,
                                          .api = global ? AZ_METRICS : AZ_BATCH,
                                          .units = 1,
                                          .data = data};
    struct cloud_query *query = cloud_plan_query(plan, &desc);
    for (size_t i = 0; i < set->row_count && set->dimension_count == 0; i++) {
        if (set->rows[i].unit)
            data->series[i] = azure_series(state, plan, query, data, i, set->rows[i].unit, NULL);
    }
}

static void tell_resource(const struct azure_state *state, struct cloud_plan *plan,
                          const struct azure_resource *found, struct arena *arena)
{
    const struct label labels[] = {LABEL_TEXT("resourceID", found->id),
                                   LABEL_TEXT("resourceName", azure_resource_label(found->id, arena)),
                                   LABEL_TEXT("resourceGroup", found->group),
                                   LABEL_TEXT("resourceType", found->type),
                                   LABEL_TEXT("location", found->location),
                                   LABEL_TEXT("subscriptionID", state->subscription)};
    cloud_plan_info(plan, "azurerm_resource_info", "Resources that were found.", labels, ARRAY_LEN(labels),
                    1);
}

static void make_plan(const struct azure_state *state, struct cloud_plan *plan, struct arena *arena)
{
    for (size_t i = 0; i < state->resource_count; i++) {
        const struct azure_resource *found = &state->resources[i];
        tell_resource(state, plan, found, arena);
        for (size_t group = 0; group < state->sets.count; group++) {
            if (strcasecmp(state->sets.items[group]->type, found->type) == 0)
                plan_set(state, plan, group, found);
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
    make_plan(state, plan, arena);
    *ret_step = CLOUD_READY;
    return 0;
}
